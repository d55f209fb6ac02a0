use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::input::Source;
use crate::input::names::Owned;

fn rules() -> Rules {
    Rules::new(Timestamp::parse("2026-01-01T00:00:00Z", None).unwrap())
}

fn map(file: &str, text: &'static str) -> Source {
    Source::from_reader(file, Cursor::new(text)).map_err(|problem| *problem).unwrap()
}

fn with_maps() -> Rules {
    let mut rules = rules();
    rules.spaces =
        Some(SpaceMap::read(map("s.csv", "name,space\n#a,spaces/AAA\nspaces/OLD,spaces/NEW\n")).unwrap());
    rules.users = Some(UserMap::read(map("u.csv", "id,member\nU1,a@b.cd\nold@b.cd,users/7\n")).unwrap());
    rules
}

const SOUND: [&str; 5] = ["spaces/A", "users/1", "", "", ""];

/// A sound row with some texts changed, and what is said of it: `key: message (help)`.
fn said(changes: &[(Key, &str)], rules: &Rules) -> Vec<String> {
    let mut fields = Fields(SOUND);
    for (key, text) in changes {
        fields.0[*key as usize] = text;
    }
    let flaws = check(&fields, rules, &Owned).err().unwrap_or_default();
    flaws
        .into_iter()
        .map(|flaw| {
            let key = flaw.key.map_or("row", Key::as_str);
            let help = flaw.help.map_or(String::new(), |help| format!(" ({help})"));
            format!("{} {key}: {}{help}", flaw.kind, flaw.message)
        })
        .collect()
}

#[track_caller]
fn assert_said(changes: &[(Key, &str)], rules: &Rules, expected: &[&str]) {
    assert_eq!(said(changes, rules), expected, "{changes:?}");
}

#[test]
fn spaces() {
    for (text, expected) in [
        ("A", &[][..]),
        ("", &["missing-value space: it is missing (fill it in, or delete the row)"]),
        (
            "#a",
            &[
                "bad-space space: it is neither spaces/{id} nor a bare id (to use other names, give --spaces MAP.csv with the columns name,space; `tenure spaces create` makes the spaces and that map)",
            ],
        ),
        (" A", &["bad-space space: it is neither spaces/{id} nor a bare id (remove the blanks around it)"]),
        (
            "spaces/a/b",
            &[
                "bad-space space: it is neither spaces/{id} nor a bare id (an id has only letters, digits, - and _)",
            ],
        ),
        (
            "b\u{fffd}ro",
            &[
                "bad-character space: it contains U+FFFD, where a character was lost (export it again as UTF-8; the lost character cannot be brought back from this file)",
            ],
        ),
        ("A\t", &["bad-character space: it contains the control character U+0009 (remove it)"]),
    ] {
        assert_said(&[(Key::Space, text)], &rules(), expected);
    }
    for (text, expected) in [
        ("#a", &[][..]),
        ("spaces/B", &[]),
        (
            "B",
            &[
                "unknown-space space: it is not in s.csv (add a line for it to s.csv, or write spaces/{id} here)",
            ],
        ),
        ("#a ", &["unknown-space space: it is not in s.csv (remove the blanks around it)"]),
        ("#A", &["unknown-space space: it is not in s.csv (did you mean \"#a\"?)"]),
        ("a", &["unknown-space space: it is not in s.csv (did you mean \"#a\"?)"]),
        (
            "spaces/?",
            &[
                "bad-space space: it is neither spaces/{id} nor a bare id (an id has only letters, digits, - and _)",
            ],
        ),
    ] {
        assert_said(&[(Key::Space, text)], &with_maps(), expected);
    }
    let fields = |space| Fields([space, "users/1", "", "", ""]);
    assert_eq!(
        admit(check(&fields("#a"), &with_maps(), &Owned).unwrap(), &mut Owned).space.as_str(),
        "spaces/AAA"
    );
    assert_eq!(
        admit(check(&fields("spaces/OLD"), &with_maps(), &Owned).unwrap(), &mut Owned).space.as_str(),
        "spaces/NEW"
    );
}

#[test]
fn members() {
    let give = "to use other ids, give --users MAP.csv with the columns id,member";
    let whole = "write the whole address, name@domain.example, or users/ and its number";
    let kinds = "write users/ and a number or an e-mail address, or groups/ and the id of a Google group";
    let neither = "it is neither users/{id or e-mail}, groups/{id}, users/app nor an e-mail address";
    let unseen = "remove it: delete the value and type it anew; it mostly comes from copying out of a web page or a mail";
    for (text, expected) in [
        ("groups/x", vec![]),
        ("", vec!["missing-value member: it is missing (fill it in, or delete the row)".to_owned()]),
        ("U1", vec![format!("bad-member member: {neither} ({give})")]),
        (" users/1", vec![format!("bad-member member: {neither} (remove the blanks around it)")]),
        ("users/", vec![format!("bad-member member: {neither} ({kinds})")]),
        ("a@b", vec![format!("bad-member member: it is not an e-mail address ({whole})")]),
        (
            " a@b.cd",
            vec!["bad-member member: it is not an e-mail address (remove the blanks around it)".to_owned()],
        ),
        (
            "mailto:a@b.cd",
            vec![
                "bad-member member: it is not an e-mail address (it is a link: write the address alone, a@b.cd)"
                    .to_owned(),
            ],
        ),
        (
            "an\u{200b}a@b.cd",
            vec![format!("bad-character member: it contains U+200B as character 3, which cannot be seen ({unseen})")],
        ),
        (
            "ana@b.cd\u{202e}",
            vec![format!("bad-character member: it contains U+202E as character 9, which cannot be seen ({unseen})")],
        ),
        (
            "a\u{7f}@b.cd",
            vec!["bad-character member: it contains the control character U+007F (remove it)".to_owned()],
        ),
    ] {
        assert_eq!(said(&[(Key::Member, text)], &rules()), expected, "{text}");
    }
    for (text, expected) in [
        ("U1", &[][..]),
        ("x@y.zz", &[]),
        (
            "U2",
            &[
                "unknown-user member: it is not in u.csv (add a line for it to u.csv, or write an e-mail address here)",
            ],
        ),
        ("U1 ", &["unknown-user member: it is not in u.csv (remove the blanks around it)"]),
        (
            "a@b",
            &[
                "bad-member member: it is not an e-mail address (write the whole address, name@domain.example, or users/ and its number)",
            ],
        ),
    ] {
        assert_said(&[(Key::Member, text)], &with_maps(), expected);
    }
    let fields = |member| Fields(["spaces/A", member, "", "", ""]);
    assert_eq!(
        admit(check(&fields("U1"), &with_maps(), &Owned).unwrap(), &mut Owned).member.as_str(),
        "users/a@b.cd"
    );
    assert_eq!(
        admit(check(&fields("old@b.cd"), &with_maps(), &Owned).unwrap(), &mut Owned).member.as_str(),
        "users/7"
    );
}

#[test]
fn times() {
    let (create, delete) = (Key::CreateTime, Key::DeleteTime);
    for (changes, expected) in [
        (&[(create, "2000-01-01T00:00:00Z"), (delete, "2000-01-01T00:00:00.000001Z")][..], &[][..]),
        (&[(delete, "2000-01-01T00:00:00.000001Z")], &[]),
        (&[(create, "2026-01-01T00:00:00Z")], &[]),
        (
            &[(create, "1999-12-31T23:59:59Z")],
            &[
                "time-too-early createTime: it is 1999-12-31T23:59:59Z, but Chat takes nothing before 2000-01-01T00:00:00Z (if it stands for \"unknown\", write the day on which the channel began, or leave the row out)",
            ],
        ),
        (
            &[(delete, "2000-01-01T00:00:00Z")],
            &[
                "time-too-early deleteTime: it is 2000-01-01T00:00:00Z, but Chat takes nothing before 2000-01-01T00:00:00Z (if it stands for \"unknown\", write the day on which the channel began, or leave the row out)",
            ],
        ),
        (
            &[(create, "2026-01-01T00:00:01Z"), (delete, "2026-01-01T00:00:02Z")],
            &[
                "time-in-future createTime: it is 2026-01-01T00:00:01Z, which is still to come (it is 2026-01-01T00:00:00Z now) (correct it, or leave the row out until then)",
                "time-in-future deleteTime: it is 2026-01-01T00:00:02Z, which is still to come (it is 2026-01-01T00:00:00Z now) (leave it empty for somebody who is still a member)",
            ],
        ),
        (
            &[(create, "2021-01-01T00:00:00Z"), (delete, "2020-12-31T00:00:00Z")],
            &[
                "times-reversed deleteTime: it is before createTime, 2021-01-01T00:00:00Z (are the two swapped?)",
            ],
        ),
        (
            &[(create, "2021-01-01T00:00:00Z"), (delete, "2021-01-01T01:00:00+01:00")],
            &[
                "times-reversed deleteTime: it is the same as createTime (Chat wants createTime < deleteTime: a microsecond apart is enough)",
            ],
        ),
        (
            &[(create, "2021-01-01T00:00:00")],
            &[
                "time-without-zone createTime: it has no time zone (write it with Z or an offset such as +02:00, or give --timezone, e.g. --timezone Europe/Berlin)",
            ],
        ),
        (
            &[(create, "1614936600000")],
            &[
                "bare-number createTime: it is a bare number, not an RFC 3339 time such as 2021-03-05T09:30:00Z (is it milliseconds since 1970, 2021-03-05T09:30:00Z? if all times are so, give --time-format epoch-ms; else write it as that)",
            ],
        ),
    ] {
        assert_said(changes, &rules(), expected);
    }
}

#[test]
fn epochs() {
    let mut rules = rules();
    rules.times.format = TimeFormat::EpochS;
    for (text, expected) in [
        ("1614936600", &[][..]),
        (
            "2021-03-05T09:30:00Z",
            &[
                "bad-time createTime: it is not a number of seconds since 1970 (it is RFC 3339: leave --time-format away)",
            ],
        ),
        (
            "1614936600000",
            &["bad-time createTime: it is out of range (is it in milliseconds? give --time-format epoch-ms)"],
        ),
        (
            "161493660000",
            &[
                "time-in-future createTime: it is 7087-07-13T14:00:00Z, which is still to come (it is 2026-01-01T00:00:00Z now) (is it in milliseconds? give --time-format epoch-ms)",
            ],
        ),
    ] {
        assert_said(&[(Key::CreateTime, text)], &rules, expected);
    }
    rules.times.format = TimeFormat::EpochMs;
    assert_said(
        &[(Key::CreateTime, "1614936600")],
        &rules,
        &[
            "time-too-early createTime: it is 1970-01-19T16:35:36.600Z, but Chat takes nothing before 2000-01-01T00:00:00Z (is it in seconds? give --time-format epoch-s)",
        ],
    );
}

#[test]
fn roles() {
    let neither = "bad-role role: it is neither ROLE_MEMBER, ROLE_MANAGER nor ROLE_ASSISTANT_MANAGER";
    let words = "(Chat shows ROLE_MANAGER as \"owner\" and ROLE_ASSISTANT_MANAGER as \"manager\": write the one you mean)";
    for (text, help) in [
        ("role_member", "(did you mean ROLE_MEMBER?)"),
        ("Member", "(did you mean ROLE_MEMBER?)"),
        ("ROLE_MANGER", "(did you mean ROLE_MANAGER?)"),
        ("assistant manager", "(did you mean ROLE_ASSISTANT_MANAGER?)"),
        ("Owner", words),
        ("MANAGER", words),
        ("guest", "(leave it empty for an ordinary member)"),
    ] {
        assert_eq!(said(&[(Key::Role, text)], &rules()), [format!("{neither} {help}")], "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_passes_is_in_order(
        texts in prop::array::uniform5("\\PC{0,12}|spaces/A|users/1|a@b.cd|ROLE_MEMBER|20[0-3][0-9]-0[1-9]-1[0-9]T0[0-9]:00:00Z|[0-9]{1,25}(\\.[0-9]{1,9})?"),
        format in prop::sample::select(vec![TimeFormat::Rfc3339, TimeFormat::EpochS, TimeFormat::EpochMs]),
    ) {
        let mut rules = with_maps();
        rules.times.format = format;
        let fields = Fields([&texts[0], &texts[1], &texts[2], &texts[3], &texts[4]]);
        match check(&fields, &rules, &Owned) {
            Ok(tenure) => {
                let times = [Some(EARLIEST), tenure.create_time, tenure.delete_time, Some(rules.now)];
                let times: Vec<_> = times.into_iter().flatten().collect();
                prop_assert!(times.is_sorted());
                prop_assert!(tenure.create_time.is_none() || tenure.create_time != tenure.delete_time);
            }
            Err(flaws) => prop_assert!(!flaws.is_empty()),
        }
    }
}
