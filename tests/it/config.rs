//! Settings that nobody typed: the environment and `tenure.toml`.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Room, SAMPLE, people};

/// What `tenure config` says of an option: its value, and where that stands.
fn told(room: &Room, args: &[&str], env: &[(&str, &str)], option: &str) -> (Value, Value) {
    let args = [&["config", "--json"], args].concat();
    let run = room.tenure_env(&args, env).expect(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let settings = report["settings"].as_array().unwrap();
    let setting = settings.iter().find(|setting| setting["option"] == option).unwrap();
    (setting["value"].clone(), setting["at"].clone())
}

#[test]
fn a_run_goes_by_them_and_its_journal_remembers() {
    let room = Room::new();
    room.write("rows.csv", people(3, 1));
    room.write(
        "tenure.toml",
        "emulator = true\nwrites-per-minute = 111\nreads-per-minute = 222\njournal = \"j.db\"\n",
    );
    let env = [("TENURE_READS_PER_MINUTE", "333"), ("TENURE_JOURNAL_ONLY", "1")];
    room.tenure_env(&["import", "rows.csv", "--give-up-after", "5m"], &env)
        .expect(0)
        .says(&["3 rows journaled in j.db"]);
    assert!(room.file("j.db").exists() && !room.file("rows.csv.journal.db").exists());
    for (option, value) in
        [("writes-per-minute", "111"), ("reads-per-minute", "333"), ("give-up-after", "5m")]
    {
        let remembered = told(&room, &["--no-config", "j.db"], &[], option);
        assert_eq!(remembered, (value.into(), "journal".into()));
    }
    let nearer = told(&room, &["j.db"], &[("TENURE_READS_PER_MINUTE", "4")], "reads-per-minute");
    assert_eq!(nearer, ("4".into(), "TENURE_READS_PER_MINUTE".into()));
    assert_eq!(told(&room, &[], &[], "writes-per-minute"), ("111".into(), "tenure.toml:2".into()));
    assert_eq!(told(&room, &["--no-config"], &[], "emulator"), (false.into(), Value::Null));
}

#[test]
fn the_screen() {
    let room = Room::new();
    room.write(
        "tenure.toml",
        "impersonate = \"admin@example.com\"\ncredentials = \"keys/import.json\"\ndomain = [\"a.example\", \"b.example\"]\n\n\
         [command.emulator]\nport = 8085\n",
    );
    let env =
        [("TENURE_WRITES_PER_MINUTE", "600"), ("TENURE_TOKEN_COMMAND", "SECRET=hunter2 print-token hunter2")];
    let run = room.tenure_env(&["config"], &env).expect(0);
    assert!(!run.said().contains("hunter2"), "{}", run.said());
    insta::assert_snapshot!(run.out);
}

#[test]
fn a_slip_stops_everything_before_it_begins() {
    let room = Room::new();
    room.write("tenure.toml", "# settings\nwrites-per-minut = 600\n");
    let run = room.tenure(&["import", SAMPLE, "--emulator"]).expect(2);
    assert_eq!(run.out, "");
    assert_eq!(
        run.err,
        "error: tenure.toml:2: writes-per-minut: there is no such setting; did you mean writes-per-minute?\n"
    );
    room.tenure_env(&["check", SAMPLE, "--no-config"], &[("TENURE_STANDARD_SPACE", "1")]).expect(2).says(&[
        "error: TENURE_STANDARD_SPACE is no setting: did you mean TENURE_STANDARD_SPACES? Rename it, or unset it",
    ]);
    room.write("tenure.toml", "[command.emulator]\nport = \"x\"\n");
    let run = room.tenure(&["emulator"]).expect(2);
    assert_eq!(
        run.err,
        "error: tenure.toml:2: emulator port: \"x\": write a port, from 1 to 65535; 0 takes a free one\n"
    );
    assert_eq!(room.files(), ["tenure.toml"]);
    // Help is there whatever the file says.
    room.tenure(&["import", "--help"]).expect(0);
    room.tenure(&["completions", "bash"]).expect(0);
}

/// The file may have come with somebody else's archive: whoever looks sees that it counts, and what for.
#[test]
fn a_terminal_is_told_what_comes_from_the_file() {
    let room = Room::new();
    room.write("rows.csv", people(1, 1));
    room.write("tenure.toml", "domain = [\"a.example\"]\nwrites-per-minute = 1\n");
    let check = ["check", "rows.csv"];
    assert!(!room.tenure(&check).expect(0).said().contains("tenure.toml"), "not where nobody looks");
    let line = format!("{} {}", env!("CARGO_BIN_EXE_tenure"), check.join(" "));
    let pty = Command::new("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .current_dir(room.path())
        .stdin(Stdio::null())
        .output();
    // Not every machine has script(1).
    let Ok(output) = pty else { return };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("from tenure.toml: domain\r\n"), "{shown:?}");
}
