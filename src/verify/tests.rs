//! The comparison, case by case and by its laws.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::model::State;

fn time(micros: i64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(micros))
}

fn span(create: i64, delete: i64) -> Span {
    Span { create_time: time(create), delete_time: time(delete) }
}

/// A row that is done, of somebody whose id is known.
fn row(user: u64, span: Span) -> Holding {
    Holding {
        member: format!("users/m{user}@example.com").into(),
        user: Some(format!("users/{user}").into()),
        span,
        role: None,
        state: State::Done,
        existed: false,
        sent: true,
        source: 1,
        line: user,
    }
}

/// The same, of somebody whose id is not known.
fn nameless(user: u64, span: Span) -> Holding {
    Holding { user: None, ..row(user, span) }
}

/// Somebody who is still a member.
fn current(user: u64) -> Holding {
    row(user, Span { create_time: time(1), delete_time: None })
}

fn listed(user: u64, span: Span) -> Listed {
    let holder = format!("users/{user}").into();
    Listed { holder, span, role: ListedRole::Known(Role::Member), invited: false, app: false }
}

/// Of today, since so long.
fn member(user: u64, since: i64) -> Listed {
    listed(user, Span { create_time: time(since), delete_time: None })
}

fn found(user: u64, span: Span, copies: u64) -> FoundBefore {
    FoundBefore { user: format!("users/{user}").into(), span, copies }
}

fn known(view: View, rows: Vec<Holding>) -> Known {
    Known {
        view,
        rows,
        found: Vec::new(),
        names: HashMap::new(),
        begun_at: Timestamp::from_micros(1000),
        left_out: LeftOut::default(),
        not_members: HashSet::new(),
        completer_left: false,
    }
}

fn history(rows: &[Holding], list: &[Listed]) -> Compared {
    compare(&known(View::History, rows.to_vec()), list)
}

const COMPLETED: View = View::Completed(Some(Timestamp::from_micros(2_000_000_000)));

fn completed(rows: &[Holding], list: &[Listed]) -> Compared {
    compare(&known(COMPLETED, rows.to_vec()), list)
}

/// What was found, each with who.
fn kinds(compared: &Compared) -> Vec<(Kind, &str)> {
    compared
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.user.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn each_kind_in_import_mode() {
    let rows = [row(1, span(10, 20)), row(2, span(10, 20)), row(3, span(10, 20)), row(4, span(10, 20))];
    let list = [
        listed(1, span(10, 20)),
        listed(2, span(11, 20)),
        listed(3, span(10, 20)),
        listed(3, span(10, 20)),
        listed(9, span(10, 20)),
    ];
    let compared = history(&rows, &list);
    assert_eq!(
        kinds(&compared),
        [
            (Kind::Missing, "users/4"),
            (Kind::Unexpected, "users/9"),
            (Kind::Different, "users/2"),
            (Kind::Doubled, "users/3"),
        ]
    );
    let different = &compared.findings[2];
    assert_eq!((different.asked, different.listed), (Some(span(10, 20)), Some(span(11, 20))));
    assert_eq!((compared.findings[3].copies, different.origin), (2, Some((1, 2))));
    assert_eq!((compared.counts.matching, compared.counts.held), (2, 2));
}

#[test]
fn an_absent_create_time_is_a_microsecond_before_the_end() {
    let rows = [row(1, Span { create_time: None, delete_time: time(20) })];
    assert_eq!(history(&rows, &[listed(1, span(19, 20))]).findings, []);
    assert_eq!(kinds(&history(&rows, &[listed(1, span(18, 20))])), [(Kind::Different, "users/1")]);
}

#[test]
fn what_was_there_before_is_no_difference() {
    let mut of = known(View::History, vec![row(1, span(10, 20))]);
    of.found = vec![found(7, span(1, 2), 1), found(1, span(3, 4), 2)];
    let list = [listed(1, span(10, 20)), listed(7, span(1, 2)), listed(1, span(3, 4)), listed(1, span(3, 4))];
    let compared = compare(&of, &list);
    assert_eq!(kinds(&compared), [(Kind::Before, "users/7"), (Kind::Before, "users/1")]);
    assert_eq!((compared.counts.before, compared.counts.differences()), (3, 0));
    let once_more = compare(&of, &[&list[..], &[listed(7, span(1, 2))]].concat());
    assert_eq!(kinds(&once_more)[0], (Kind::Doubled, "users/7"));
    // The row that was met with 409 is what was there.
    of.rows[0].existed = true;
    of.found = vec![found(1, span(10, 20), 1)];
    assert_eq!(compare(&of, &list[..1]).findings, []);
    // Where nothing was ever sent, all of it was there.
    let mut pending = row(1, span(10, 20));
    (pending.state, pending.sent) = (State::Pending, false);
    let compared = compare(&known(View::History, vec![pending]), &list);
    assert_eq!((compared.counts.before, compared.counts.unsettled_held), (3, 1));
    assert_eq!(compared.counts.doubled + compared.counts.unexpected, 0);
}

#[test]
fn rows_that_are_not_done() {
    let with = |state| Holding { state, ..row(1, span(10, 20)) };
    let list = [listed(1, span(10, 20))];
    for state in [State::Pending, State::InFlight] {
        let compared = history(&[with(state)], &list);
        assert_eq!(compared.findings, []);
        assert_eq!((compared.counts.unsettled, compared.counts.unsettled_held), (1, 1));
        assert_eq!(history(&[with(state)], &[]).counts.unsettled, 1);
    }
    assert_eq!(history(&[with(State::Rejected)], &[]).findings, []);
    assert_eq!(kinds(&history(&[with(State::Rejected)], &list)), [(Kind::Rejected, "users/1")]);
    let doubled = history(&[with(State::Rejected)], &[list[0].clone(), list[0].clone()]);
    assert_eq!(kinds(&doubled), [(Kind::Doubled, "users/1"), (Kind::Rejected, "users/1")]);
    let open = Holding { state: State::Open, ..current(1) };
    assert_eq!(history(&[open], &[]).counts.open, 1);
}

#[test]
fn whose_id_is_not_known_is_told_by_times() {
    let row = nameless(1, span(10, 20));
    assert_eq!(history(std::slice::from_ref(&row), &[listed(5, span(10, 20))]).counts.matching, 1);
    let compared = history(std::slice::from_ref(&row), &[listed(5, span(10, 21))]);
    assert_eq!(kinds(&compared), [(Kind::Missing, ""), (Kind::Unexpected, "users/5")]);
    // Of two, one is the row's; which, nobody can tell.
    let two = [listed(5, span(10, 20)), listed(6, span(10, 20))];
    let compared = history(std::slice::from_ref(&row), &two);
    assert_eq!((compared.counts.row_untold, compared.counts.unexpected), (1, 1));
    assert!(compared.findings.iter().all(|finding| finding.note.is_some()), "{compared:?}");
    // Two rows and two memberships go together, whoever is who.
    let rows = [row.clone(), nameless(2, span(10, 20))];
    assert_eq!(history(&rows, &two).findings, []);
    assert_eq!(kinds(&history(&rows, &two[..1])), [(Kind::Missing, "")]);
    // Somebody else's is not theirs.
    let mut of = known(View::History, vec![row.clone()]);
    of.names.insert("users/5".to_owned(), "users/somebody@example.com".to_owned());
    let compared = compare(&of, &two[..1]);
    assert_eq!(kinds(&compared), [(Kind::Missing, ""), (Kind::Unexpected, "users/5")]);
    assert_eq!(compared.findings[1].member.as_deref(), Some("users/somebody@example.com"));
    // What was there before is only theirs if Chat said so.
    of.names.clear();
    of.found = vec![found(5, span(10, 20), 1)];
    assert_eq!(kinds(&compare(&of, &two[..1])), [(Kind::Missing, ""), (Kind::Before, "users/5")]);
    of.rows[0].existed = true;
    assert_eq!(compare(&of, &two[..1]).findings, []);
}

#[test]
fn a_list_without_times_is_compared_by_member_and_count() {
    let silent = listed(1, Span::default());
    let rows = [row(1, span(10, 20)), row(1, span(30, 40))];
    let compared = history(&rows, &[silent.clone(), silent.clone()]);
    assert_eq!((compared.findings.len(), compared.counts.silent), (0, 2));
    let compared = history(&rows, std::slice::from_ref(&silent));
    assert_eq!(kinds(&compared), [(Kind::Missing, "users/1")]);
    assert!(compared.findings[0].note.is_some(), "which of them is missing is not told");
    let compared = history(&rows[..1], &[silent.clone(), silent.clone()]);
    assert_eq!(kinds(&compared), [(Kind::Unexpected, "users/1")]);
    // Whose it is cannot be told.
    let compared = history(&[nameless(4, span(10, 20))], std::slice::from_ref(&silent));
    assert_eq!(kinds(&compared), [(Kind::Untold, "")]);
    assert_eq!(compared.counts.listed_untold, 1);
    // The beginning alone tells more than nothing.
    let begun = listed(1, Span { create_time: time(30), delete_time: None });
    let compared = history(&rows, &[begun, silent]);
    assert_eq!((compared.findings.len(), compared.counts.unended), (0, 1));
}

#[test]
fn who_was_there_before_may_be_whom_chat_called_a_member() {
    // By a list without times, of somebody whose id Chat has never told.
    let met = Holding { existed: true, ..nameless(1, span(10, 20)) };
    let mut of = known(View::History, vec![met]);
    of.found = vec![found(5, Span::default(), 1)];
    let compared = compare(&of, &[listed(5, Span::default())]);
    assert_eq!((compared.counts.row_untold, compared.counts.before), (1, 0));
    // And in a space that never was in import mode.
    let of = known(View::Standard, vec![Holding { existed: true, ..nameless(1, current(1).span) }]);
    let compared = compare(&of, &[member(5, 10)]);
    assert_eq!((compared.counts.row_untold, compared.counts.before), (1, 0));
    assert_eq!(of.to_ask_for(&[member(5, 10)]).len(), 1);
}

#[test]
fn members_of_a_completed_space() {
    let mut chief = current(2);
    chief.role = Some("ROLE_MANAGER".into());
    let left = row(3, span(10, 20));
    let open = Holding { state: State::Open, ..current(4) };
    let rows = [current(1), chief, left, open];
    let at = 2_000_000_100;
    let mut completer = member(50, at);
    completer.role = ListedRole::Known(Role::Manager);
    let list = [member(1, at), member(2, at), member(3, at), completer, member(60, at)];
    let compared = completed(&rows, &list);
    assert_eq!(
        kinds(&compared),
        [
            (Kind::Missing, "users/4"),
            (Kind::Unexpected, "users/60"),
            (Kind::Unexpected, "users/3"),
            (Kind::Role, "users/2"),
            (Kind::Apart, "users/50"),
        ]
    );
    assert_eq!((compared.counts.matching, compared.counts.past), (1, 1));
    assert_eq!(&*compared.findings[3].listed_role, "ROLE_MEMBER");
    let mut rest = list.to_vec();
    rest[1].role = ListedRole::Known(Role::Manager);
    assert_eq!(completed(&rows, &rest).counts.role, 0);
    // A manager who came much later has not completed it.
    rest[3].span.create_time = time(at + 3_600_000_000);
    assert_eq!(completed(&rows, &rest).counts.unexpected, 3);
}

#[test]
fn who_is_not_listed_may_be_a_member_all_the_same() {
    let group = |name: &str| Listed { holder: name.into(), role: ListedRole::Untold, ..member(1, 1) };
    let met = Holding { existed: true, ..current(1) };
    assert_eq!(kinds(&completed(std::slice::from_ref(&met), &[])), [(Kind::Missing, "users/1")]);
    let mut of = known(COMPLETED, vec![met, Holding { member: "groups/g".into(), user: None, ..current(2) }]);
    let compared = compare(&of, &[group("groups/g")]);
    assert_eq!(kinds(&compared), [(Kind::Untold, "users/1")]);
    assert_eq!(compared.counts.matching, 1);
    of.rows = vec![Holding { member: "users/app".into(), user: None, ..current(1) }];
    assert_eq!(kinds(&compare(&of, &[])), [(Kind::Missing, "users/app")]);
    of.left_out = LeftOut::by(Access::Admin);
    assert_eq!(kinds(&compare(&of, &[])), [(Kind::Untold, "users/app")]);
    of.rows = vec![current(1)];
    assert_eq!(kinds(&compare(&of, &[])), [(Kind::Missing, "users/1")]);
    of.left_out = LeftOut::by(Access::App);
    assert_eq!(kinds(&compare(&of, &[])), [(Kind::Untold, "users/1")]);
    let invited = Listed { invited: true, role: ListedRole::Untold, ..member(1, 1) };
    let asks = Holding { role: Some("ROLE_MANAGER".into()), ..current(1) };
    let compared = completed(&[asks], &[invited]);
    assert_eq!((compared.counts.matching, compared.counts.invited, compared.counts.role_untold), (1, 1, 1));
}

#[test]
fn a_space_that_was_never_in_import_mode() {
    let of = known(View::Standard, vec![current(1)]);
    let app = Listed { app: true, holder: "users/app".into(), ..member(8, 5000) };
    let list = [member(1, 2000), member(2, 10), member(3, 5000), app, listed(4, Span::default())];
    let compared = compare(&of, &list);
    assert_eq!(
        kinds(&compared),
        [
            (Kind::Unexpected, "users/3"),
            (Kind::Before, "users/2"),
            (Kind::Apart, "users/4"),
            (Kind::Apart, "users/app"),
        ]
    );
}

#[test]
fn members_of_unknown_ids_are_asked_for_by_address() {
    let mut of = known(COMPLETED, vec![nameless(1, current(1).span), current(2)]);
    let list = [member(2, 10), member(77, 10)];
    assert_eq!(of.to_ask_for(&list), [of.rows[0].member.clone()]);
    assert!(of.to_ask_for(&list[..1]).is_empty(), "nobody is listed who could be them");
    assert_eq!(kinds(&compare(&of, &list)), [(Kind::Untold, "")]);
    assert_eq!(kinds(&compare(&of, &list[..1])), [(Kind::Missing, "")]);
    let mut gone = of.clone();
    gone.told(&[(of.rows[0].member.clone(), None)].into());
    assert_eq!(kinds(&compare(&gone, &list)), [(Kind::Missing, ""), (Kind::Unexpected, "users/77")]);
    of.told(&[(of.rows[0].member.clone(), Some("users/77".into()))].into());
    assert_eq!(compare(&of, &list).findings, []);
}

const USERS: u64 = 5;

fn any_span() -> impl Strategy<Value = Span> {
    (prop::option::weighted(0.8, 1i64..5), prop::option::weighted(0.9, 5i64..9)).prop_map(
        |(create, delete)| Span {
            create_time: create.map(Timestamp::from_micros),
            delete_time: delete.map(Timestamp::from_micros),
        },
    )
}

fn any_row() -> impl Strategy<Value = Holding> {
    (0..USERS, any::<bool>(), any_span(), 0i64..5, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(user, is_known, span, state, existed, sent, role)| Holding {
            user: is_known.then(|| format!("users/{user}").into()),
            state: State::of_code(state).unwrap(),
            existed,
            sent,
            role: role.then(|| "ROLE_MANAGER".into()),
            ..row(user, span)
        },
    )
}

fn any_listed() -> impl Strategy<Value = Listed> {
    let role = prop::sample::select(vec!["", "ROLE_MEMBER", "ROLE_MANAGER", "ROLE_JESTER"]);
    (0..USERS * 2, any_span(), role, any::<bool>()).prop_map(|(user, span, role, app)| Listed {
        role: ListedRole::read(role),
        app: app && user == 0,
        ..listed(user, span)
    })
}

prop_compose! {
    fn any_known()(
        rows in prop::collection::vec(any_row(), 0..12),
        before in prop::collection::vec((0..USERS * 2, any_span(), 1u64..3), 0..4),
        view in prop::sample::select(vec![View::History, COMPLETED, View::Completed(None), View::Standard]),
        named in any::<bool>(),
    ) -> Known {
        let mut known = known(view, rows);
        known.found = before.into_iter().map(|(user, span, copies)| found(user, span, copies)).collect();
        if named {
            known.names.insert("users/7".to_owned(), "users/seven@example.com".to_owned());
        }
        known
    }
}

proptest! {
    #[test]
    fn every_row_and_every_listed_membership_is_counted_once(
        known in any_known(),
        list in prop::collection::vec(any_listed(), 0..14),
    ) {
        let Compared { counts, findings } = compare(&known, &list);
        prop_assert_eq!(counts.rows, known.rows.len() as u64);
        let rows = counts.matching + counts.missing + counts.different + counts.role + counts.rejected
            + counts.unsettled + counts.open + counts.past + counts.row_untold;
        prop_assert_eq!(rows, counts.rows, "{:?}", counts);
        prop_assert_eq!(counts.listed, list.len() as u64);
        let listed = counts.held + counts.unexpected + counts.different + counts.doubled + counts.rejected_held
            + counts.unsettled_held + counts.before + counts.apart + counts.listed_untold;
        prop_assert_eq!(listed, counts.listed, "{:?}", counts);
        let differences = findings.iter().filter(|finding| finding.kind.is_difference()).count() as u64;
        prop_assert!(differences <= counts.differences());
        prop_assert_eq!(differences == 0, counts.differences() == 0, "each is named");
    }

    #[test]
    fn the_order_of_a_list_says_nothing(
        known in any_known(),
        list in prop::collection::vec(any_listed(), 0..10).prop_flat_map(|list| {
            (Just(list.clone()), Just(list).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(compare(&known, &list.0).counts, compare(&known, &list.1).counts);
    }

    #[test]
    fn a_list_that_is_as_the_journal_says(
        rows in prop::collection::btree_set((0..USERS, 1i64..5, 5i64..9), 0..12),
        silent in any::<bool>(),
        strangers in prop::collection::btree_set((20u64..24, 1i64..5, 5i64..9), 0..4),
        change in 0usize..4,
        which in any::<prop::sample::Index>(),
    ) {
        let told = |user: u64, create: i64, delete: i64| {
            listed(user, if silent { Span::default() } else { span(create, delete) })
        };
        let done: Vec<Holding> = rows.iter().map(|(user, create, delete)| row(*user, span(*create, *delete))).collect();
        let mut list: Vec<Listed> = rows.iter().map(|(user, create, delete)| told(*user, *create, *delete)).collect();
        let mut of = known(View::History, done);
        for (user, create, delete) in &strangers {
            let listed = told(*user, *create, *delete);
            of.found.push(found(*user, listed.span, 1));
            list.push(listed);
        }
        let whole = compare(&of, &list);
        if !rows.is_empty() {
            prop_assert_eq!(whole.counts.differences(), 0, "{:?}", whole);
            prop_assert_eq!(whole.counts.before, strangers.len() as u64);
        }
        prop_assert_eq!(whole.counts.matching, rows.len() as u64);
        // Whatever is changed is noticed, and nothing else.
        if rows.is_empty() {
            return Ok(());
        }
        let place = which.index(rows.len());
        let expected = match change {
            0 => {
                list.remove(place);
                Kind::Missing
            }
            1 => {
                list.push(list[place].clone());
                if silent { Kind::Unexpected } else { Kind::Doubled }
            }
            2 => {
                list.push(told(30, 1, 5));
                Kind::Unexpected
            }
            _ if silent => return Ok(()),
            _ => {
                list[place].span.delete_time = time(100);
                Kind::Different
            }
        };
        let changed = compare(&of, &list).counts;
        prop_assert_eq!((changed.of(expected), changed.differences()), (1, 1), "{:?}", changed);
    }
}
