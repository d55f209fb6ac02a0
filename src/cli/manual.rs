//! Manual pages, one a command, made from the command line's own definition.

use std::io::{self, Write as _};

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::command;
use super::naming::walk;
use super::parts::{Part, parts};
use super::reference::is_listed;
use super::typed::values;
use super::version;

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
    let (version, date) = (env!("CARGO_PKG_VERSION"), date(version::EPOCH));
    writeln!(text, ".TH {} 1 \"{date}\" \"tenure {version}\" \"tenure manual\"", title(path))?;
    man.render_name_section(&mut text)?;
    synopsis(path, command).to_writer(&mut text)?;
    man.render_description_section(&mut text)?;
    let mut options = Vec::new();
    man.render_options_section(&mut options)?;
    // clap_mangen puts an empty line between two breaks, which is one paragraph too many to a lint.
    text.extend(String::from_utf8_lossy(&options).replace(".br\n\n.br\n", ".sp\n").into_bytes());
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

/// The day in UTC of so many seconds since 1970, or nothing.
fn date(epoch: &str) -> String {
    let second = epoch.parse().ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    second.map(|second| second.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// How the command is called: every option with its value, never torn from it at the end of a line.
fn synopsis(path: &[&str], command: &Command) -> Roff {
    let mut page = Roff::default();
    let name = [&["tenure"], path].concat().join(" ");
    page.control("SH", ["SYNOPSIS"]).control("SY", [escaped(&name).as_str()]);
    let is_global = |arg: &&Arg| arg.is_global_set() && path.is_empty() && arg.get_long() != Some("help");
    for option in command.get_arguments().filter(|arg| !arg.is_positional()) {
        if !is_listed(option) && !is_global(&option) {
            continue;
        }
        let Some(long) = option.get_long() else { continue };
        let short = option.get_short().map(|short| format!("-{short}|")).unwrap_or_default();
        let (typed, value) = (format!("{short}--{long}"), values(option));
        if option.is_required_set() {
            page.text([bold(typed), roman(" "), italic(value.unwrap_or_default())]);
        } else {
            let (typed, value) = (escaped(&typed), value.map(|value| escaped(&value)));
            page.control("OP", [typed.as_str()].into_iter().chain(value.as_deref()));
        }
    }
    for argument in command.get_positionals().filter(|arg| is_listed(arg)) {
        let Some(value) = values(argument) else { continue };
        if argument.is_required_set() {
            page.text([italic(value)]);
        } else {
            page.text([roman("["), italic(value), roman("]")]);
        }
    }
    if command.has_subcommands() {
        page.text([italic("COMMAND")]);
    }
    page.control("YS", []);
    page
}

/// A macro's argument: of what stands in it, hyphens alone mean something else to roff.
fn escaped(argument: &str) -> String {
    argument.replace('-', "\\-")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_a_build() {
        assert_eq!(date("1582934400"), "2020-02-29");
        assert_eq!(date(""), "");
    }

    #[test]
    fn every_option_that_takes_a_value_has_it_in_the_synopsis() {
        let mut program = command().disable_help_subcommand(true);
        program.build();
        walk(&program, &mut |path, command| {
            let text = synopsis(path, command).to_roff();
            let plain = text.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
            for option in command.get_arguments().filter(|arg| is_listed(arg) && arg.get_long().is_some()) {
                let (long, value) = (format!("--{}", option.get_long().unwrap()), values(option));
                let typed = escaped(&value.map_or(long.clone(), |value| format!("{long} {value}")));
                let line = plain.lines().find(|line| line.ends_with(&typed));
                let line = line.unwrap_or_else(|| panic!("{path:?} has no {typed}:\n{text}"));
                assert_eq!(line.starts_with(".OP "), !option.is_required_set(), "{path:?}: {line}");
            }
        });
        let import = program.find_subcommand("import").unwrap();
        let text = synopsis(&["import"], import).to_roff();
        assert!(text.contains("\n.OP \\-\\-spaces MAP.csv\n"), "{text}");
        assert!(text.contains("\n\\fIINPUT...\\fR\n"), "{text}");
    }
}
