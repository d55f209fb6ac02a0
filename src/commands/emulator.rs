//! `tenure emulator`: a local Chat API to rehearse on.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;

use super::print;
use crate::cli::EmulatorArgs;
use crate::emulator::key::ServiceAccountKey;
use crate::emulator::quota::Limits;
use crate::emulator::world::{RepeatedCreate, Rules, Scopes, SecondStint};
use crate::emulator::{Config, Emulator};
use crate::exit::Exit;
use crate::signals::Signals;

pub(super) async fn run(args: EmulatorArgs) -> anyhow::Result<Exit> {
    let (_signals, mut stops) = Signals::listen()?;
    let emulator = Emulator::start(config(&args)?).await.context("the emulator cannot be started")?;
    if let Some(path) = &args.files.write_key {
        emulator.write_key(path)?;
    }
    if let Some(path) = &args.files.write_client_secrets {
        emulator.write_client_secrets(path)?;
    }
    if let Some(path) = &args.files.write_adc {
        emulator.write_default_credentials(path)?;
    }
    print(&format!("listening on {}\n", emulator.endpoint()))?;
    // Being told to stop is how it ends.
    stops.recv().await;
    emulator.stop().await;
    Ok(Exit::Done)
}

fn config(args: &EmulatorArgs) -> anyhow::Result<Config> {
    let (weather, set_up) = (&args.weather, &args.set_up);
    // A key that was written before goes on being good, so that an emulator can be started again under a run.
    let key = match args.files.write_key.as_deref().map(fs::read_to_string) {
        Some(Ok(text)) => Some(ServiceAccountKey::from_json(&text)?),
        _ => None,
    };
    let delegated = match set_up.delegated.as_slice() {
        [] => Scopes::ALL,
        scopes => scopes.iter().fold(Scopes::NONE, |all, scope| all.and(*scope)),
    };
    Ok(Config {
        key,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        limits: Limits {
            writes_per_minute: weather.writes_per_minute,
            reads_per_minute: weather.reads_per_minute,
            hidden_writes_per_space_second: weather.hidden_writes_per_space_second,
            counting: weather.counting,
            retry_info: weather.retry_info,
            ..Limits::default()
        },
        schedule: weather.schedule.clone(),
        latency: weather.latency,
        faults: weather.faults.clone(),
        seed: weather.seed,
        store: args.files.state.clone(),
        rules: rules(args),
        token_life: set_up.token_life,
        delegated,
        clock_skew_s: set_up.clock_skew_s.into(),
        person: set_up.signed_in.clone(),
        consents: !set_up.deny_sign_in,
        token_creator: !set_up.no_token_creator,
        revoke_key_after: set_up.revoke_key_after,
    })
}

fn rules(args: &EmulatorArgs) -> Rules {
    let (rules, set_up) = (&args.rules, &args.set_up);
    let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
    Rules {
        second_stint: if rules.refuse_second_stints { SecondStint::Refuse } else { SecondStint::Accept },
        repeated_create: if rules.double_repeated_creates {
            RepeatedCreate::Double
        } else {
            RepeatedCreate::Refuse
        },
        times_echoed: !rules.hide_times,
        expire_time_echoed: !rules.hide_expire_time,
        any_space: rules.any_space,
        chat_app_configured: !set_up.no_chat_app,
        chat_api_enabled: !set_up.no_chat_api,
        chat_off_for: lower(&set_up.chat_off_for),
        home_domains: lower(&set_up.home_domains),
        ..Rules::default()
    }
}
