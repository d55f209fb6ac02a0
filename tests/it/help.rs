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
    insta::assert_snapshot!(help(&["--help"]));
    let short = help(&["-h"]);
    assert_eq!(help(&["help"]), help(&["--help"]));
    for command in
        ["check", "plan", "import", "resume", "status", "rejects", "verify", "emulator", "completions"]
    {
        assert!(short.contains(&format!("\n  {command} ")), "{short}");
    }
}

#[test]
fn of_check() {
    insta::assert_snapshot!(help(&["check", "--help"]));
}

#[test]
fn of_plan() {
    insta::assert_snapshot!(help(&["plan", "--help"]));
}

#[test]
fn of_import() {
    insta::assert_snapshot!(help(&["import", "--help"]));
}

#[test]
fn of_import_in_short() {
    insta::assert_snapshot!(help(&["import", "-h"]));
}

#[test]
fn of_config() {
    insta::assert_snapshot!(help(&["config", "--help"]));
    assert_eq!(help(&["help", "config"]), help(&["config", "--help"]));
}

#[test]
fn of_resume() {
    insta::assert_snapshot!(help(&["resume", "--help"]));
}

#[test]
fn of_status() {
    insta::assert_snapshot!(help(&["status", "--help"]));
}

#[test]
fn of_rejects() {
    insta::assert_snapshot!(help(&["rejects", "--help"]));
}

#[test]
fn of_report() {
    insta::assert_snapshot!(help(&["report", "--help"]));
}

#[test]
fn of_verify() {
    insta::assert_snapshot!(help(&["verify", "--help"]));
}

#[test]
fn of_complete() {
    insta::assert_snapshot!(help(&["complete", "--help"]));
}

#[test]
fn of_rollback() {
    insta::assert_snapshot!(help(&["rollback", "--help"]));
}

#[test]
fn of_remove() {
    insta::assert_snapshot!(help(&["remove", "--help"]));
}

#[test]
fn of_update() {
    insta::assert_snapshot!(help(&["update", "--help"]));
}

#[test]
fn of_spaces_create() {
    insta::assert_snapshot!(help(&["spaces", "create", "--help"]));
}

#[test]
fn of_spaces_list() {
    insta::assert_snapshot!(help(&["spaces", "list", "--help"]));
}

#[test]
fn of_emulator() {
    insta::assert_snapshot!(help(&["emulator", "--help"]));
}

#[test]
fn of_completions() {
    insta::assert_snapshot!(help(&["completions", "--help"]));
}

#[test]
fn of_convert() {
    insta::assert_snapshot!(help(&["convert", "slack", "--help"]));
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
        let help = help(&["convert", system, "--help"]);
        // What comes then is the same for all.
        let own = help.split("\nOutput:").next().unwrap();
        insta::assert_snapshot!(format!("of_convert_{system}"), own);
    }
}
