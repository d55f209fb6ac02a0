//! Help texts are read before anything else: each is pinned.

use crate::support::Room;

fn help(args: &[&str]) -> String {
    let run = Room::new().tenure(args).expect(0);
    assert_eq!(run.err, "");
    let widest = run.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{}", run.out);
    run.out
}

#[test]
fn of_the_program() {
    insta::assert_snapshot!(help(&["help"]));
    let short = help(&["--help"]);
    assert_eq!(help(&["-h"]), short);
    assert!(short.ends_with("\n`tenure help COMMAND` says more about each, with examples.\n"), "{short}");
    for command in
        ["check", "plan", "import", "resume", "status", "rejects", "verify", "emulator", "completions"]
    {
        assert!(short.contains(&format!("\n  {command} ")), "{short}");
    }
}

#[test]
fn of_help() {
    for flag in ["-h", "--help"] {
        assert_eq!(help(&["help", flag]), help(&["help"]));
        assert_eq!(help(&["help", "help", flag]), help(&["help", "help"]));
        assert_eq!(help(&["help", "spaces", flag, "list"]), help(&["help", "spaces", "list"]));
        assert_eq!(help(&["spaces", "help", flag]), help(&["spaces", "help"]));
    }
    // Here it is a file, and the flag one of the command.
    assert_eq!(help(&["import", "help", "--help"]), help(&["import", "--help"]));
}

#[test]
fn of_check() {
    insta::assert_snapshot!(help(&["help", "check"]));
}

#[test]
fn of_plan() {
    insta::assert_snapshot!(help(&["help", "plan"]));
}

#[test]
fn of_import() {
    insta::assert_snapshot!(help(&["help", "import"]));
}

#[test]
fn of_import_in_short() {
    let short = help(&["import", "--help"]);
    assert_eq!(help(&["import", "-h"]), short);
    insta::assert_snapshot!(short);
}

#[test]
fn of_config() {
    insta::assert_snapshot!(help(&["help", "config"]));
}

#[test]
fn of_resume() {
    insta::assert_snapshot!(help(&["help", "resume"]));
}

#[test]
fn of_status() {
    insta::assert_snapshot!(help(&["help", "status"]));
}

#[test]
fn of_rejects() {
    insta::assert_snapshot!(help(&["help", "rejects"]));
}

#[test]
fn of_report() {
    insta::assert_snapshot!(help(&["help", "report"]));
}

#[test]
fn of_verify() {
    insta::assert_snapshot!(help(&["help", "verify"]));
}

#[test]
fn of_complete() {
    insta::assert_snapshot!(help(&["help", "complete"]));
}

#[test]
fn of_rollback() {
    insta::assert_snapshot!(help(&["help", "rollback"]));
}

#[test]
fn of_remove() {
    insta::assert_snapshot!(help(&["help", "remove"]));
}

#[test]
fn of_update() {
    insta::assert_snapshot!(help(&["help", "update"]));
}

#[test]
fn of_spaces_create() {
    insta::assert_snapshot!(help(&["help", "spaces", "create"]));
}

#[test]
fn of_spaces_list() {
    insta::assert_snapshot!(help(&["help", "spaces", "list"]));
}

#[test]
fn of_emulator() {
    insta::assert_snapshot!(help(&["help", "emulator"]));
}

#[test]
fn of_completions() {
    insta::assert_snapshot!(help(&["help", "completions"]));
}

#[test]
fn of_convert() {
    insta::assert_snapshot!(help(&["help", "convert", "slack"]));
}

/// What is copied from an example runs, however narrow the terminal is.
#[test]
fn of_commands_at_sixty_columns() {
    let run = Room::new().tenure_env(&["help", "import"], &[("COLUMNS", "60")]).expect(0);
    assert!(run.out.lines().all(|line| line.chars().count() <= 60), "{}", run.out);
    insta::assert_snapshot!(run.out.split("\nExamples:\n").last().unwrap());
}

/// What was probably meant is said; nothing is taken by itself.
#[test]
fn of_slips() {
    let room = Room::new();
    for (line, meant) in [
        (&["improt", "rows.csv"][..], "'import'"),
        (&["spaces", "lst", "j.db"], "'list'"),
        (&["import", "rows.csv", "--emulater"], "'--emulator'"),
        (&["import", "rows.csv", "--write-per-minute", "6"], "'--writes-per-minute'"),
        (&["import", "rows.csv", "--progress", "plian"], "'plain'"),
        (&["completions", "bsh"], "'bash'"),
    ] {
        let run = room.tenure(line).expect(2);
        assert!(run.err.contains("similar") && run.err.contains(meant), "{line:?}: {}", run.err);
    }
}

#[test]
fn of_convert_for_other_systems() {
    for system in ["matrix", "mattermost", "rocketchat", "teams", "zulip"] {
        let help = help(&["help", "convert", system]);
        // What comes then is the same for all.
        let own = help.split("\nOutput:").next().unwrap();
        insta::assert_snapshot!(format!("of_convert_{system}"), own);
    }
}
