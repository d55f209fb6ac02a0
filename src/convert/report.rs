//! What came of a conversion, for people and for scripts. Text from values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::fact::Standing;
use super::gather::Gathered;
use super::outcome::{Converted, Space, evidence};
use crate::model::DISPLAY_NAME_CHARS_MAX;
use crate::wording::{many, quoted, shorten};

/// Channels that are shown, those with most stints first; `--json` has all.
const SHOWN_MAX: usize = 20;

/// People without an address that are shown.
const NAMELESS_MAX: usize = 10;

/// What the list of people without an address is called among the files that were written.
pub const NO_ADDRESS: &str = "no address";

/// What is told at the end.
#[derive(Debug)]
pub struct Report<'a> {
    /// Which system it was.
    pub system: &'static str,
    /// What was gathered.
    pub gathered: &'a Gathered,
    /// What became of it.
    pub converted: &'a Converted,
    /// How many files could not be read, or not to their end.
    pub problems: u64,
    /// What was written: what it is, and the file.
    pub written: Vec<(&'static str, String)>,
}

/// What there is to say of the rows of a channel, or of all.
#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    members: u64,
    stints: u64,
    open: u64,
    recorded: u64,
    inferred: u64,
    dropped: u64,
}

impl Figures {
    fn of(space: &Space) -> Figures {
        let mut figures = Figures { dropped: space.dropped, ..Figures::default() };
        let mut last = None;
        for row in &space.rows {
            figures.stints += 1;
            // The rows of a member are neighbours.
            figures.members += u64::from(last.replace(&row.member) != Some(&row.member));
            figures.open += u64::from(row.stint.end.is_none());
            *if row.stint.is_guess() { &mut figures.inferred } else { &mut figures.recorded } += 1;
        }
        figures
    }

    fn json(&self) -> Value {
        json!({
            "members": self.members, "stints": self.stints, "open": self.open,
            "recorded": self.recorded, "inferred": self.inferred, "dropped": self.dropped,
        })
    }
}

impl Report<'_> {
    /// Whether something is missing that should not be.
    pub fn is_partial(&self) -> bool {
        self.problems > 0 || !self.converted.nameless.is_empty()
    }

    fn total(&self) -> Figures {
        let mut total = Figures::default();
        for space in &self.converted.spaces {
            let figures = Figures::of(space);
            total.stints += figures.stints;
            total.open += figures.open;
            total.recorded += figures.recorded;
            total.inferred += figures.inferred;
            total.dropped += figures.dropped;
        }
        let rows = self.converted.spaces.iter().flat_map(|space| &space.rows);
        let mut members: Vec<_> = rows.map(|row| &row.member).collect();
        members.sort_unstable();
        members.dedup();
        total.members = members.len() as u64;
        total
    }

    /// How many stints are of guests and of people from outside.
    fn outside(&self) -> [(Standing, u64); 2] {
        [Standing::Guest, Standing::External].map(|standing| {
            let rows = self.converted.spaces.iter().flat_map(|space| &space.rows);
            (standing, rows.filter(|row| row.standing == standing).count() as u64)
        })
    }

    fn evidence(&self) -> (BTreeMap<&'static str, u64>, BTreeMap<&'static str, u64>) {
        let (starts, ends) = evidence(self.converted.spaces.iter().flat_map(|space| &space.rows));
        (
            starts.into_iter().map(|(start, count)| (start.as_str(), count)).collect(),
            ends.into_iter().map(|(end, count)| (end.as_str(), count)).collect(),
        )
    }

    /// One JSON object.
    pub fn json(&self) -> Value {
        let (starts, ends) = self.evidence();
        let converted = self.converted;
        let channels: Vec<Value> = converted
            .spaces
            .iter()
            .map(|space| {
                let mut line = Figures::of(space).json();
                line["name"] = json!(space.name);
                line["id"] = json!(space.fact.id);
                line["createTime"] = json!(space.begun.to_string());
                line
            })
            .collect();
        let nameless: Vec<Value> = converted
            .nameless
            .iter()
            .map(|person| json!({ "id": person.id, "name": person.name, "stints": person.stints }))
            .collect();
        let shortened: Vec<Value> =
            self.shortened().map(|space| json!({ "name": space.name, "displayName": space.title })).collect();
        let [(_, guests), (_, externals)] = self.outside();
        json!({
            "system": self.system,
            "events": self.gathered.events,
            "total": self.total().json(),
            "createEvidence": starts,
            "deleteEvidence": ends,
            "channels": channels,
            "withoutAddress": nameless,
            "shortened": shortened,
            "guests": guests,
            "externals": externals,
            "leftOut": {
                "bots": converted.of_bots, "repeated": converted.repeated,
                "outside": converted.outside, "merged": converted.merged,
            },
            "ignored": self.gathered.ignored,
            "problems": self.problems,
            "files": self.written.iter().map(|(what, file)| ((*what).to_owned(), json!(file))).collect::<serde_json::Map<_, _>>(),
        })
    }

    /// What an operator reads.
    pub fn text(&self) -> String {
        let total = self.total();
        let mut text = format!(
            "{} of {} in {}: {} recorded, {} with an end that is inferred; {} open (still members).\n",
            many(total.stints, "stint"),
            people(total.members),
            many(self.converted.spaces.len() as u64, "channel"),
            total.recorded,
            total.inferred,
            total.open
        );
        if total.dropped > 0 {
            let _ =
                writeln!(text, "{} with a guess left out (--only-recorded).", many(total.dropped, "stint"));
        }
        let _ = write!(text, "\n{}", self.channels());
        let (starts, ends) = self.evidence();
        text += &list("where stints begin", &starts);
        text += &list("where they end", &ends);
        text += &list("passed over", &self.passed_over());
        text += &self.nameless();
        let outside: Vec<String> = self
            .outside()
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(standing, count)| format!("{} of {}s", many(*count, "stint"), standing.as_str()))
            .collect();
        if !outside.is_empty() {
            let _ = writeln!(
                text,
                "\nFrom outside: {}. Chat takes them only after their space is completed.",
                outside.join(", ")
            );
        }
        text += &self.shortened_names();
        if self.problems > 0 {
            let _ = writeln!(
                text,
                "\n{}, named on standard error with what to do: what is named is left out or guessed, all else is converted.",
                many(self.problems, "problem")
            );
        }
        text.push('\n');
        for (what, file) in &self.written {
            let of_nobody = *what == NO_ADDRESS && self.converted.nameless.is_empty();
            let note = if of_nobody { " (nobody: it has a header alone)" } else { "" };
            let _ = writeln!(text, "{what:<12}{file}{note}");
        }
        let channels = self.written.iter().find(|(what, _)| *what == "channels");
        if let Some((_, channels)) = channels.filter(|_| !self.is_partial()) {
            let _ = writeln!(text, "next        tenure spaces create {}", quoted(channels));
        }
        text
    }

    /// Those whose names are longer than Chat takes.
    fn shortened(&self) -> impl Iterator<Item = &Space> {
        self.converted.spaces.iter().filter(|space| space.is_shortened())
    }

    fn shortened_names(&self) -> String {
        let Some(space) = self.shortened().next() else { return String::new() };
        format!(
            "\n{} longer than the {DISPLAY_NAME_CHARS_MAX} characters that Chat takes: displayName has the beginning alone. For \
             one, {} has {}.\n",
            match self.shortened().count() {
                1 => "1 channel has a name that is".to_owned(),
                count => format!("{count} channels have names that are"),
            },
            shorten(&space.name, 40),
            many(space.name.chars().count() as u64, "character"),
        )
    }

    fn passed_over(&self) -> BTreeMap<&'static str, u64> {
        let mut passed = self.gathered.ignored.clone();
        let converted = self.converted;
        for (what, count) in [
            ("stints of bots (--bots takes those with an address)", converted.of_bots),
            ("joins and leaves written twice", converted.repeated),
            ("times that somebody from outside a channel answered in its threads", converted.outside),
            ("stints that two accounts of one person share", converted.merged),
        ] {
            if count > 0 {
                passed.insert(what, count);
            }
        }
        passed
    }

    fn channels(&self) -> String {
        let mut lines: Vec<(&str, Figures)> =
            self.converted.spaces.iter().map(|space| (space.name.as_str(), Figures::of(space))).collect();
        lines.sort_unstable_by(|(a, one), (b, other)| other.stints.cmp(&one.stints).then(a.cmp(b)));
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["channel", "members", "stints", "recorded", "inferred", "open"]);
        for (name, figures) in lines.iter().take(SHOWN_MAX) {
            let number = |count: u64| Cell::new(count).set_alignment(CellAlignment::Right);
            table.add_row([
                Cell::new(shorten(name, 40)),
                number(figures.members),
                number(figures.stints),
                number(figures.recorded),
                number(figures.inferred),
                number(figures.open),
            ]);
        }
        let mut text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        if lines.len() > SHOWN_MAX {
            let _ = writeln!(text, " and {} more; --json has all", lines.len() - SHOWN_MAX);
        }
        text
    }

    fn nameless(&self) -> String {
        let nameless = &self.converted.nameless;
        if nameless.is_empty() {
            return String::new();
        }
        let stints = nameless.iter().map(|person| person.stints).sum();
        let mut text = format!(
            "\n{} without an address, whose {} left out:\n",
            people(nameless.len() as u64),
            match stints {
                1 => "1 stint is".to_owned(),
                stints => format!("{stints} stints are"),
            }
        );
        for person in nameless.iter().take(NAMELESS_MAX) {
            let name = if person.name.is_empty() { "no name" } else { &person.name };
            let _ = writeln!(
                text,
                "  {:<12} {} ({})",
                person.id,
                shorten(name, 40),
                many(person.stints, "stint")
            );
        }
        if nameless.len() > NAMELESS_MAX {
            let _ = writeln!(text, "  and {} more", nameless.len() - NAMELESS_MAX);
        }
        text += "Name them in a table (columns id, member) and give it with --users; --missing FILE begins one.\n";
        text += "Whoever has no account with Google stays without a member there, and is left out again.\n";
        text
    }
}

fn people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

fn list(title: &str, counts: &BTreeMap<&'static str, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut lines: Vec<_> = counts.iter().collect();
    lines.sort_unstable_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut text = format!("\n{title}\n");
    for (what, count) in lines {
        let _ = writeln!(text, "{count:>8}  {what}");
    }
    text
}
