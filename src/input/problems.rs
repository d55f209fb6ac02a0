//! The list of what is wrong with an input.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::problem::{Problem, ProblemKind};

/// The list of problems, folded: of each sort the first few in full, where some more of it are, and how many there are, so
/// that a million bad rows take no more memory than a few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    sorts: BTreeMap<Sort, Held>,
    /// Those of a kind that were merely counted.
    counted: BTreeMap<ProblemKind, u64>,
    /// The place that comes last so far.
    last: Place,
    /// How many were kept so far: what has the same place comes in that order.
    order: u64,
    fatal: bool,
}

/// Where a problem comes in a list: the file, counted in the order in which they are read, and the line.
pub type Place = (usize, u64);

/// The kind of a problem and the way in which it is to be mended, as [`way`] tells ways apart.
type Sort = (ProblemKind, u64);

/// What is kept of one sort.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Held {
    count: u64,
    first: Vec<((Place, u64), Problem)>,
    more: Vec<(Place, (Arc<str>, u64))>,
}

/// All problems of one kind that are to be mended in the same way.
#[derive(Debug, Clone)]
pub struct Fold<'a> {
    /// Which kind.
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
    /// How many of a sort are kept in full.
    pub const KEPT_MAX: usize = 3;
    /// Of how many more of a sort the place is kept.
    pub const PLACES_MAX: usize = 10;
    /// How many ways to mend one kind are told apart.
    const WAYS_MAX: usize = 8;

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
        self.held(sort(&problem)).count += 1;
        self.keep(place, problem);
    }

    fn keep(&mut self, place: Place, problem: Problem) {
        self.order += 1;
        let order = self.order;
        self.held(sort(&problem)).keep((place, order), problem);
    }

    /// What is kept of a sort; where a kind has too many, of the first of them.
    fn held(&mut self, (kind, way): Sort) -> &mut Held {
        let mut ways = self.sorts.range((kind, 0)..=(kind, u64::MAX)).map(|((_, way), _)| *way);
        let first = ways.next().unwrap_or(way);
        let is_known = self.sorts.contains_key(&(kind, way));
        let way = if is_known || ways.count() + 1 < Problems::WAYS_MAX { way } else { first };
        self.sorts.entry((kind, way)).or_default()
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
        for (sort, others) in other.sorts {
            let held = self.held(sort);
            held.count += others.count;
            others.more.into_iter().for_each(|(_, at)| held.keep_place(place, at));
            first.extend(others.first);
        }
        first.sort_by_key(|(order, _)| *order);
        first.into_iter().for_each(|(_, problem)| self.keep(place, problem));
        other.counted.into_iter().for_each(|(kind, count)| self.count_more(kind, count));
    }

    /// Adds those of another list, each in its own place.
    pub fn absorb_in_place(&mut self, other: Problems) {
        self.fatal |= other.fatal;
        self.last = self.last.max(other.last);
        for (sort, others) in other.sorts {
            let held = self.held(sort);
            held.count += others.count;
            others.more.into_iter().for_each(|(place, at)| held.keep_place(place, at));
            others.first.into_iter().for_each(|((place, _), problem)| self.keep(place, problem));
        }
        other.counted.into_iter().for_each(|(kind, count)| self.count_more(kind, count));
    }

    /// Counts more of a kind, which come behind all others.
    pub fn count_more(&mut self, kind: ProblemKind, count: u64) {
        if count > 0 {
            *self.counted.entry(kind).or_default() += count;
        }
    }

    /// Those of one kind alone.
    #[must_use]
    pub fn only(&self, kind: ProblemKind) -> Problems {
        let mut only = self.clone();
        only.sorts.retain(|(other, _), _| *other == kind);
        only.counted.retain(|other, _| *other == kind);
        only.fatal = only.sorts.values().flat_map(|held| &held.first).any(|(_, problem)| problem.fatal);
        only
    }

    /// Shows those that are kept in full, so that their lines can be put to them.
    pub(crate) fn each_kept(&mut self, mut with: impl FnMut(&mut Problem)) {
        for held in self.sorts.values_mut() {
            held.first.iter_mut().for_each(|(_, problem)| with(problem));
        }
    }

    /// How many there are, kept or not.
    pub fn total(&self) -> u64 {
        self.counts().map(|(_, count)| count).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorts.is_empty() && self.counted.is_empty()
    }

    /// Whether one of them ended the reading of its file.
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Those that are kept in full, in their order.
    pub fn kept(&self) -> Vec<&Problem> {
        let mut kept: Vec<_> = self.sorts.values().flat_map(|held| &held.first).collect();
        kept.sort_by_key(|(order, _)| *order);
        kept.into_iter().map(|(_, problem)| problem).collect()
    }

    /// How many there are of each kind, kept or not.
    pub fn counts(&self) -> impl Iterator<Item = (ProblemKind, u64)> + use<> {
        let mut counts = self.counted.clone();
        for ((kind, _), held) in &self.sorts {
            *counts.entry(*kind).or_default() += held.count;
        }
        counts.into_iter()
    }

    /// Sort by sort, in the order in which each is met first.
    pub fn folds<'a>(&'a self) -> Vec<Fold<'a>> {
        let mut sorts: Vec<_> = self.sorts.iter().collect();
        sorts.sort_by_key(|(_, held)| held.first.first().map(|(order, _)| *order));
        let mut counted = self.counted.clone();
        let fold = |((kind, _), held): (&Sort, &'a Held)| Fold {
            kind: *kind,
            count: held.count + counted.remove(kind).unwrap_or_default(),
            first: held.first.iter().map(|(_, problem)| problem).collect(),
            more: held.more.iter().map(|(_, (file, line))| (&**file, *line)).collect(),
        };
        sorts.into_iter().map(fold).collect()
    }

    /// The first ones with their help, one below the other, then how many more of each kind.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for problem in self.kept() {
            let _ = writeln!(text, "{problem:#}");
        }
        let shown = |kind| self.kept().iter().filter(|problem| problem.kind == kind).count() as u64;
        let rest = self.counts().map(|(kind, count)| (kind, count - shown(kind)));
        let mut rest: Vec<(ProblemKind, u64)> = rest.filter(|(_, count)| *count > 0).collect();
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

fn sort(problem: &Problem) -> Sort {
    (problem.kind, way(problem.help.as_deref()))
}

/// What a help says, as a number: the same for helps that differ in nothing but figures and quoted names.
fn way(help: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut quoted = false;
    for c in help.unwrap_or_default().chars() {
        quoted ^= c == '"';
        if !quoted && !c.is_ascii_digit() {
            c.hash(&mut hasher);
        }
    }
    hasher.finish()
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

        // What is to be mended in another way is shown, however often that kind was met before.
        let other = Problem::new(&file, 60, ProblemKind::BadRole, "it is wrong").help("mend \"x\" otherwise");
        let mut ways = problems.clone();
        ways.push_at((0, 60), other.clone());
        ways.push_at((0, 61), other.help("mend \"y\" otherwise"));
        ways.count_more(ProblemKind::BadRole, 5);
        let folds: Vec<_> =
            ways.folds().iter().map(|fold| (fold.kind, fold.count, fold.first[0].line)).collect();
        assert_eq!(
            folds,
            [(ProblemKind::BadTime, 65, 2), (ProblemKind::BadRole, 38, 3), (ProblemKind::BadRole, 2, 60),]
        );
        assert_eq!((ways.total(), ways.only(ProblemKind::BadRole).total()), (105, 40));
        for number in 0..100 {
            let help = "another way ".repeat(number);
            ways.push(Problem::new(&file, 99, ProblemKind::BadRole, "it is wrong").help(help));
        }
        assert_eq!((ways.total(), ways.folds().len()), (205, 1 + Problems::WAYS_MAX));

        let mut both = Problems::from(Problem::new(&file, 0, ProblemKind::EmptyFile, "it is empty").fatal());
        both.absorb(problems);
        assert_eq!((both.total(), both.kept().len(), both.is_fatal()), (99, 7, true));
        assert!(both.to_string().starts_with("rows.csv: it is empty\n"));
    }
}
