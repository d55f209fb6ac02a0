//! The list of what is wrong with an input.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};

/// The list of problems, folded: of each kind the first few in full, where some more of it are, and how many there are, so
/// that a million bad rows take no more memory than a few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    kinds: BTreeMap<ProblemKind, Held>,
    /// The place that comes last so far.
    last: Place,
    /// How many were kept so far: what has the same place comes in that order.
    order: u64,
    fatal: bool,
}

/// Where a problem comes in a list: the file, counted in the order in which they are read, and the line.
pub type Place = (usize, u64);

/// What is kept of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Held {
    count: u64,
    first: Vec<((Place, u64), Problem)>,
    more: Vec<(Place, (Arc<str>, u64))>,
}

/// All problems of one kind.
#[derive(Debug, Clone)]
pub struct Fold<'a> {
    /// Which.
    pub kind: ProblemKind,
    /// How many there are.
    pub count: u64,
    /// The first of them, in full: at least one.
    pub first: Vec<&'a Problem>,
    /// File and line of some more, in their order.
    pub more: Vec<(&'a str, u64)>,
}

impl Fold<'_> {
    /// Keeps so many in full; of the others the place.
    pub fn shorten(&mut self, most: usize) {
        let others = self.first.split_off(most.min(self.first.len()));
        let mut more: Vec<_> = others.iter().map(|problem| (&*problem.file, problem.line)).collect();
        more.append(&mut self.more);
        self.more = more;
    }
}

impl Problems {
    /// How many of a kind are kept in full.
    pub const KEPT_MAX: usize = 3;
    /// Of how many more of a kind the place is kept.
    pub const PLACES_MAX: usize = 10;

    /// An empty list.
    pub fn new() -> Self {
        Problems::default()
    }

    /// Adds one behind all others.
    pub fn push(&mut self, problem: Problem) {
        self.push_at(self.last, problem);
    }

    /// Adds one in its place, behind others of the same place.
    pub fn push_at(&mut self, place: Place, problem: Problem) {
        self.fatal |= problem.fatal;
        self.last = self.last.max(place);
        self.kinds.entry(problem.kind).or_default().count += 1;
        self.keep(place, problem);
    }

    fn keep(&mut self, place: Place, problem: Problem) {
        self.order += 1;
        self.kinds.entry(problem.kind).or_default().keep((place, self.order), problem);
    }

    /// Adds those of another list behind all others, in its order.
    pub fn absorb(&mut self, other: Problems) {
        self.absorb_at(self.last, other);
    }

    /// Adds those of another list in one place, in its order.
    pub fn absorb_at(&mut self, place: Place, other: Problems) {
        self.fatal |= other.fatal;
        self.last = self.last.max(place);
        let mut first = Vec::new();
        for (kind, others) in other.kinds {
            let held = self.kinds.entry(kind).or_default();
            held.count += others.count;
            others.more.into_iter().for_each(|(_, at)| held.keep_place(place, at));
            first.extend(others.first);
        }
        first.sort_by_key(|(order, _)| *order);
        first.into_iter().for_each(|(_, problem)| self.keep(place, problem));
    }

    /// Adds those of another list, each in its own place.
    pub fn absorb_in_place(&mut self, other: Problems) {
        self.fatal |= other.fatal;
        self.last = self.last.max(other.last);
        for (kind, others) in other.kinds {
            let held = self.kinds.entry(kind).or_default();
            held.count += others.count;
            others.more.into_iter().for_each(|(place, at)| held.keep_place(place, at));
            others.first.into_iter().for_each(|((place, _), problem)| self.keep(place, problem));
        }
    }

    /// Counts more of a kind, which come behind all others.
    pub fn count_more(&mut self, kind: ProblemKind, count: u64) {
        if count > 0 {
            self.kinds.entry(kind).or_default().count += count;
        }
    }

    /// Shows those that are kept in full, so that their lines can be put to them.
    pub(crate) fn each_kept(&mut self, mut with: impl FnMut(&mut Problem)) {
        for held in self.kinds.values_mut() {
            held.first.iter_mut().for_each(|(_, problem)| with(problem));
        }
    }

    /// How many there are, kept or not.
    pub fn total(&self) -> u64 {
        self.kinds.values().map(|held| held.count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether one of them ended the reading of its file.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Those that are kept in full, in their order.
    pub fn kept(&self) -> Vec<&Problem> {
        let mut kept: Vec<_> = self.kinds.values().flat_map(|held| &held.first).collect();
        kept.sort_by_key(|(order, _)| *order);
        kept.into_iter().map(|(_, problem)| problem).collect()
    }

    /// How many there are of each kind, kept or not.
    pub fn counts(&self) -> impl Iterator<Item = (ProblemKind, u64)> + '_ {
        self.kinds.iter().map(|(kind, held)| (*kind, held.count))
    }

    /// Kind by kind, in the order in which each is met first.
    pub fn folds<'a>(&'a self) -> Vec<Fold<'a>> {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, held)| held.first.first().map(|(order, _)| *order));
        let fold = |(kind, held): (&ProblemKind, &'a Held)| Fold {
            kind: *kind,
            count: held.count,
            first: held.first.iter().map(|(_, problem)| problem).collect(),
            more: held.more.iter().map(|(_, (file, line))| (&**file, *line)).collect(),
        };
        kinds.into_iter().map(fold).collect()
    }

    /// The first ones with their help, one below the other, then how many more of each kind.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for problem in self.kept() {
            let _ = writeln!(text, "{problem:#}");
        }
        let mut rest: Vec<(ProblemKind, u64)> = self
            .kinds
            .iter()
            .map(|(kind, held)| (*kind, held.count - held.first.len() as u64))
            .filter(|(_, count)| *count > 0)
            .collect();
        let more: u64 = rest.iter().map(|(_, count)| count).sum();
        if more > 0 {
            let _ = writeln!(text, "… and {more} more:");
            rest.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
            for (kind, count) in rest {
                let _ = writeln!(text, "{count:>8} {kind}");
            }
        }
        text
    }
}

impl Held {
    fn keep(&mut self, order: (Place, u64), problem: Problem) {
        let index = self.first.partition_point(|(other, _)| *other <= order);
        if index >= Problems::KEPT_MAX {
            return self.keep_place(order.0, (problem.file, problem.line));
        }
        self.first.insert(index, (order, problem));
        if self.first.len() > Problems::KEPT_MAX
            && let Some(((place, _), last)) = self.first.pop()
        {
            self.keep_place(place, (last.file, last.line));
        }
    }

    fn keep_place(&mut self, place: Place, at: (Arc<str>, u64)) {
        let index = self.more.partition_point(|(other, _)| *other <= place);
        if index < Problems::PLACES_MAX {
            self.more.insert(index, (place, at));
            self.more.truncate(Problems::PLACES_MAX);
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Problems::new();
        problems.push(problem);
        problems
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        for problem in problems {
            self.push(problem);
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render().trim_end())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_the_first_are_kept_and_the_rest_is_counted() {
        let file: Arc<str> = "rows.csv".into();
        let mut problems = Problems::new();
        for line in (2..100).rev() {
            let kind = if line % 3 == 0 { ProblemKind::BadRole } else { ProblemKind::BadTime };
            let problem = Problem::new(&file, line, kind, "it is wrong").column("role").value("x");
            problems.push_at((0, line), problem.help("mend it"));
        }
        assert_eq!(problems.total(), 98);
        let text = problems.render();
        assert!(
            text.starts_with("rows.csv:2: role \"x\": it is wrong\n  help: mend it\nrows.csv:3: "),
            "{text}"
        );
        assert!(text.ends_with("… and 92 more:\n      62 bad-time\n      30 bad-role\n"), "{text}");
        let folds = problems.folds();
        let lines: Vec<u64> = folds[1].first.iter().map(|problem| problem.line).collect();
        assert_eq!((folds[1].kind, folds[1].count, lines), (ProblemKind::BadRole, 33, vec![3, 6, 9]));
        let more: Vec<u64> = folds[1].more.iter().map(|(_, line)| *line).collect();
        assert_eq!(more, [12, 15, 18, 21, 24, 27, 30, 33, 36, 39]);

        let mut both = Problems::from(Problem::new(&file, 0, ProblemKind::EmptyFile, "it is empty").fatal());
        both.absorb(problems);
        assert_eq!((both.total(), both.kept().len(), both.is_fatal()), (99, 7, true));
        assert!(both.to_string().starts_with("rows.csv: it is empty\n"));
    }
}
