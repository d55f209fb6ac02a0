//! What the program prints about itself for others to use: completions, manual pages, the reference.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::Room;

/// A program of the machine, if it has that.
fn on_this_machine(program: &str, args: &[&str], file: &Path) -> Option<Output> {
    match Command::new(program).args(args).arg(file).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            None
        }
    }
}

#[test]
fn completions_name_every_command_and_parse() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = room.tenure(&["completions", shell]).expect(0);
        for word in ["check", "import", "resume", "status", "rejects", "emulator", "config", "skip-invalid"] {
            assert!(run.out.contains(word), "{shell} knows nothing of {word}");
        }
        assert_eq!(run.err, "");
        let script = room.write(shell, run.out);
        if let Some(output) = on_this_machine(shell, &["-n"], &script).filter(|_| shell != "powershell") {
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// What bash offers after a line, with this program's script.
#[test]
fn bash_completes() {
    let room = Room::new();
    let script = room.write("tenure.bash", room.tenure(&["completions", "bash"]).expect(0).out);
    let offered = |words: &str, last: &str| {
        let ask = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _tenure tenure '{last}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let output = Command::new("bash").args(["--norc", "-c", &ask]).output().ok()?;
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(commands) = offered("tenure imp", "imp") else { return };
    assert_eq!(commands, "import\n");
    assert_eq!(
        offered("tenure import --writes-per-minute-per", "--writes-per-minute-per").unwrap(),
        "--writes-per-minute-per-space\n"
    );
    assert_eq!(offered("tenure spaces cr", "cr").unwrap(), "create\n");
}

#[test]
fn a_page_for_every_command() {
    let room = Room::new();
    let run = room.tenure(&["man", "--output", "pages"]).expect(0);
    assert!(run.err.ends_with(" written to pages\n"), "{}", run.err);
    let mut count = 0;
    for entry in std::fs::read_dir(room.file("pages")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXAMPLES"] {
            assert!(page.contains(section), "{} has no {section}", path.display());
        }
        for (program, args) in
            [("man", &["--warnings", "-l", "-Tutf8"][..]), ("mandoc", &["-T", "lint", "-W", "error"][..])]
        {
            // A page a program is enough of the slow one.
            if program == "man" && path.file_name().unwrap() != "tenure-import.1" {
                continue;
            }
            if let Some(output) = on_this_machine(program, args, &path) {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{program} {}: {said}", path.display());
            }
        }
        count += 1;
    }
    assert!(run.err.starts_with(&format!("{count} pages ")), "{}", run.err);
    let import = room.tenure(&["man", "import"]).expect(0);
    assert_eq!(import.out, room.read("pages/tenure-import.1"));
    assert!(import.out.contains("TENURE_WRITES_PER_MINUTE"), "{}", import.out);
    assert_eq!(room.tenure(&["man"]).expect(0).out, room.read("pages/tenure.1"));
    let slip = room.tenure(&["man", "spaces", "craete"]).expect(2);
    slip.says(&["there is no command `spaces craete`; did you mean `spaces create`?"]);
}

/// `docs/cli.md` is what the program says of itself. After a change: `INSTA_UPDATE=always cargo test --test it pages`.
#[test]
fn the_reference_is_that_of_this_program() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let printed = Room::new().tenure(&["reference"]).expect(0).out;
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        std::fs::write(&page, &printed).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    let differs = printed.lines().zip(written.lines()).find(|(printed, written)| printed != written);
    assert!(printed == written, "docs/cli.md is stale (`tenure reference` prints it anew): {differs:?}");
}

#[test]
fn what_version_it_is() {
    let room = Room::new();
    let number = env!("CARGO_PKG_VERSION");
    assert_eq!(room.tenure(&["-V"]).expect(0).out, format!("tenure {number}\n"));
    let long = room.tenure(&["--version"]).expect(0).out;
    assert!(long.starts_with(&format!("tenure {number}\ncommit ")), "{long}");
    assert!(long.contains("\nbuild ") && long.contains("\nfeatures "), "{long}");
}

#[test]
fn exit_codes_are_told_alike() {
    let help = Room::new().tenure(&["help"]).expect(0).out;
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md")).unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "130"] {
        assert!(help.contains(&format!("\n  {code:<4} ")), "help says nothing of {code}");
        assert!(page.contains(&format!("\n| {code} |")), "docs/exit-codes.md says nothing of {code}");
    }
}
