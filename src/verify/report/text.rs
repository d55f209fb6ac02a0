//! For people: a verdict, a line a space, the first differences, figures, and what could not be seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{About, Ending, Line, Report, SpaceOutcome, next_command};
use crate::model::{SpaceName, Span};
use crate::verify::{Counts, Finding, Kind};
use crate::wording::{COLUMNS, many, sentence, shorten, span as long, width, wrapped};

/// The kinds as a person reads them.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Missing => "missing",
        Kind::Unexpected => "unexpected",
        Kind::Different => "different",
        Kind::Doubled => "doubled",
        Kind::Role => "other role",
        Kind::Rejected => "reject held",
        Kind::Untold => "not told",
        Kind::Before => "before",
        Kind::Apart => "apart",
    }
}

/// How many spaces are named that share a reason.
const NAMED_MAX: usize = 3;

/// How much of a space's title stands in the table.
const TITLE_CHARS_MAX: usize = 28;

/// Everything that a person reads at the end, in so many columns; sentences in no more than are read with ease.
pub fn text(report: &Report, ending: &Ending, elapsed: Duration, columns: usize) -> String {
    let table = table(report, columns);
    let columns = columns.min(COLUMNS);
    let mut text = verdict(report, ending, elapsed, columns);
    if !report.lines.is_empty() {
        let _ = write!(text, "\n{table}");
    }
    text += &unseen(report, columns);
    let mut last: Option<&SpaceName> = None;
    for (space, finding) in &report.shown {
        if last.replace(space) != Some(space) {
            let _ = write!(text, "\n{}\n", report.told(space));
        }
        text += &lines_of(report, finding, columns);
    }
    if report.hidden > 0 {
        let all = if report.about.csv { "the CSV has all" } else { "--csv FILE has all" };
        let _ = write!(text, "\n  and {} more; {all}\n", report.hidden);
    }
    let _ = write!(text, "\n{}", counts(&report.totals));
    let spots = report.blind_spots();
    if !spots.is_empty() {
        text.push('\n');
    }
    for spot in spots {
        let _ = writeln!(text, "  {}", wrapped(&spot, columns - 2).replace('\n', "\n  "));
    }
    let _ = write!(text, "\njournal   {}\n", report.about.journal);
    if let Some(remedy) = &report.remedy {
        let _ = writeln!(text, "do        {}", wrapped(remedy, columns - 10).replace('\n', "\n          "));
    }
    if *ending == Ending::Whole {
        text += &next(report).map_or(String::new(), |command| format!("next      {command}\n"));
    }
    text
}

/// What is typed after all of a journal that is at rest was found as it should be.
fn next(report: &Report) -> Option<String> {
    let About { journal, needs, running, rejected, .. } = &report.about;
    let is_over = !running && report.totals.unsettled == 0;
    if !is_over || report.differs() || report.any_failed() || report.checked() == 0 {
        return None;
    }
    Some(next_command(report.present_spaces == report.checked(), *rejected, journal, (*needs)?))
}

/// The spaces that could not be listed, by the reason.
fn unseen(report: &Report, columns: usize) -> String {
    let mut reasons: BTreeMap<&str, Vec<&SpaceName>> = BTreeMap::new();
    for line in &report.lines {
        if let Some(why) = line.outcome.why() {
            reasons.entry(why).or_default().push(&line.name);
        }
    }
    let mut text = String::new();
    for (why, spaces) in reasons {
        let named: Vec<String> = spaces.iter().take(NAMED_MAX).map(|name| report.told(name)).collect();
        let more = match spaces.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let story = format!("{}{more} could not be listed: {why}", named.join(", "));
        let _ = write!(text, "\n{}\n", wrapped(&story, columns).replace('\n', "\n  "));
    }
    text
}

fn verdict(report: &Report, ending: &Ending, elapsed: Duration, columns: usize) -> String {
    let place = if report.about.rehearsal { " (rehearsal: nothing has left this machine)" } else { "" };
    let seen = match report.about.spaces_total {
        1 => format!("{} of 1 space", report.checked()),
        total => format!("{} of {total} spaces", report.checked()),
    };
    let found = || {
        let kinds = Kind::ALL.iter().filter(|kind| kind.is_difference());
        let some = kinds.map(|kind| (report.totals.of(*kind), word(*kind))).filter(|(count, _)| *count > 0);
        let list: Vec<String> = some.map(|(count, word)| format!("{count} {word}")).collect();
        if list.is_empty() { "a space that Chat does not show".to_owned() } else { list.join(", ") }
    };
    let story = match ending {
        Ending::Interrupted => format!("Interrupted{place}: {seen} were compared."),
        Ending::Stopped(story) => format!("Stopped{place}: {} {seen} were compared.", sentence(story)),
        Ending::Whole if report.any_failed() => {
            format!("Not all could be seen{place}: {seen} were compared.")
        }
        Ending::Whole if report.differs() => {
            format!(
                "Chat and the journal differ{place}: {}; {seen} were compared in {}.",
                found(),
                long(elapsed)
            )
        }
        Ending::Whole => format!(
            "Chat lists what the journal says{place}: {}, {seen}, compared in {}.",
            many(report.totals.matching, "row"),
            long(elapsed)
        ),
    };
    let differs = match ending {
        Ending::Whole if !report.any_failed() => String::new(),
        _ if report.differs() => format!("So far they differ: {}.\n", found()),
        _ => String::new(),
    };
    format!("{}\n{differs}", wrapped(&story, columns))
}

/// The table's columns of figures: a heading, and what stands below it.
type Column = (&'static str, fn(&Counts) -> u64);

/// Those that are always there.
const ALWAYS: usize = 2;

const TABLE: [Column; 14] = [
    ("LISTED", |counts| counts.listed),
    ("MATCHING", |counts| counts.matching),
    ("MISSING", |counts| counts.missing),
    ("UNEXPECTED", |counts| counts.unexpected),
    ("DIFFERENT", |counts| counts.different),
    ("DOUBLED", |counts| counts.doubled),
    ("OTHER ROLE", |counts| counts.role),
    ("REJECT HELD", |counts| counts.rejected_held),
    ("NOT TOLD", |counts| counts.row_untold),
    ("NOT SENT", |counts| counts.unsettled),
    ("OPEN", |counts| counts.open),
    ("PAST", |counts| counts.past),
    ("BEFORE", |counts| counts.before),
    ("APART", |counts| counts.apart),
];

/// A line a space, with what people call it if that is known of any, and with the columns in which something stands. Where
/// that is too wide, a space that has a name stands there without its id.
fn table(report: &Report, columns: usize) -> String {
    let whole = rows(report, true);
    let titles = &report.about.titles;
    if titles.is_empty() || whole.lines().all(|line| width(line) <= columns) {
        return whole;
    }
    rows(report, false)
}

fn rows(report: &Report, with_ids: bool) -> String {
    let lines = &report.lines;
    let title = |line: &Line| report.about.titles.of(line.name.as_str());
    let titled = lines.iter().any(|line| title(line).is_some());
    let used: Vec<&Column> = TABLE
        .iter()
        .enumerate()
        .filter(|(place, (_, count))| *place < ALWAYS || lines.iter().any(|line| count(&line.counts) > 0))
        .map(|(_, column)| column)
        .collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let mut header: Vec<Cell> = titled.then(|| Cell::new("NAME")).into_iter().collect();
    header.extend((with_ids || !titled).then(|| Cell::new("SPACE")));
    header.extend(used.iter().map(|(heading, _)| right((*heading).to_owned())));
    table.set_header(header);
    for line in lines {
        let figure = |count: u64| match (count, &line.outcome) {
            (0, SpaceOutcome::Checked) => "-".to_owned(),
            (_, SpaceOutcome::Checked) => count.to_string(),
            _ => "?".to_owned(),
        };
        let id = line.name.as_str();
        let untitled = if with_ids { "-" } else { id };
        let named = titled.then(|| Cell::new(shorten(title(line).unwrap_or(untitled), TITLE_CHARS_MAX)));
        let mut cells: Vec<Cell> = named.into_iter().collect();
        cells.extend((with_ids || !titled).then(|| Cell::new(id)));
        cells.extend(used.iter().map(|(_, count)| right(figure(count(&line.counts)))));
        table.add_row(cells);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The lines of one difference.
fn lines_of(report: &Report, finding: &Finding, columns: usize) -> String {
    let who = match (&finding.member, &finding.user) {
        (Some(member), Some(user)) if member != user => format!("{member} ({user})"),
        (Some(name), _) | (None, Some(name)) => name.to_string(),
        (None, None) => "somebody".to_owned(),
    };
    let times =
        |span: Option<Span>| span.filter(|span| *span != Span::default()).map(|span| span.to_string());
    let mut first = format!("  {:<11} {who}", word(finding.kind));
    if let Some(asked) = times(finding.asked).or_else(|| times(finding.listed)) {
        let _ = write!(first, "\n              {asked}");
    }
    let mut more = Vec::new();
    match finding.kind {
        Kind::Different => {
            more.extend(times(finding.listed).map(|listed| format!("Chat lists {listed}")));
        }
        Kind::Role => {
            let asked = finding.role.as_deref().unwrap_or_default();
            more.push(format!("{asked} is asked for, {} is listed", finding.listed_role));
        }
        Kind::Doubled | Kind::Unexpected if finding.copies > 1 => {
            more.push(format!("listed {} times", finding.copies));
        }
        _ => {}
    }
    more.extend(finding.note.map(str::to_owned));
    more.extend(origin(report, finding));
    for line in more {
        let _ = write!(
            first,
            "\n              {}",
            wrapped(&line, columns - 14).replace('\n', "\n              ")
        );
    }
    first.push('\n');
    first
}

fn origin(report: &Report, finding: &Finding) -> Option<String> {
    let (source, line) = finding.origin?;
    Some(format!("{}:{line}", report.about.sources.get(&source).map_or("?", String::as_str)))
}

/// All rows and all that is listed, in figures.
fn counts(totals: &Counts) -> String {
    let mut text = String::new();
    let mut line = |name: &str, count: u64, about: &str| {
        if count > 0 || name == "matching" {
            let about = if about.is_empty() { String::new() } else { format!("   {about}") };
            let _ = writeln!(text, "  {name:<12}{count:>9}{about}");
        }
    };
    let some = |count: u64, story: &str| match count {
        0 => String::new(),
        count => format!("{count} of them {story}"),
    };
    line("matching", totals.matching, &some(totals.invited, "have yet to accept the invitation"));
    line("missing", totals.missing, "the journal says that Chat holds them");
    line("different", totals.different, "listed with other times");
    line("other role", totals.role, "listed with another role than they are to have");
    line("rejected", totals.rejected, &some(totals.rejected_held, "are listed all the same"));
    line("not told", totals.row_untold, "whether Chat holds them");
    line("not sent", totals.unsettled, &some(totals.unsettled_held, "are listed already"));
    line("open", totals.open, "still members: added once their space is completed");
    line("past", totals.past, "no longer listed");
    line("rows", totals.rows, "");
    line("unexpected", totals.unexpected, "listed, and no row asks for them");
    line("doubled", totals.doubled, "listed once more");
    line("before", totals.before, "listed, and there before the journal's first call");
    line("apart", totals.apart, "listed: who completed the import, apps, and who may have been there before");
    line("listed", totals.listed, "");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SpaceTitles;

    #[test]
    fn the_table_goes_without_ids_where_it_is_narrow() {
        let space = |id: &str| SpaceName::parse(id).unwrap();
        let mut titles = SpaceTitles::default();
        titles.insert(&space("AAQAoqVDU0a"), "general");
        titles.insert(&space("AAQA5PCSVPj"), "launch-2018");
        let mut report = Report::new(About { titles, ..About::default() });
        let counts = Counts { listed: 12, matching: 8, past: 8, apart: 1, ..Counts::default() };
        for id in ["AAQAoqVDU0a", "AAQA5PCSVPj", "AAQAunnamed"] {
            let outcome = SpaceOutcome::Checked;
            report.lines.push(Line { name: space(id), outcome, counts });
        }
        insta::assert_snapshot!([78, 58].map(|columns| table(&report, columns)).join("\n"));
        report.about.titles = SpaceTitles::default();
        assert!(table(&report, 20).starts_with("SPACE "), "{}", table(&report, 20));
    }

    #[test]
    fn what_comes_next() {
        let mut report = Report::default();
        let name = SpaceName::parse("AAQA").unwrap();
        report.lines.push(Line { name, outcome: SpaceOutcome::Checked, counts: Counts::default() });
        assert_eq!(next(&report), None);
        report.about.needs = Some(" --x");
        report.about.journal = "a b.db".to_owned();
        assert_eq!(next(&report).unwrap(), "tenure complete 'a b.db' --x");
        report.about.rehearsal = true;
        assert_eq!(next(&report).unwrap(), "tenure complete 'a b.db' --x", "a rehearsal goes on to its end");
        report.about.rejected = 2;
        assert_eq!(next(&report).unwrap(), "tenure rejects 'a b.db' --reasons", "they can be mended as yet");
        // One of two is completed.
        report.lines.push(report.lines[0].clone());
        report.present_spaces = 1;
        assert_eq!(next(&report).unwrap(), "tenure rejects 'a b.db' --reasons");
        report.about.rejected = 0;
        assert_eq!(next(&report).unwrap(), "tenure complete 'a b.db' --x");
        report.present_spaces = 2;
        report.about.rejected = 2;
        assert_eq!(next(&report).unwrap(), "tenure report 'a b.db' -o report.html");
        report.totals.unsettled = 1;
        assert_eq!(next(&report), None);
    }
}
