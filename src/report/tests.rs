//! The page as a whole: what it says, that it holds together whatever names it is given, and that its figures add up.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::journal::{Calls, Shows, YearFigures};
use crate::model::{SpaceId, Span, State};

/// Elements that hold nothing and are not closed (HTML, 13.1.2).
const VOID: [&str; 2] = ["meta", "input"];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text, None).unwrap()
}

/// A migration on an evening: three spaces, two runs, some rows refused, one space unfinished.
fn evening() -> Figures {
    let space = |id: i64, name: &str, title: Option<&str>, states: [u64; 5], completed: bool| SpaceFigures {
        id: SpaceId(id),
        name: name.to_owned(),
        title: title.map(str::to_owned),
        states,
        completed_at: completed.then(|| at("2026-11-20T20:00:00Z")),
        complete_error: None,
    };
    let run = |id: i64, from: &str, to: Option<&str>, outcome: Option<&str>, calls: Calls| RunFigures {
        id,
        started_at: at(from),
        ended_at: to.map(at),
        outcome: outcome.map(str::to_owned),
        version: "0.1.0".to_owned(),
        calls,
    };
    let stretch = |run: i64, from: &str, done: u64, rejected: u64, throttled: u64| Stretch {
        run,
        begun_at: at(from),
        length: Duration::from_secs(60),
        calls: Calls { sent: done + rejected + throttled, ok: done, throttled, failed: rejected },
        done,
        rejected,
    };
    let sample = |space: Option<&str>, member: Option<&str>, line: u64, error: &str| Sample {
        space: space.map(str::to_owned),
        title: space.map(|_| "#sales".to_owned()),
        member: member.map(str::to_owned),
        span: Span {
            create_time: member.map(|_| at("2020-03-01T09:00:00Z")),
            delete_time: member.map(|_| at("2021-03-01T09:00:00Z")),
        },
        origin: ("/home/ops/memberships.csv".to_owned(), line),
        error: error.to_owned(),
    };
    let kind = |kind: &str, http_status: Option<u16>, count: u64, example: &str, alike: bool| RejectKind {
        kind: kind.to_owned(),
        http_status,
        count,
        too_late: false,
        example: example.to_owned(),
        alike,
    };
    let gone = "spaces/AAQAsales has no such member: users/anna@example.com";
    Figures {
        rolled_back: None,
        journal: "memberships.csv.journal.db".to_owned(),
        undertaking: Undertaking::Import,
        target: "https://chat.googleapis.com/".to_owned(),
        standard: false,
        at: Some(at("2026-11-21T08:30:00Z")),
        running: false,
        tally: Tally {
            total: 1256,
            done: 1240,
            existed: 2,
            rejected: 4,
            pending: 10,
            in_flight: 0,
            open: 2,
            duplicate: 3,
            spaces: 3,
            spaces_settled: 2,
            spaces_completed: 1,
            calls: Calls { sent: 1300, ok: 1240, throttled: 56, failed: 4 },
            ..Tally::default()
        },
        policy: Policy::default(),
        settings: Some(Settings { impersonate: Some("admin@example.com".to_owned()), ..Settings::default() }),
        runs: vec![
            run(
                1,
                "2026-11-20T18:00:00Z",
                None,
                None,
                Calls { sent: 700, ok: 650, throttled: 48, failed: 2 },
            ),
            run(
                2,
                "2026-11-20T18:10:00Z",
                Some("2026-11-20T18:14:00Z"),
                Some("complete"),
                Calls { sent: 600, ok: 590, throttled: 8, failed: 2 },
            ),
        ],
        stretches: vec![
            stretch(1, "2026-11-20T18:00:00Z", 290, 0, 8),
            stretch(1, "2026-11-20T18:01:00Z", 220, 2, 40),
            stretch(1, "2026-11-20T18:02:00Z", 140, 0, 0),
            stretch(2, "2026-11-20T18:10:00Z", 300, 0, 0),
            stretch(2, "2026-11-20T18:11:00Z", 290, 2, 8),
        ],
        sources: vec![SourceFigures {
            path: "/home/ops/memberships.csv".to_owned(),
            read_at: at("2026-11-20T17:59:00Z"),
            rows: 1259,
            duplicates: 3,
            invalid: 1,
        }],
        rows: RowFigures {
            states: [10, 0, 1240, 4, 2],
            years: BTreeMap::from([
                (2019, YearFigures { done: 300, others: 1 }),
                (2020, YearFigures { done: 900, others: 9 }),
                (2021, YearFigures { done: 800, others: 14 }),
            ]),
            spaces: HashMap::from([
                (SpaceId(1), BTreeMap::from([(2019, 290), (2020, 700), (2021, 600)])),
                (SpaceId(2), BTreeMap::from([(2020, 180), (2021, 200)])),
                (SpaceId(3), BTreeMap::from([(2021, 12)])),
            ]),
            timeless: 1,
            span: Some((at("2019-02-03T04:05:06Z"), at("2021-12-24T12:00:00Z"))),
        },
        spaces: vec![
            space(1, "spaces/AAQAsales", Some("#sales"), [0, 0, 1000, 3, 2], false),
            space(2, "spaces/AAQAlab", Some("Labor & Küche"), [0, 0, 238, 0, 0], true),
            space(3, "spaces/AAQAnight", None, [10, 0, 2, 0, 0], false),
        ],
        channels: Vec::new(),
        kinds: vec![
            kind("NOT_FOUND", Some(404), 3, gone, true),
            kind("bad-time", None, 1, "line 7: deleteTime is no time", true),
        ],
        samples: HashMap::from([
            (
                ("NOT_FOUND".to_owned(), Some(404)),
                vec![sample(Some("spaces/AAQAsales"), Some("users/anna@example.com"), 14, gone)],
            ),
            (("bad-time".to_owned(), None), vec![sample(None, None, 7, "line 7: deleteTime is no time")]),
        ]),
        verified: Vec::new(),
        stand: Stand { commits: 40, readings: 1 },
    }
}

/// Reads a page as a browser would, if it is well-formed: its outline, an element or a text a line. Styles and scripts are
/// named only.
#[track_caller]
fn outline(page: &str) -> String {
    let mut rest = page.strip_prefix("<!doctype html>\n").expect("a doctype");
    let (mut open, mut lines): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let depth = "  ".repeat(open.len());
        let Some(tag) = rest.strip_prefix('<') else {
            let (text, after) = rest.split_at(rest.find('<').expect("text outside of all elements"));
            assert!(!text.contains('>'), "{text}");
            lines.push(format!("{depth}{text}"));
            rest = after;
            continue;
        };
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert_eq!(attributes.matches('"').count() % 2, 0, "{attributes}");
        lines.push(format!("{depth}<{tag}>"));
        if VOID.contains(&name) {
            continue;
        }
        open.push(name.to_owned());
        if name == "style" || name == "script" {
            let (_, after) = rest.split_once(&format!("</{name}>")).unwrap();
            open.pop();
            rest = after;
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    lines.join("\n")
}

/// What a reader sees of it: the texts alone.
fn texts(page: &str) -> String {
    let lines: Vec<String> = outline(page)
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('<'))
        .map(str::to_owned)
        .collect();
    lines.join("\n")
}

#[test]
fn the_page_of_an_evening() {
    let page = page(&evening(), Addresses::Shown);
    let outline = outline(&page);
    // The style's hash changes with each touch of it; that it is the right one, the browser says.
    let outline = outline
        .split('\'')
        .map(|part| if part.starts_with("sha256-") { "sha256-HASH" } else { part })
        .collect::<Vec<_>>()
        .join("'");
    insta::assert_snapshot!("evening", outline);
}

#[test]
fn every_undertaking_has_a_page() {
    for undertaking in Undertaking::ALL {
        for running in [false, true] {
            let figures = Figures { undertaking, running, ..evening() };
            let page = page(&figures, Addresses::LeftOut);
            let texts = texts(&page);
            assert!(texts.contains(wording::Words::of(undertaking).heading), "{texts}");
            assert!(!texts.contains("@example.com") && texts.contains("addresses were left out"), "{texts}");
            assert_eq!(texts.contains("Going on."), running);
        }
    }
    // A journal with nothing in it.
    let empty = texts(&page(&Figures::default(), Addresses::Shown));
    assert!(empty.contains("The journal holds no membership yet."), "{empty}");
    assert!(empty.contains("holds no e-mail address"), "{empty}");
}

#[test]
fn channels_have_a_table_of_their_own() {
    let channel = |name: &str, state: State| ChannelFigures {
        name: name.to_owned(),
        made_as: format!("{name} <team>"),
        state,
        space: (state == State::Done).then(|| "spaces/AAQAnew".to_owned()),
        expires_at: (state == State::Done).then(|| at("2027-02-18T18:00:00Z")),
        completed: false,
    };
    let figures = Figures {
        undertaking: Undertaking::Spaces,
        channels: vec![channel("#general", State::Done), channel("#random", State::Rejected)],
        tally: Tally { total: 2, done: 1, rejected: 1, ..Tally::default() },
        ..Figures::default()
    };
    let texts = texts(&page(&figures, Addresses::Shown));
    let place = |text: &str| texts.find(text).unwrap_or_else(|| panic!("no {text} in {texts}"));
    assert!(place("#random") < place("#general"), "what was refused comes first");
    for text in
        ["1 of 2 channels is a space.", "#general &lt;team&gt;", "AAQAnew", "18 February 2027", "refused"]
    {
        place(text);
    }
    let mut completed = figures;
    completed.channels[0].completed = true;
    let texts = self::texts(&page(&completed, Addresses::Shown));
    assert!(texts.contains("completed\n–\n") && !texts.contains("18 February 2027"), "{texts}");
}

/// A look at the lists of the evening's spaces.
fn look(shows: Shows, begun_at: &str, stand: Stand) -> Verified {
    Verified {
        shows,
        begun_at: at(begun_at),
        ended_at: at(begun_at),
        stopped: None,
        spaces: 3,
        checked: 3,
        hidden: 0,
        expected: 1240,
        matching: 1240,
        untold: 0,
        unsettled: 10,
        past: 0,
        differences: BTreeMap::new(),
        stand,
    }
}

#[test]
fn what_was_verified_is_said() {
    let mut figures = evening();
    let now = figures.stand;
    let earlier = Stand { commits: now.commits - 1, ..now };
    let after = "2026-11-20T18:30:00Z";
    let question = "Does Google Chat hold what the journal says?\n";
    let mut says = |verified: Vec<Verified>| {
        figures.verified = verified;
        let texts = texts(&page(&figures, Addresses::Shown));
        let (_, answer) = texts.split_once(question).expect("the question");
        answer.split("\nSettings\n").next().unwrap().to_owned()
    };
    let whole = look(Shows::History, after, now);
    assert_eq!(
        says(vec![whole.clone()]),
        "Yes\n. The history was verified on 20 November 2026, 18:30: 1,240 of 1,240 rows are listed as they should be; 10 \
         were not sent yet."
    );
    let stale = look(Shows::History, "2026-11-20T18:05:00Z", earlier);
    let answer = says(vec![stale.clone()]);
    assert!(answer.starts_with("Not yet\n."), "{answer}");
    assert!(answer.ends_with("has changed since then, last on 20 November 2026, 18:14, and that says nothing of what came later."), "{answer}");
    let differing =
        Verified { differences: [("missing".to_owned(), 2)].into(), matching: 1238, ..whole.clone() };
    let answer = says(vec![differing]);
    assert!(answer.starts_with("No\n.") && answer.contains("2 differences: 2 missing"), "{answer}");
    let cut_off = Verified { stopped: Some("interrupted".to_owned()), checked: 1, ..whole.clone() };
    let answer = says(vec![cut_off]);
    assert!(
        answer.starts_with("Not yet\n.") && answer.contains("1 of 3 spaces seen (interrupted)"),
        "{answer}"
    );
    let untold = Verified { untold: 3, matching: 1237, ..whole };
    assert!(says(vec![untold]).starts_with("Not known\n."));
    let answer = says(vec![stale, look(Shows::Members, after, now)]);
    assert!(
        answer.starts_with("Yes\n. The history was") && answer.contains("Members of today were verified"),
        "{answer}"
    );
    assert!(says(Vec::new()).starts_with("Not yet\n. Nobody has verified it yet."));
}

#[test]
fn a_page_knows_its_like() {
    let page = page(&evening(), Addresses::Shown);
    assert!(is_page(&page) && is_page(&page[..1000]));
    for other in [
        "",
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mine</title>",
        "name,space",
    ] {
        assert!(!is_page(other), "{other}");
    }
}

#[test]
fn what_no_journal_knows_is_said() {
    let mut figures = evening();
    let texts_of = |figures: &Figures| texts(&page(figures, Addresses::Shown));
    assert!(texts_of(&figures).contains("tenure verify"), "nobody has looked what Chat lists");
    figures.stretches.retain(|stretch| stretch.run == 2);
    assert!(texts_of(&figures).contains("does not hold how 1 run went over time"));
    figures.rows.states[2] -= 1;
    assert!(texts_of(&figures).contains("it is damaged, or was changed by another program"));
}

#[test]
fn thousands_of_spaces_are_summed_up() {
    let mut figures = evening();
    figures.spaces = (1..=6000)
        .map(|id| SpaceFigures {
            id: SpaceId(id),
            name: format!("spaces/AAQA{id}"),
            title: Some(format!("#team-{id}")),
            states: [0, 0, 2, u64::from(id == 5999), 0],
            completed_at: None,
            complete_error: None,
        })
        .collect();
    let page = page(&figures, Addresses::Shown);
    let texts = texts(&page);
    assert!(texts.contains("5,000 of 6,000: those with something refused"), "{}", &texts[..2000]);
    assert!(texts.contains("AAQA5999") && texts.contains("1,000 more\n2,000\n2,000\n0\n"));
    assert!(texts.contains("All\n12,001\n12,000\n1\n"));
    assert!(page.len() < 1_900_000, "{}", page.len());
}

/// What a page takes at most, in bytes.
const PAGE_BYTES_MAX: usize = 5_000_000;

#[test]
fn a_page_of_many_spaces_stays_small_whatever_they_are_called() {
    // Six characters of HTML for each of these.
    let long = "\"".repeat(300);
    for (long, many) in [(None, 20_000), (Some(&long), 20_000), (Some(&long), 300)] {
        let name = |id: i64| long.map_or(format!("#team-{id}"), |long| format!("{id}{long}"));
        let mut figures = Figures { target: "https://chat.googleapis.com/".to_owned(), ..evening() };
        figures.spaces = (1..=many)
            .map(|id| SpaceFigures {
                id: SpaceId(id),
                name: format!("spaces/{}", name(id)),
                title: Some(name(id)),
                states: [0, 0, 3, u64::from(id % 7 == 0), 0],
                completed_at: None,
                complete_error: long.cloned(),
            })
            .collect();
        figures.rows.spaces =
            (1..=25).map(|id| (SpaceId(id), (2000..2100).map(|year| (year, 3)).collect())).collect();
        figures.rows.years = (2000..2100).map(|year| (year, YearFigures { done: 3, others: 0 })).collect();
        if let Some(long) = long {
            let kind = RejectKind { example: long.clone(), alike: false, ..figures.kinds[0].clone() };
            let sample = figures.samples.values().flatten().next().unwrap().clone();
            let sample = Sample { title: Some(long.clone()), error: long.clone(), ..sample };
            figures.kinds =
                (0..40).map(|number| RejectKind { kind: format!("KIND_{number}"), ..kind.clone() }).collect();
            let of_kind = |kind: &RejectKind| {
                ((kind.kind.clone(), kind.http_status), vec![sample.clone(); SAMPLES_MAX])
            };
            figures.samples = figures.kinds.iter().map(of_kind).collect();
        }
        let page = page(&figures, Addresses::Shown);
        assert!(page.len() < PAGE_BYTES_MAX, "{} bytes for {many} spaces", page.len());
        // Those without a line of their own are summed up, so the figures below the table are of them all.
        let texts = texts(&page);
        let (_, total) = texts.rsplit_once("\nAll\n").unwrap();
        let rejected = many as u64 / 7;
        let [all, done, rejected] =
            [many as u64 * 3 + rejected, many as u64 * 3, rejected].map(wording::thousands);
        assert!(total.starts_with(&format!("{all}\n{done}\n{rejected}\n")), "{}", &total[..100]);
    }
    let channel = |id: i64| ChannelFigures {
        name: format!("{id}{long}"),
        made_as: format!("{id}{long}"),
        state: State::Done,
        space: Some(format!("spaces/{id}{long}")),
        expires_at: None,
        completed: false,
    };
    let channels = (1..=20_000).map(channel).collect();
    let figures = Figures { undertaking: Undertaking::Spaces, channels, ..Figures::default() };
    assert!(page(&figures, Addresses::Shown).len() < PAGE_BYTES_MAX);
}

/// The evening, with one name for everything that is not named by this program.
fn called(name: &str) -> Figures {
    let mut figures = evening();
    figures.journal = name.to_owned();
    figures.target = name.to_owned();
    figures.kinds[0].example = name.to_owned();
    figures.runs[1].outcome = Some(name.to_owned());
    figures.sources[0].path = name.to_owned();
    for space in &mut figures.spaces {
        space.name = name.to_owned();
        space.title = Some(name.to_owned());
        space.complete_error = Some(name.to_owned());
    }
    for sample in figures.samples.values_mut().flatten() {
        sample.space = Some(name.to_owned());
        sample.title = Some(name.to_owned());
        sample.member = sample.member.as_ref().map(|_| name.to_owned());
        sample.error = name.to_owned();
    }
    figures
}

/// The elements of a page with their attributes, without what is in them. Its head has nothing of anybody's.
fn elements(page: &str) -> Vec<String> {
    let outline = outline(page);
    let elements = outline.lines().map(str::trim).filter(|line| line.starts_with('<'));
    elements.map(str::to_owned).collect()
}

/// Texts that somebody might call a space to break the page.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,30}",
        "[<>&\"'/=! a-z@.\u{202e}\u{0}\n-]{0,30}",
        Just("</bdi></td><script>alert(1)</script>".to_owned()),
        Just("\" onmouseover=\"alert(1)".to_owned()),
        Just("--><svg/onload=alert(1)>".to_owned()),
        Just("]]></style><!--".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_name_changes_the_page(name in hostile(), shown in any::<bool>()) {
        let addresses = if shown { Addresses::Shown } else { Addresses::LeftOut };
        let plain = elements(&page(&called("plain"), addresses));
        let odd = elements(&page(&called(&name), addresses));
        let differs = plain.iter().zip(&odd).position(|(plain, odd)| plain != odd);
        prop_assert_eq!((differs.map(|place| &odd[place]), odd.len()), (None, plain.len()));
    }

    #[test]
    fn figures_add_up(counts in proptest::collection::vec(proptest::array::uniform5(0u64..2000), 0..12)) {
        let mut figures = evening();
        figures.spaces = (1..).zip(&counts).map(|(id, states)| SpaceFigures {
            id: SpaceId(id), name: format!("spaces/S{id}"), title: None, states: *states, completed_at: None, complete_error: None,
        }).collect();
        let sum = |state: usize| counts.iter().map(|states| states[state]).sum::<u64>();
        let [pending, in_flight, done, rejected, open] = [0, 1, 2, 3, 4].map(sum);
        let total = pending + in_flight + done + rejected + open;
        figures.tally = Tally { total, done, rejected, pending, in_flight, open, ..Tally::default() };
        figures.rows.states = [pending, in_flight, done, rejected, open];
        let texts = texts(&page(&figures, Addresses::Shown));
        let figure = |name: &str| -> u64 {
            let lines: Vec<&str> = texts.lines().collect();
            let place = lines.iter().position(|line| *line == name);
            place.map_or(0, |place| lines[place + 1].replace(',', "").parse().unwrap())
        };
        // The first of each name is that at the top.
        let at_top = ["Moved", "Refused", "To do", "In flight", "Open"].map(figure);
        prop_assert_eq!(at_top, [done, rejected, pending, in_flight, open]);
        prop_assert!(texts.contains("is in exactly one of the figures"), "{}", texts);
        if !counts.is_empty() {
            prop_assert_eq!(figure("All"), total);
        }
    }
}
