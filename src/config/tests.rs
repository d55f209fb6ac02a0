//! What is typed, what the environment says and what a file says, put together.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::*;
use crate::cli::{Command as Chosen, ConnectionArgs, ImportArgs, ProgressMode};
use crate::engine::InFlight;
use crate::wording::width;

/// Made once, since it takes its time.
static PROGRAM: LazyLock<Command> = LazyLock::new(cli::command);

/// A folder with a `tenure.toml`.
struct Place(tempfile::TempDir);

impl Place {
    fn with(text: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Place(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Parses a line of words, with the file and variables.
    fn parse(&self, line: &str, variables: &[(&str, &str)]) -> Result<Cli, Refusal> {
        let file = self.path(FILE);
        super::tests::parse(line, variables, &[OsString::from("--config"), file.into()])
    }

    /// All that is wrong, without the path.
    #[track_caller]
    fn problems(&self, line: &str, variables: &[(&str, &str)]) -> Vec<String> {
        match self.parse(line, variables) {
            Err(Refusal::Given(problems)) => {
                let folder = format!("{}/", self.0.path().display());
                problems.into_iter().map(|problem| problem.replace(&folder, "")).collect()
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn parse(line: &str, variables: &[(&str, &str)], more: &[OsString]) -> Result<Cli, Refusal> {
    let typed: Vec<OsString> =
        line.split_whitespace().map(OsString::from).chain(more.iter().cloned()).collect();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    super::parse(&typed, &Environment::of(variables), 100).map(|(cli, _)| cli)
}

#[track_caller]
fn import(parsed: Result<Cli, Refusal>) -> ImportArgs {
    match parsed.unwrap().command {
        Chosen::Import(args) => args.bulk,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn connection(parsed: Result<Cli, Refusal>) -> ConnectionArgs {
    import(parsed).send.connection
}

#[test]
fn what_is_typed_comes_before_the_environment_and_that_before_the_file() {
    let place = Place::with(
        "writes-per-minute = 111\nreads-per-minute = 222\ngive-up-after = \"3m\"\nmax-in-flight = 7\nprogress = \"json\"\n",
    );
    let variables =
        [("TENURE_READS_PER_MINUTE", "333"), ("TENURE_GIVE_UP_AFTER", "4m"), ("TENURE_PROGRESS", "")];
    let args = import(place.parse("tenure import rows.csv --give-up-after 5m", &variables));
    assert_eq!(args.send.pace.writes_per_minute, Some(111));
    assert_eq!(args.send.pace.reads_per_minute, Some(333));
    assert_eq!(args.send.pace.give_up_after.map(|time| time.as_secs()), Some(300));
    assert_eq!(args.send.pace.max_in_flight, Some(InFlight::Exactly(7)));
    assert_eq!(args.send.output.progress, ProgressMode::Json, "a variable that is empty is not there");
    let args = import(
        place
            .parse("tenure import rows.csv --no-config", &variables)
            .map_err(|_| ())
            .or_else(|()| parse("tenure import rows.csv --no-config", &variables, &[])),
    );
    assert_eq!((args.send.pace.writes_per_minute, args.send.pace.reads_per_minute), (None, Some(333)));
}

#[test]
fn the_file_is_named_beside_the_journal_or_in_the_environment() {
    let place = Place::with("writes-per-minute = 9\n");
    let journal = place.path("rows.db").display().to_string();
    for line in [format!("tenure import rows.csv --journal {journal}"), format!("tenure resume {journal}")] {
        let cli = parse(&line, &[], &[]).unwrap();
        let pace = match cli.command {
            Chosen::Import(args) => args.bulk.send.pace,
            Chosen::Resume(args) => args.send.pace,
            other => panic!("{other:?}"),
        };
        assert_eq!(pace.writes_per_minute, Some(9), "{line}");
    }
    let rate = |variables: &[(&str, &str)], more: &str| {
        import(parse(&format!("tenure import rows.csv {more}"), variables, &[])).send.pace.writes_per_minute
    };
    assert_eq!(rate(&[("TENURE_JOURNAL", &journal)], ""), Some(9));
    let file = place.path(FILE).display().to_string();
    assert_eq!(rate(&[("TENURE_CONFIG", &file)], ""), Some(9));
    assert_eq!(rate(&[("TENURE_CONFIG", &file)], "--no-config"), None);
    assert_eq!(rate(&[("TENURE_CONFIG", &file), ("TENURE_NO_CONFIG", "1")], ""), None);
    let missing = parse("tenure import rows.csv --config nowhere.toml", &[], &[]);
    assert!(
        matches!(missing, Err(Refusal::Given(problems)) if problems == ["--config nowhere.toml: there is no such file"])
    );
}

#[test]
fn what_belongs_to_a_command_is_its_own() {
    let place = Place::with(
        "[command.emulator]\nport = 8085\nwrites-per-minute = 60\n\n[command.rejects]\noutput = \"r.csv\"\n",
    );
    let Chosen::Emulator(args) = place.parse("tenure emulator", &[]).unwrap().command else { panic!() };
    assert_eq!((args.port, args.weather.writes_per_minute), (8085, 60));
    let variables = [("TENURE_EMULATOR_PORT", "9"), ("TENURE_WRITES_PER_MINUTE", "1")];
    let Chosen::Emulator(args) = place.parse("tenure emulator", &variables).unwrap().command else {
        panic!()
    };
    assert_eq!((args.port, args.weather.writes_per_minute), (9, 60));
    let Chosen::Rejects(args) = place.parse("tenure rejects rows.db", &[]).unwrap().command else { panic!() };
    assert_eq!(args.output, Some(place.path("r.csv")), "beside the file that names it");
    let args = import(place.parse("tenure import rows.csv", &[]));
    assert_eq!(args.send.pace.writes_per_minute, None);
}

#[test]
fn lists_switches_and_what_is_required() {
    let place =
        Place::with("domain = [\"a.example\", \"b.example\"]\nstandard-spaces = true\nskip-invalid = true\n");
    let args = import(place.parse("tenure import rows.csv", &[("TENURE_SKIP_INVALID", "no")]));
    assert_eq!(args.send.connection.capacity.domains, ["a.example", "b.example"]);
    assert!(args.send.connection.capacity.standard_spaces && !args.skip_invalid);
    let of_environment =
        connection(place.parse("tenure import rows.csv", &[("TENURE_DOMAIN", "c.example, d.example")]));
    assert_eq!(of_environment.capacity.domains, ["c.example", "d.example"]);
    let typed = connection(place.parse("tenure import rows.csv --domain e.example", &[]));
    assert_eq!(typed.capacity.domains, ["e.example"]);
    let login = place.parse("tenure login", &[("TENURE_CLIENT_SECRETS", "c.json")]).unwrap().command;
    assert!(matches!(login, Chosen::Login(args) if args.client_secrets == Path::new("c.json")));
    let missing = place.parse("tenure login", &[]);
    assert!(
        matches!(missing, Err(Refusal::Typed(error)) if error.kind() == ErrorKind::MissingRequiredArgument)
    );
}

/// Nothing that is set keeps anybody from typing what excludes it.
#[test]
fn what_excludes_what_is_nearer_is_left_aside() {
    let place = Place::with("credentials = \"key.json\"\nemulator = true\n");
    let typed = "tenure import rows.csv --sign-with s@p.example --endpoint http://127.0.0.1:1/";
    let args = import(place.parse(typed, &[("TENURE_TOKEN_COMMAND", "print-token")]));
    let connection = args.send.connection;
    assert_eq!((connection.credentials, connection.token_command, args.send.emulator), (None, None, false));
    assert_eq!(connection.sign_with.as_deref(), Some("s@p.example"));
    let variables = [
        ("TENURE_CREDENTIALS", "e.json"),
        ("TENURE_SIGN_WITH", "s@p.example"),
        ("TENURE_TOKEN_COMMAND", "print-token"),
    ];
    let connection = self::connection(place.parse("tenure import rows.csv", &variables));
    assert_eq!(connection.token_command.as_deref(), Some("print-token"));
    assert_eq!((connection.credentials, connection.sign_with), (None, None));
    let connection = self::connection(place.parse("tenure import rows.csv", &variables[..2]));
    assert_eq!((connection.credentials, connection.sign_with.is_some()), (None, true));
    let both = Place::with("credentials = \"key.json\"\nsign-with = \"s@p.example\"\n");
    assert_eq!(
        both.problems("tenure import rows.csv", &[]),
        ["tenure.toml:1: credentials and sign-with (tenure.toml:2) exclude each other: take one out"]
    );
    assert!(both.parse("tenure import rows.csv --credentials k.json", &[]).is_ok());
}

#[test]
fn everything_that_is_wrong_with_a_file() {
    let place = Place::with(
        r#"
writes-per-minut = 600
writes_per_minute = 600
port = 8085
colour = "green"
reads-per-minute = "many"
max-in-flight = [1, 2]
progress = "jsn"
emulator = "yes"
time-format = { kind = "epoch-s" }
give-up-after = 0x10
token-command = "print-token --secret hunter2"
credentials = "-----BEGIN PRIVATE KEY-----\nhunter2"
endpoint = "https://chat.example.com/"
journal = ""
config = "other.toml"
yes = true

[command]
import = 3

[command.rejetcs]
output = "a.csv"

[command.emulator]
prot = 1
credentials = "key.json"

[doctor]
json = true
"#,
    );
    let problems = place.problems("tenure status rows.db", &[]);
    insta::assert_snapshot!(problems.join("\n"));
    assert!(!problems.join("").contains("hunter2"));
}

#[test]
fn files_that_cannot_be_read() {
    for (text, story) in [
        (&b"writes-per-minute = 600\n\xff"[..], "tenure.toml: line 2 is not UTF-8; save the file as UTF-8"),
        (&b"\nwrites-per-minute 600\n"[..], "tenure.toml:2: it is not TOML ("),
        (&b"a = 1\na = 2\n"[..], "tenure.toml:2: it is not TOML ("),
        (&[b'#'; (1 << 20) + 1][..], "tenure.toml: it is longer than 1 MiB, so it is no file of settings"),
    ] {
        let place = Place::with("");
        fs::write(place.path(FILE), text).unwrap();
        let problems = place.problems("tenure status rows.db", &[]);
        assert!(matches!(&problems[..], [problem] if problem.starts_with(story)), "{problems:?}");
        assert!(place.parse("tenure completions bash", &[]).is_ok(), "what has no options reads no file");
    }
}

#[test]
fn everything_that_is_wrong_with_the_environment() {
    let place = Place::with("");
    let variables = [
        ("TENURE_WRITE_PER_MINUTE", "600"),
        ("TENURE_READS_PER_MINUTE", "-3"),
        ("TENURE_EMULATOR", "perhaps"),
        ("TENURE_STINTS", "merged"),
        ("TENURE_TIMEZONE", "Mars/Olympus"),
        ("TENURE_HOME", "/srv/somebody-elses"),
        ("TENURE_SCOPE", "chat.import"),
        ("TENURE_LOG", "debug"),
    ];
    insta::assert_snapshot!(place.problems("tenure status rows.db", &variables).join("\n"));
}

#[test]
fn the_file_of_the_documentation_is_one() {
    let page = include_str!("../../docs/configuration.md");
    let text = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let given = file::parse(Path::new(FILE), text, &cli::options(&PROGRAM)).unwrap();
    assert_eq!(given.len(), 7, "{given:?}");
}

proptest::proptest! {
    /// Whatever a file holds, each of its problems is about a line of it.
    #[test]
    fn no_file_ends_it_badly(lines in proptest::collection::vec("[a-z-]{0,12}( ?[=.\\[\\]] ?)[a-z0-9\"\\[\\]{},.é-]{0,12}", 0..8)) {
        let text = lines.join("\n");
        if let Err(problems) = file::parse(Path::new(FILE), &text, &cli::options(&PROGRAM)) {
            for problem in problems {
                let line = problem.split(':').nth(1).unwrap_or_default().parse::<usize>().unwrap_or(0);
                proptest::prop_assert!((1..=text.lines().count().max(1)).contains(&line), "{}", problem);
            }
        }
    }
}

/// What is set goes to the parser as a default; a value that it does not take would end the program badly.
#[test]
fn every_option_can_be_set() {
    let value = |arg: &clap::Arg| match arg.get_long().unwrap_or_default() {
        _ if fit::is_switch(arg) => "true".to_owned(),
        "timezone" => "Europe/Berlin".to_owned(),
        "endpoint" | "iam-endpoint" | "token-uri" => "http://127.0.0.1:1/".to_owned(),
        "create-time" | "delete-time" => "2021-03-05T09:30:00Z".to_owned(),
        "role" => "ROLE_MANAGER".to_owned(),
        "fault" => "error-after=0.05".to_owned(),
        "writes-per-minute-after" => "90s=600".to_owned(),
        "domain" => "example.com".to_owned(),
        "quota" => "bucket".to_owned(),
        "space" => "spaces/AAAA".to_owned(),
        "delegate" => "chat.import".to_owned(),
        _ => arg.get_possible_values().first().map_or("1".to_owned(), |value| value.get_name().to_owned()),
    };
    let program = cli::command();
    cli::walk(&program, &mut |path, command| {
        let Some(first) = path.first().filter(|_| !command.has_subcommands()) else { return };
        let named: Vec<(String, String)> = command
            .get_arguments()
            .filter_map(|arg| Some((Name::of(first, arg)?.variable(), value(arg))))
            .collect();
        let variables: Vec<(&str, &str)> = named.iter().map(|(name, value)| (&**name, &**value)).collect();
        match parse(&format!("tenure {}", path.join(" ")), &variables, &["--no-config".into()]) {
            Ok(_) => {}
            Err(Refusal::Typed(error)) if error.kind() == ErrorKind::MissingRequiredArgument => {}
            other => panic!("{}: {other:?}", path.join(" ")),
        }
    });
}

#[test]
fn the_table_fits_a_narrow_terminal() {
    let given = |option: &str, value: &str, origin| Given {
        name: Name { command: None, option: option.to_owned() },
        values: vec![value.to_owned()],
        origin,
    };
    let variable = |name: &str| Origin::Variable(name.to_owned());
    let file = Origin::File { path: "migrations/2026/tenure.toml".into(), line: 12 };
    let found = Found {
        given: vec![
            given("writes-per-minute", "600", variable("TENURE_WRITES_PER_MINUTE")),
            given("impersonate", "maria@example.com", variable("TENURE_IMPERSONATE")),
            given("credentials", "keys/import.json", file),
        ],
        ..Found::default()
    };
    let shown = |columns| Report::new(&PROGRAM, &found, None, &[]).without_unset().text(columns);
    for columns in [38, 58, 78] {
        let text = shown(columns);
        // One of the words has 39 columns itself.
        assert!(text.lines().all(|line| width(line) <= columns.max(6 + 39)), "{text}");
    }
    insta::assert_snapshot!(shown(58));
}
