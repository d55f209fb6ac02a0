//! Shell completion.

use crate::support::Room;

#[test]
fn they_name_every_command() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = room.tenure(&["completions", shell]).expect(0);
        for word in
            ["check", "import", "resume", "status", "rejects", "emulator", "completions", "skip-invalid"]
        {
            assert!(run.out.contains(word), "{shell} knows nothing of {word}");
        }
        assert_eq!(run.err, "");
    }
}

#[test]
fn bash_takes_its_script() {
    let room = Room::new();
    let run = room.tenure(&["completions", "bash"]).expect(0);
    let script = room.write("tenure.bash", run.out);
    match std::process::Command::new("bash").arg("-n").arg(script).status() {
        Ok(status) => assert!(status.success()),
        // Not every machine has one.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}
