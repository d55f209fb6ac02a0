use super::*;

#[test]
fn rows_and_what_else_they_say() {
    assert_reads(
        "rows.jsonl",
        r#"
{"space":"spaces/A","member":"users/1","createTime":"2021-03-05T09:30:00Z","role":"ROLE_MEMBER"}
 {"note":{"a":[1,2.5,null]},"member":"a@b.cd","space":"A","delete_time":"2021-03-05T09:30:00Z","x":null}
{"space":"spaces/A","member":"users/1","role":null,"deleteTime":""}
"#
        .as_bytes(),
        r#"2: spaces/A users/1 2021-03-05T09:30:00Z - ROLE_MEMBER
3: spaces/A users/a@b.cd - 2021-03-05T09:30:00Z - {"note":{"a":[1,2.5,null]},"x":null,"space":"A","member":"a@b.cd","delete_time":"2021-03-05T09:30:00Z"}
4: spaces/A users/1 - - - {"deleteTime":""}"#,
    );
}

#[test]
fn memberships_as_members_list_prints_them() {
    assert_reads(
        "rows.jsonl",
        br#"{"name":"spaces/A/members/1","state":"JOINED","role":"ROLE_MEMBER","createTime":"2021-03-05T09:30:00.250Z","member":{"name":"users/1","type":"HUMAN"}}
{"name":"spaces/A/members/2","groupMember":{"name":"groups/g2"}}
{"name":"spaces/A/members/3","member":{"type":"HUMAN"}}
{"name":"spaces/A/members/app"}
{"name":"spaces/A/members/4"}
{"name":"Maria","space":"spaces/A","member":"users/1"}
{"name":"spaces/A/members/5","space":"spaces/B","member":"users/5"}
{"name":"spaces/A/members/6","member":{"name":"users/6"},"groupMember":{"name":"groups/6"}}
"#,
        r#"1: spaces/A users/1 2021-03-05T09:30:00.250Z - ROLE_MEMBER {"name":"spaces/A/members/1","state":"JOINED","space":null,"member":{"name":"users/1","type":"HUMAN"}}
2: spaces/A groups/g2 - - - {"name":"spaces/A/members/2","groupMember":{"name":"groups/g2"},"space":null,"member":null}
3: spaces/A users/3 - - - {"name":"spaces/A/members/3","space":null,"member":{"type":"HUMAN"}}
4: spaces/A users/app - - - {"name":"spaces/A/members/app","space":null,"member":null}
rows.jsonl:5: member: it is missing
  help: fill it in, or delete the row
  given: {"name":"spaces/A/members/4"}
6: spaces/A users/1 - - - {"name":"Maria"}
rows.jsonl:7: space "spaces/B": it is spaces/B, but name says spaces/A
  help: remove the wrong one
  given: {"name":"spaces/A/members/5","space":"spaces/B","member":"users/5"}
rows.jsonl:8: member "users/6": it stands beside groupMember: a membership has one of the two
  help: remove one of them
  given: {"name":"spaces/A/members/6","member":{"name":"users/6"},"groupMember":{"name":"groups/6"}}"#,
    );
}

#[test]
fn what_is_wrong_with_a_line() {
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let deep_said = format!(
        "rows.jsonl:1: it is nested too deep, at character 132
  help: 128 levels at most: leave away what the row does not need
  given: {{\"raw\":{}}}",
        serde_json::to_string(&deep).unwrap()
    );
    for (text, expected) in [
        (
            &b"[1]"[..],
            r#"rows.jsonl:1: it is a list, not an object
  help: write each object of the list on a line of its own; jq -c '.[]' does
  given: {"raw":"[1]"}"#,
        ),
        (
            b"12",
            r#"rows.jsonl:1: it is a number, not an object
  help: is it CSV? then give --format csv
  given: {"raw":"12"}"#,
        ),
        (
            b"space,member",
            r#"rows.jsonl:1: it is not JSON: expected value, at character 1
  help: each line is one JSON object; if it is CSV, give --format csv
  given: {"raw":"space,member"}"#,
        ),
        (
            b"{",
            r#"rows.jsonl:1: it is not JSON: EOF while parsing an object, at character 1
  help: is the line cut off? an object must stand on one line; jq -c . writes it so
  given: {"raw":"{"}"#,
        ),
        (
            "{\"ü\":\"é\" \"b\":2}".as_bytes(),
            r#"rows.jsonl:1: it is not JSON: expected `,` or `}`, at character 10
  help: is a comma missing before it?
  given: {"raw":"{\"ü\":\"é\" \"b\":2}"}"#,
        ),
        (
            b"{\"space\":\"A\"} {}",
            r#"rows.jsonl:1: it is not JSON: trailing characters, at character 15
  help: each object stands on a line of its own, and nothing behind it
  given: {"raw":"{\"space\":\"A\"} {}"}"#,
        ),
        (
            b"{\"space\":\"A\0\"}",
            r#"rows.jsonl:1: it contains a NUL byte
  help: was it damaged, or is a part of it UTF-16? save it as UTF-8
  given: {"raw":"{\"space\":\"A\u0000\"}"}"#,
        ),
        (
            b"{\"space\":\"M\xfcller\"}",
            "rows.jsonl:1: it is not UTF-8, from character 12 on
  help: was it saved as Windows-1252 or Latin-1? save it as UTF-8
  given: {\"raw\":\"{\\\"space\\\":\\\"M\u{fffd}ller\\\"}\"}",
        ),
        (
            br#"{"space":"A","space":"B","member":"users/1","createTime":"","create_time":"","x":1,"x":2}"#,
            r#"rows.jsonl:1: space "A": the key stands twice
  help: keep one of them
rows.jsonl:1: createTime: createTime and create_time are the same key in two spellings
  help: keep one of them
rows.jsonl:1: the key "x" stands twice
  help: keep one of them
  given: {"raw":"{\"space\":\"A\",\"space\":\"B\",\"member\":\"users/1\",\"createTime\":\"\",\"create_time\":\"\",\"x\":1,\"x\":2}"}"#,
        ),
        (
            br#"{"space":7,"member":["a@b.cd"],"createTime":1614936600,"role":{}}"#,
            r#"rows.jsonl:1: space: it is a number, not a text
  help: put it in quotes
rows.jsonl:1: member: it is a list, not a text
rows.jsonl:1: role: it is an object, not a text
rows.jsonl:1: createTime "1614936600": it is a bare number, not an RFC 3339 time such as 2021-03-05T09:30:00Z
  help: is it seconds since 1970, 2021-03-05T09:30:00Z? if all times are so, give --time-format epoch-s; else write it as that
  given: {"space":7,"member":["a@b.cd"],"createTime":1614936600,"role":{}}"#,
        ),
        (
            br#"{"name":"spaces/A/members/1","member":{"name":1},"groupMember":null}"#,
            r#"rows.jsonl:1: member: its name is not a text
  given: {"name":"spaces/A/members/1","member":{"name":1},"groupMember":null}"#,
        ),
        (
            br#"{"memberships":[{"name":"spaces/A/members/1"}],"nextPageToken":""}"#,
            r#"rows.jsonl:1: it is a page of memberships, not one of them
  help: write each on a line of its own; jq -c '.memberships[]' does
  given: {"memberships":[{"name":"spaces/A/members/1"}],"nextPageToken":""}"#,
        ),
        (
            b"{}",
            r#"rows.jsonl:1: it has neither space nor member nor times
  help: fill it in, or delete the line
  given: {}"#,
        ),
        (b" \n\r\n", "rows.jsonl: it has nothing but blank lines\n  help: check that the export finished"),
        (b"", "rows.jsonl: it is empty\n  help: check that the export finished"),
        (deep.as_bytes(), &deep_said),
    ] {
        assert_reads("rows.jsonl", text, expected);
    }
}

#[test]
fn keys_that_are_nearly_ours() {
    assert_reads(
        "rows.jsonl",
        br#"{"space":"A","member":"a@b.cd","create_tim":"2020-01-01T00:00:00Z","delete_tme":"2020-02-01T00:00:00Z"}
{"space":"A","membr":"a@b.cd"}
{"space":"A","member":"a@b.cd","role":null,"deleteTime":null,"Delete Time":"x","createEvidence":"recorded","roles":1}
"#,
        r#"rows.jsonl:1: createTime: the key "create_tim" is nearly createTime, but not quite, so it would be passed over
  help: rename it to createTime, or to something unlike it
rows.jsonl:1: deleteTime: the key "delete_tme" is nearly deleteTime, but not quite, so it would be passed over
  help: rename it to deleteTime, or to something unlike it
  given: {"space":"A","member":"a@b.cd","create_tim":"2020-01-01T00:00:00Z","delete_tme":"2020-02-01T00:00:00Z"}
rows.jsonl:2: member: the key "membr" is nearly member, but not quite, so it would be passed over
  help: rename it to member, or to something unlike it
  given: {"space":"A","membr":"a@b.cd"}
3: spaces/A users/a@b.cd - - - {"Delete Time":"x","createEvidence":"recorded","roles":1,"space":"A","member":"a@b.cd"}"#,
    );
}

#[test]
fn epochs_may_be_numbers() {
    let mut rules = Rules::new(now());
    rules.times.format = TimeFormat::EpochS;
    let said = read_as(
        "rows.jsonl",
        r#"{"space":"spaces/A","member":"users/1","createTime":1614936600,"deleteTime":1614936600.25}
{"space":"spaces/A","member":"users/1","createTime":"1614936600"}"#,
        Arc::new(rules),
    );
    assert_eq!(
        said,
        r#"1: spaces/A users/1 2021-03-05T09:30:00Z 2021-03-05T09:30:00.250Z - {"createTime":1614936600,"deleteTime":1614936600.25}
2: spaces/A users/1 2021-03-05T09:30:00Z - - {"createTime":"1614936600"}"#
    );
}

#[test]
fn without_a_telling_name_the_first_byte_decides() {
    assert_eq!(
        read("<stdin>", "\n {\"space\":\"spaces/A\",\"member\":\"users/1\"}"),
        "2: spaces/A users/1 - - -"
    );
    assert_eq!(read("<stdin>", "space,member\nspaces/A,users/1"), "2: spaces/A users/1 - - -");
}
