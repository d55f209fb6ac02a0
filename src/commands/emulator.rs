//! `tenure emulator`: a local Chat API to rehearse on.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;

use super::print;
use crate::cli::EmulatorArgs;
use crate::emulator::key::ServiceAccountKey;
use crate::emulator::quota::Limits;
use crate::emulator::world::{RepeatedCreate, Rules, SecondStint};
use crate::emulator::{Config, Emulator};
use crate::exit::Exit;
use crate::signals::Signals;

pub(super) async fn run(args: EmulatorArgs) -> anyhow::Result<Exit> {
    let (_signals, mut stops) = Signals::listen()?;
    let mut rules = Rules { any_space: args.any_space, times_echoed: !args.hide_times, ..Rules::default() };
    if args.refuse_second_stints {
        rules.second_stint = SecondStint::Refuse;
    }
    if args.double_repeated_creates {
        rules.repeated_create = RepeatedCreate::Double;
    }
    // A key that was written before goes on being good, so that an emulator can be started again under a run.
    let key = match args.write_key.as_deref().map(fs::read_to_string) {
        Some(Ok(text)) => Some(ServiceAccountKey::from_json(&text)?),
        _ => None,
    };
    let config = Config {
        key,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        limits: Limits {
            writes_per_minute: args.writes_per_minute,
            reads_per_minute: args.reads_per_minute,
            ..Limits::default()
        },
        latency: args.latency,
        faults: args.faults,
        seed: args.seed,
        store: args.state,
        rules,
        ..Config::default()
    };
    let emulator = Emulator::start(config).await.context("the emulator cannot be started")?;
    if let Some(path) = &args.write_key {
        emulator.write_key(path).with_context(|| format!("{}", path.display()))?;
    }
    print(&format!("listening on {}\n", emulator.endpoint()))?;
    // Being told to stop is how it ends.
    stops.recv().await;
    emulator.stop().await;
    Ok(Exit::Done)
}
