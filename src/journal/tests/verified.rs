//! What somebody has told the journal: what people call its spaces, and how a look at Chat's lists came out.

use std::collections::BTreeMap;

use super::*;
use crate::model::SpaceTitles;

fn titles(named: &[(&str, &str)]) -> SpaceTitles {
    let mut titles = SpaceTitles::default();
    for (space, title) in named {
        titles.insert(&SpaceName::parse(space).unwrap(), title);
    }
    titles
}

#[test]
fn a_space_is_called_as_it_was_told_last() {
    let mut journal = scratch();
    read(&mut journal, &[tenure("A", "a@b.cd", Some(1), Some(2)), tenure("B", "a@b.cd", Some(1), Some(2))]);
    assert!(journal.titles().unwrap().is_empty());
    journal.note_titles(&titles(&[("A", "#general"), ("C", "#elsewhere")])).unwrap();
    journal.note_titles(&titles(&[("A", "General")])).unwrap();
    assert_eq!(journal.titles().unwrap(), titles(&[("A", "General")]));
    let named: Vec<_> = journal.space_figures().unwrap().into_iter().map(|space| space.title).collect();
    assert_eq!(named, [Some("General".to_owned()), None]);
    let ages: Vec<_> = journal.space_ages().unwrap().into_iter().map(|age| age.name).collect();
    assert_eq!(ages, [Some("General".to_owned()), None]);
    // Whoever reads why rows were refused reads the title, too; what Chat said is kept as it was.
    let job = jobs(&journal).remove(0);
    let (row, space, at) = (job.id, job.space, NOW);
    let note = Note {
        http_status: Some(404),
        kind: "NOT_FOUND".to_owned(),
        error: "spaces/A is not there".to_owned(),
    };
    journal.apply(&[Change::Mark { row, space, at }, Change::Rejected { row, space, at, note }]).unwrap();
    assert_eq!(journal.reject_kinds().unwrap()[0].example, "General (spaces/A) is not there");
    let sample = journal.reject_samples(1).unwrap().into_values().flatten().next().unwrap();
    assert_eq!(
        (sample.title.as_deref(), sample.error.as_str()),
        (Some("General"), "General (spaces/A) is not there")
    );
    let mut errors = Vec::new();
    let all = journal.rejects(|row| -> Result<(), JournalError> {
        errors.push(row.error);
        Ok(())
    });
    all.unwrap();
    assert_eq!(errors, ["spaces/A is not there"]);
}

fn found(shows: Shows, at: i64, stand: Stand) -> Verified {
    Verified {
        shows,
        begun_at: day(at),
        ended_at: day(at),
        stopped: None,
        spaces: 2,
        checked: 2,
        hidden: 0,
        expected: 9,
        matching: 8,
        untold: 0,
        unsettled: 3,
        past: 1,
        differences: BTreeMap::from([("missing".to_owned(), 1)]),
        stand,
    }
}

#[test]
fn the_last_look_of_each_kind_is_kept() {
    let mut journal = scratch();
    assert_eq!(journal.verified().unwrap(), []);
    let before = journal.stand().unwrap();
    read(&mut journal, &[tenure("A", "a@b.cd", Some(1), Some(2))]);
    let read = journal.stand().unwrap();
    assert_ne!(before, read, "input was read");
    let job = jobs(&journal).remove(0);
    journal.apply(&[Change::Mark { row: job.id, space: job.space, at: NOW }]).unwrap();
    let now = journal.stand().unwrap();
    assert_ne!(read, now, "a row was sent");
    let (history, members) = (found(Shows::History, 2, now), found(Shows::Members, 1, now));
    for look in [&found(Shows::History, 1, before), &history, &members] {
        journal.keep_verified(look).unwrap();
    }
    assert_eq!(journal.verified().unwrap(), [members.clone(), history.clone()], "the latest last");
    assert_eq!(journal.stand().unwrap(), now, "nothing has changed by that");
}

#[test]
fn a_look_that_was_cut_short_hides_no_whole_one() {
    let mut journal = scratch();
    let now = journal.stand().unwrap();
    let clean = |shows, at, stand| Verified { differences: BTreeMap::new(), ..found(shows, at, stand) };
    let short = |look| Verified { stopped: Some("interrupted".to_owned()), checked: 1, ..look };
    let whole = clean(Shows::History, 1, now);
    journal.keep_verified(&whole).unwrap();
    journal.keep_verified(&short(clean(Shows::History, 2, now))).unwrap();
    assert_eq!(journal.verified().unwrap(), [whole]);
    // Unless it has found something, or the journal is not what it was.
    let differing = short(found(Shows::History, 3, now));
    journal.keep_verified(&differing).unwrap();
    assert_eq!(journal.verified().unwrap(), [differing]);
    journal.keep_verified(&clean(Shows::History, 4, now)).unwrap();
    let later = short(clean(Shows::History, 5, Stand { commits: now.commits + 1, ..now }));
    journal.keep_verified(&later).unwrap();
    assert_eq!(journal.verified().unwrap(), [later]);
}
