//! The commands, a file each. They speak to the operator: results on standard output, everything else on standard
//! error, and an exit code of the contract.

mod again;
mod check;
mod complete;
mod completions;
mod config;
mod confirm;
mod connect;
mod convert;
mod doctor;
mod emulator;
mod import;
mod inputs;
mod login;
mod man;
mod members;
mod neighbours;
mod new_journal;
mod plan;
mod probed;
mod read_with;
mod reference;
mod rejects;
mod report;
mod resume;
mod rollback;
mod send;
mod spaces;
mod spaces_age;
mod spaces_map;
mod status;
mod stints;
mod verify;
mod watched;
mod whole;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::pin::Pin;

use console::Term;
use tokio::runtime::Builder;

use crate::aside::{self, note};
use crate::cli::{self, Command, ProgressMode};
use crate::config::{Environment, Found, Refusal};
use crate::exit::Exit;
use crate::logging;
use crate::model::Undertaking;
use crate::settings::SettingsError;
use crate::wording::{COLUMNS, fitted, harmless};

/// Runs the program and says how it ends.
pub fn run() -> Exit {
    logging::begin();
    let typed: Vec<_> = std::env::args_os().collect();
    let parsed = crate::config::parse(&typed, &Environment::of_process(), help_columns());
    let progress = match &parsed {
        Ok((_, found)) => found.progress,
        Err(_) => cli::likely_progress(&typed),
    };
    if progress == Some(ProgressMode::Json) {
        aside::speak_to_programs();
    }
    let (cli, found) = match parsed {
        Ok(parsed) => parsed,
        Err(Refusal::Typed(error)) => {
            return say_what_was_mistyped(&error, &typed);
        }
        Err(Refusal::Given(problems)) => {
            for problem in problems {
                aside::error(&problem);
            }
            return Exit::Usage;
        }
    };
    say_what_the_file_does(&found);
    let result = match cli.command {
        Command::Check(args) => asynchronously(check::run(args)),
        Command::Plan(args) => asynchronously(plan::run(args)),
        Command::Import(args) => {
            let manner =
                import::Manner { history: args.stints, retry: args.retry, ..import::Manner::default() };
            asynchronously(import::run(args.bulk, Undertaking::Import, manner))
        }
        Command::Remove(args) => asynchronously(import::run(
            args.bulk,
            Undertaking::Remove,
            import::Manner { asks: !args.yes, promotes: args.promote, ..import::Manner::default() },
        )),
        Command::Update(args) => {
            asynchronously(import::run(args, Undertaking::Update, import::Manner::default()))
        }
        Command::Spaces(command) => asynchronously(spaces::run(command)),
        Command::Complete(args) => asynchronously(complete::run(args)),
        Command::Rollback(args) => asynchronously(rollback::run(args)),
        Command::Resume(args) => asynchronously(resume::run(args)),
        Command::Status(args) => asynchronously(status::run(args)),
        Command::Rejects(args) => rejects::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Verify(args) => asynchronously(verify::run(args)),
        Command::Members(command) => asynchronously(members::run(command)),
        Command::Convert(command) => convert::run(&command),
        Command::Doctor(args) => asynchronously(doctor::run(args)),
        Command::Login(args) => asynchronously(login::login(args)),
        Command::Logout(args) => asynchronously(login::logout(args)),
        Command::Emulator(args) => on_all_cores(emulator::run(args)),
        Command::Config(args) => config::run(args, &found),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Reference => reference::run(),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            aside::error(&format!("{error:#}"));
            if error.downcast_ref::<Usage>().is_some() || error.downcast_ref::<SettingsError>().is_some() {
                Exit::Usage
            } else {
                Exit::Failed
            }
        }
    }
}

/// Says what is wrong with what was typed. Help and version come this way too, on standard output.
fn say_what_was_mistyped(error: &clap::Error, typed: &[OsString]) -> Exit {
    if !error.use_stderr() {
        // A closed pipe is no failure of help.
        let _ = error.print();
        return Exit::Done;
    }
    let (place, shown) = (Term::stderr(), error.render());
    let is_coloured = place.is_term() && console::colors_enabled_stderr();
    let text = if is_coloured { shown.ansi().to_string() } else { shown.to_string() };
    let text = cli::ended(&text, &cli::command(), typed);
    aside::mistyped(&on(&place, &text));
    Exit::Usage
}

/// A file that lies in the folder can have come with somebody else's export: whoever looks sees that it counts.
fn say_what_the_file_does(found: &Found) {
    if let (Some(file), false, true) = (&found.file, found.of_file.is_empty(), io::stderr().is_terminal()) {
        let options: Vec<String> = found.of_file.iter().map(ToString::to_string).collect();
        note(&format!("from {}: {}", file.display(), options.join(", ")));
    }
}

/// Something the operator should have typed otherwise.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// On one thread, beside the journal's: calls wait for the network, and to wake another thread for each costs more than
/// it gains.
fn asynchronously(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    run_on(Builder::new_current_thread(), command)
}

/// On as many threads as there are cores: for serving.
fn on_all_cores(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    run_on(Builder::new_multi_thread(), command)
}

fn run_on(mut builder: Builder, command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = builder.enable_all().build()?;
    // Boxed, or each kind of runtime has a copy of the whole command in the program.
    let command: Pin<Box<dyn Future<Output = _> + '_>> = Box::pin(command);
    let result = runtime.block_on(command);
    // Somebody may still be asked something: nobody waits for the answer any more.
    runtime.shutdown_background();
    result
}

/// Writes a result in words to standard output.
fn tell(text: &str) -> io::Result<()> {
    print(&on(&Term::stdout(), text))
}

/// A terminal is taken to have so many columns at least.
const COLUMNS_MIN: usize = 40;

/// How wide a text is made that is laid out for standard output: as the terminal has it with a margin of two, and nowhere
/// wider than lines are read with ease.
fn columns() -> usize {
    table_columns().min(COLUMNS)
}

/// The same for a table; elsewhere than on a terminal its rows stay whole, to be searched for.
fn table_columns() -> usize {
    let terminal = Term::stdout().size_checked();
    terminal.map_or(usize::MAX, |(_, columns)| usize::from(columns).saturating_sub(2).max(COLUMNS_MIN))
}

/// How wide help may be: as the terminal that it is looked at on, also through a pager, else as `COLUMNS` says.
fn help_columns() -> usize {
    let terminal = [Term::stdout(), Term::stderr()].into_iter().find_map(|place| place.size_checked());
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.map(|(_, columns)| usize::from(columns)).or_else(told).unwrap_or(usize::MAX)
}

/// As it fits a terminal; elsewhere as it is.
fn on<'a>(place: &Term, text: &'a str) -> Cow<'a, str> {
    if place.is_term() { fitted(text, usize::from(place.size().1)).into() } else { text.into() }
}

/// Writes a result to standard output. That nobody reads it any more (`… | head`) changes nothing about the result.
fn print(text: &str) -> io::Result<()> {
    print_on(text).map(drop)
}

/// The same; says whether somebody still reads, so that there is a point in going on.
fn print_on(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(harmless(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(io::Error::new(error.kind(), format!("standard output cannot be written: {error}")))
        }
        Ok(()) => Ok(true),
    }
}
