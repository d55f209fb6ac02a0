use super::*;

#[test]
fn rows_and_what_else_they_say() {
    assert_reads(
        "rows.csv",
        "space,member,createTime,deleteTime,role,note\r\n\
         AAA,Maria@Example.com,2021-03-05T09:30:00Z,,ROLE_MANAGER,\r\n\
         spaces/AAA,users/123,2021-03-05T10:30:00+01:00,2022-01-01T00:00:00Z,,\"said \"\"hi\"\"\"\r\n"
            .as_bytes(),
        r#"2: spaces/AAA users/maria@example.com 2021-03-05T09:30:00Z - ROLE_MANAGER {"space":"AAA","member":"Maria@Example.com","note":""}
3: spaces/AAA users/123 2021-03-05T09:30:00Z 2022-01-01T00:00:00Z - {"createTime":"2021-03-05T10:30:00+01:00","note":"said \"hi\""}"#,
    );
    assert_reads(
        "rows.csv",
        b"space;member\nspaces/A;users/1\n\n  \nspaces/B;groups/2",
        "2: spaces/A users/1 - - -\n5: spaces/B groups/2 - - -",
    );
    assert_reads(
        "rows.csv",
        b"space,delete_time,member\nspaces/A,2021-01-01T00:00:00Z,users/app\n",
        "2: spaces/A users/app - 2021-01-01T00:00:00Z -",
    );
}

#[test]
fn a_bad_row_is_given_back_whole_with_all_its_problems() {
    assert_reads(
        "rows.csv",
        b"Team,space,member,create_time,role\nx,#b,,2021-13-05,manager\ny,spaces/A,users/1,,\n",
        r##"rows.csv:2: space "#b": it is neither spaces/{id} nor a bare id
  help: to use other names, give --spaces MAP.csv with the columns name,space; `tenure spaces create` makes the spaces and that map
rows.csv:2: member: it is missing
  help: fill it in, or delete the row
rows.csv:2: create_time "2021-13-05": it is not an RFC 3339 time such as 2021-03-05T09:30:00Z
  help: a day is not enough: write the time of day, too, and its zone: 2021-03-05T09:30:00Z
rows.csv:2: role "manager": it is neither ROLE_MEMBER, ROLE_MANAGER nor ROLE_ASSISTANT_MANAGER
  help: Chat shows ROLE_MANAGER as "owner" and ROLE_ASSISTANT_MANAGER as "manager": write the one you mean
  given: {"Team":"x","space":"#b","member":"","create_time":"2021-13-05","role":"manager"}
3: spaces/A users/1 - - - {"Team":"y"}"##,
    );
}

#[test]
fn lines_whose_fields_cannot_be_told_apart() {
    for (text, expected) in [
        (
            &b"spaces/A,users/1\n"[..],
            r#"rows.csv:2: it has 2 fields, but the header has 3
  help: are delimiters missing, or is the line cut off? an empty value needs its delimiter too
  given: {"raw":"spaces/A,users/1"}"#,
        ),
        (
            b"spaces/A,users/1,a,\"b\nc\"\nspaces/A,users/1,\n",
            r#"rows.csv:2: it has 4 fields, but the header has 3
  help: is a delimiter inside a value? put that value in quotes
  given: {"raw":"spaces/A,users/1,a,\"b\nc\""}
4: spaces/A users/1 - - - {"note":""}"#,
        ),
        (
            b"spaces/A,users/1,\"a\"b\nspaces/A,users/1,x\n",
            r#"rows.csv:2: note: text follows its closing quote: "b"
  help: write a quote inside a quoted field twice: ""
  given: {"raw":"spaces/A,users/1,\"a\"b"}
3: spaces/A users/1 - - - {"note":"x"}"#,
        ),
        (
            b"spaces/A,users/1,\"so\nhe said \"hi, there\" and left\"\nspaces/A,users/1,x\n",
            r#"rows.csv:2: note: text follows its closing quote on line 3: "hi, there" and left""
  help: write a quote inside a quoted field twice: ""
  given: {"raw":"spaces/A,users/1,\"so\nhe said \"hi, there\" and left\""}
4: spaces/A users/1 - - - {"note":"x"}"#,
        ),
        (
            b"spaces/A,users/1,M\xfcller\nspaces/A,users/1,x\n",
            "rows.csv:2: note \"M\u{fffd}ller\": it is not UTF-8
  help: was it saved as Windows-1252 or Latin-1? save it as UTF-8
  given: {\"raw\":\"spaces/A,users/1,M\u{fffd}ller\"}
3: spaces/A users/1 - - - {\"note\":\"x\"}",
        ),
        (
            b"spaces/A,users/1\0,x\nspaces/A,users/1,x\n",
            r#"rows.csv:2: member: it contains a NUL byte
  help: was it damaged, or is a part of it UTF-16? save it as UTF-8
  given: {"raw":"spaces/A,users/1\u0000,x"}
3: spaces/A users/1 - - - {"note":"x"}"#,
        ),
        (
            b",,\n",
            r#"rows.csv:2: it has neither space nor member nor times
  help: fill it in, or delete the line
  given: {"space":"","member":"","note":""}"#,
        ),
        (
            b"spaces/A,users/1,x\nspaces/A,\"users/1,x\nspaces/A,users/2,x\n",
            "2: spaces/A users/1 - - - {\"note\":\"x\"}
rows.csv:3: member: a quote opens here and is never closed
  help: close it, or delete it; the rows after it could not be read",
        ),
    ] {
        assert_reads("rows.csv", &[b"space,member,note\n", text].concat(), expected);
    }
}

#[test]
fn a_quote_inside_an_unquoted_field_is_text() {
    assert_reads(
        "rows.csv",
        b"space,member,note\nspaces/A,users/1,5\" pipe\n",
        r#"2: spaces/A users/1 - - - {"note":"5\" pipe"}"#,
    );
}

#[test]
fn files_without_rows() {
    for (text, expected) in [
        (&b""[..], "rows.csv: it is empty\n  help: check that the export finished"),
        (b"\xef\xbb\xbf", "rows.csv: it is empty\n  help: check that the export finished"),
        (b"\xff\xfe", "rows.csv: it is empty\n  help: check that the export finished"),
        (b"\n\r\n", "rows.csv: it has nothing but blank lines\n  help: check that the export finished"),
        (
            b"\nspace,member\n\n",
            "rows.csv:2: it has a header, but no row below it\n  help: check that the export finished",
        ),
        (
            b"PK\x03\x04\x14\x00",
            "rows.csv: it is a ZIP archive or an Excel workbook\n  help: unpack it, or save the sheet as CSV UTF-8",
        ),
        (
            b"s\0p\0a\0c\0e\0",
            "rows.csv: it begins with NUL bytes: UTF-16 without a byte order mark, or no text at all\n  help: save it as UTF-8",
        ),
        (
            b"space,\"mem\"ber\n",
            "rows.csv:1: text follows its closing quote: \"ber\"\n  help: write a quote inside a quoted field twice: \"\"",
        ),
        (
            b"space,\"member\n",
            "rows.csv:1: a quote opens here and is never closed\n  help: close it, or delete it; the rows after it could not be read",
        ),
        (
            b"space,m\xffmber\n",
            "rows.csv:1: \"m\u{fffd}mber\": it is not UTF-8\n  help: was it saved as Windows-1252 or Latin-1? save it as UTF-8",
        ),
    ] {
        assert_reads("rows.csv", text, expected);
    }
}

#[test]
fn rows_before_the_end_of_a_broken_file_are_read() {
    let mut text = b"space,member\n".to_vec();
    for user in 0..20_000 {
        text.extend_from_slice(format!("spaces/A,users/{user}\n").as_bytes());
    }
    text.extend_from_slice(b"spaces/A,\"users/1");
    let said = read("rows.csv", text);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 20_002);
    assert_eq!(lines[19_999], "20001: spaces/A users/19999 - - -");
    assert_eq!(lines[20_000], "rows.csv:20002: member: a quote opens here and is never closed");
}

#[test]
fn an_open_quote_in_a_big_file_is_named_by_its_line() {
    let mut text = b"space,member\nspaces/A,users/1\nspaces/A,\"users/2\n".to_vec();
    text.extend(b"spaces/A,users/3\n".repeat(100_000));
    assert_reads(
        "rows.csv",
        &text,
        "2: spaces/A users/1 - - -
rows.csv:3: member: a quote opens here and is never closed within 1 MiB
  help: close it, or delete it; the rows after it could not be read",
    );
}

#[test]
fn the_layout_is_the_inputs() {
    let reader = reader("rows.csv", "x;member;space;create_time\n1;users/1;spaces/A;\n").unwrap();
    let layout = serde_json::to_string(reader.layout()).unwrap();
    assert_eq!(layout, r#"{"format":"csv","delimiter":";","columns":["x","member","space","create_time"]}"#);
    assert_eq!(serde_json::from_str::<Layout>(&layout).unwrap(), *reader.layout());
}
