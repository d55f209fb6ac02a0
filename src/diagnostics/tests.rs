use std::sync::Arc;

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::line::fit;
use super::*;
use crate::input::{Excerpt, Problem, ProblemKind, Problems};

fn excerpt(line: &str, value: &str) -> Excerpt {
    let begin = line.find(value).unwrap();
    Excerpt::of(7, line.as_bytes(), begin..begin + value.len())
}

/// The line, and its underline.
fn underlined(line: &str, value: &str, columns: usize) -> String {
    let shown = fit(&excerpt(line, value), columns);
    format!("{}\n{}{}", shown.parts.concat(), " ".repeat(shown.indent), "^".repeat(shown.length))
}

#[test]
fn the_value_is_underlined_whatever_stands_before_it() {
    insta::assert_snapshot!(
        [
            underlined("spaces/A,bob,x", "bob", 40),
            underlined("田中さん,bob,x", "bob", 40),
            underlined("zoe\u{308},bob,x", "bob", 40),
            underlined("a\tb,bob\tx", "bob", 40),
            underlined("\u{1b}[2J,bob", "bob", 40),
            underlined("a,田中,b", "田中", 40),
            underlined("a,,b", ",b", 40),
            underlined(&format!("{},bob,{}", "a".repeat(300), "b".repeat(300)), "bob", 40),
            underlined(&format!("{},bob", "a".repeat(60)), "bob", 40),
            underlined(&format!("bob,{}", "田".repeat(60)), "bob", 40),
            underlined(&format!("a,{},b", "c".repeat(60)), &"c".repeat(60), 40),
        ]
        .join("\n\n")
    );
}

fn some() -> Problems {
    let file: Arc<str> = "rows.csv".into();
    let mut problems = Problems::new();
    let line = "spaces/A,jörg.müller@example.com,04.03.2019 08:00,,";
    for number in 2..1300 {
        let mut problem = Problem::new(
            &file,
            number,
            ProblemKind::BadTime,
            "it is not an RFC 3339 time such as 2021-03-05T09:30:00Z",
        )
        .column("createTime")
        .value("04.03.2019 08:00")
        .help("write year, month and day in this order, then the time: 2021-03-05T09:30:00Z");
        let begin = line.find("04.").unwrap();
        problem.excerpt = Some(Box::new(Excerpt::of(number, line.as_bytes(), begin..begin + 16)));
        problems.push_at((0, number), problem);
    }
    problems.push_at(
        (0, 5),
        Problem::new(&"evil\u{1b}[2J.csv".into(), 0, ProblemKind::EmptyFile, "it is empty").fatal(),
    );
    let other: Arc<str> = "other.csv".into();
    for number in [3, 4, 5, 6, 9] {
        let file = if number < 6 { &file } else { &other };
        let problem = Problem::new(file, number, ProblemKind::BadRole, "it is no role").column("role");
        problems.push_at((1, number), problem.value("boss: 100 %, really"));
    }
    problems
}

#[test]
fn on_a_narrow_screen() {
    insta::assert_snapshot!(screen(&some(), Severity::Error, Screen { columns: Some(60), colour: false }));
}

#[test]
fn on_no_screen() {
    insta::assert_snapshot!(screen(&some(), Severity::Error, Screen { columns: None, colour: false }));
}

#[test]
fn colours_are_all_that_they_add() {
    let of = |colour| screen(&some(), Severity::Warning, Screen { columns: Some(80), colour });
    assert!(!of(false).contains('\u{1b}'));
    assert!(of(true).contains("\u{1b}[33m"));
    assert_eq!(console::strip_ansi_codes(&of(true)), of(false));
}

#[test]
fn for_a_code_review() {
    insta::assert_snapshot!(annotations(&some(), Severity::Error));
}

#[test]
fn for_a_script() {
    let mut listed = listed(&some(), Severity::Error);
    listed[0]["first"].as_array_mut().unwrap().truncate(1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&listed).unwrap());
}

fn any_text() -> impl Strategy<Value = String> {
    let c = prop_oneof![
        Just('a'),
        Just('田'),
        Just('\u{308}'),
        Just('\t'),
        Just('\u{9b}'),
        Just('\u{202e}'),
        Just('👩'),
        any::<char>(),
    ];
    prop::collection::vec(c, 0..80)
        .prop_map(|chars| chars.into_iter().filter(|c| !"\r\n".contains(*c)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_line_fits_and_disturbs_nothing(
        before in any_text(),
        value in any_text(),
        after in any_text(),
        columns in 10usize..130,
        long in any::<bool>(),
    ) {
        let before = if long { before.repeat(9) } else { before };
        let line = format!("{before}{value}{after}");
        let excerpt = Excerpt::of(1, line.as_bytes(), before.len()..before.len() + value.len());
        prop_assert_eq!(excerpt.column as usize, before.chars().count() + 1);
        let shown = fit(&excerpt, columns);
        let text = shown.parts.concat();
        prop_assert!(!text.contains(disturbs), "{text:?}");
        prop_assert!(crate::wording::width(&text) <= columns, "{text:?}");
        prop_assert!(shown.indent + shown.length <= columns, "{shown:?}");
        prop_assert_eq!(shown.indent, crate::wording::width(&shown.parts[0]));
    }

    #[test]
    fn nothing_of_a_problem_reaches_the_terminal(text in any_text(), columns in prop::option::of(0usize..130)) {
        let mut problem = Problem::new(&text.as_str().into(), 1, ProblemKind::BadSpace, text.as_str())
            .column(text.clone())
            .value(&text)
            .help(text.as_str());
        let plain = Screen { columns, colour: false };
        for quoted in [false, true] {
            if quoted {
                problem.excerpt = Some(Box::new(Excerpt::of(1, text.as_bytes(), 0..text.len())));
            }
            let problems = Problems::from(problem.clone());
            let shown = screen(&problems, Severity::Error, plain);
            prop_assert!(!shown.contains(|c| disturbs(c) && c != '\n'), "{shown:?}");
            let command = annotations(&problems, Severity::Error);
            prop_assert_eq!(command.lines().count(), 1, "{}", command);
            prop_assert!(!command.trim_end().contains(disturbs), "{command:?}");
        }
    }

    #[test]
    fn lines_of_text_fit(words in prop::collection::vec("[a-z田]{1,9}", 1..60), columns in 60usize..130) {
        let problem = Problem::new(&"rows.csv".into(), 1, ProblemKind::BadSpace, words.join(" "));
        let problems = Problems::from(problem.help(words.join(" ")));
        let shown = screen(&problems, Severity::Error, Screen { columns: Some(columns), colour: false });
        for line in shown.lines() {
            prop_assert!(line.width() <= columns, "{line}");
        }
    }
}
