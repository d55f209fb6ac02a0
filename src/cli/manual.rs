//! Manual pages, one a command, made from the command line's own definition.

use std::io::{self, Write as _};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::command;
use super::naming::walk;
use super::parts::{Part, parts};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The words after `tenure`; none: the program's own page.
    pub command: Vec<String>,
    /// The page, for `man`.
    pub text: Vec<u8>,
}

impl Page {
    /// `tenure-spaces-create.1`.
    pub fn file_name(&self) -> String {
        format!("{}.1", title(&self.command))
    }
}

fn title(words: &[impl AsRef<str>]) -> String {
    let mut title = "tenure".to_owned();
    for word in words {
        title.push('-');
        title.push_str(word.as_ref());
    }
    title
}

/// Every page.
///
/// # Errors
/// None: they are written to memory.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    let mut written = Ok(());
    walk(&program, &mut |path, command| {
        if written.is_err() || command.is_hide_set() {
            return;
        }
        match page(path, command) {
            Ok(text) => {
                pages.push(Page { command: path.iter().map(|&word| word.to_owned()).collect(), text })
            }
            Err(error) => written = Err(error),
        }
    });
    written.map(|()| pages)
}

fn page(path: &[&str], command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    // By hand, since an empty date has to stand there as one.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(text, ".TH {} 1 \"\" \"tenure {version}\" \"tenure manual\"", title(path))?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut rest = Roff::default();
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut notes = Vec::new();
    for part in parts(&help) {
        match part {
            Part::Verbatim(heading, lines) => {
                rest.control("SH", [section(heading)]).control("nf", []);
                for line in lines.lines() {
                    rest.text([roman(line)]);
                }
                rest.control("fi", []);
            }
            Part::Paragraph(paragraph) => notes.push(paragraph),
        }
    }
    if !notes.is_empty() {
        rest.control("SH", ["NOTES"]);
        for (place, note) in notes.into_iter().enumerate() {
            if place > 0 {
                rest.control("PP", []);
            }
            rest.text([roman(note)]);
        }
    }
    if path.is_empty() {
        surroundings(&mut rest);
    } else {
        rest.control("SH", ["SEE ALSO"]).text([bold("tenure"), roman("(1)")]);
    }
    rest.to_writer(&mut text)?;
    Ok(text)
}

fn section(heading: &str) -> &str {
    match heading {
        "Examples" => "EXAMPLES",
        "Exit codes" => "EXIT STATUS",
        other => other,
    }
}

/// What the program's own page says of files and variables.
fn surroundings(page: &mut Roff) {
    page.control("SH", ["ENVIRONMENT"]).text([roman(
        "Each option has a variable, which its command's page names. TENURE_LOG=debug shows what happens on the way to \
         Google. GOOGLE_APPLICATION_CREDENTIALS names a key file where nothing else does.",
    )]);
    page.control("SH", ["FILES"]);
    for (file, meaning) in [
        ("<input name>.journal.db", "The journal of a run: every row, and what became of it."),
        ("tenure.toml", "Settings, beside the journal or in the current folder; see tenure-config(1)."),
        ("~/.config/tenure/login.json", "What tenure login has left."),
    ] {
        page.control("TP", []).text([bold(file)]).text([roman(meaning)]);
    }
}
