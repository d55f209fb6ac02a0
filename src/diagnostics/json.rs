//! Problems for a script.

use serde_json::{Value, json};

use super::Severity;
use crate::input::{Fold, Problem, Problems};

/// A list with an object a kind: `severity`, `kind`, `count`, `first` (the first of each way to mend it, in full) and `more`
/// (file and line of some others). `docs/check.md` describes it.
pub fn listed(problems: &Problems, severity: Severity) -> Vec<Value> {
    let mut kinds: Vec<Fold<'_>> = Vec::new();
    for mut fold in problems.folds() {
        match kinds.iter_mut().find(|kind| kind.kind == fold.kind) {
            Some(kind) => {
                kind.count += fold.count;
                kind.first.append(&mut fold.first);
                kind.more.append(&mut fold.more);
            }
            None => kinds.push(fold),
        }
    }
    let kind = |kind: &Fold<'_>| {
        let first: Vec<Value> = kind.first.iter().map(|problem| in_full(problem)).collect();
        let more: Vec<Value> =
            kind.more.iter().map(|(file, line)| json!({ "file": file, "line": line })).collect();
        json!({
            "severity": severity.as_str(),
            "kind": kind.kind.as_str(),
            "count": kind.count,
            "first": first,
            "more": more,
        })
    };
    kinds.iter().map(kind).collect()
}

/// What is not known or does not apply is `null`.
fn in_full(problem: &Problem) -> Value {
    let excerpt = problem.excerpt.as_deref();
    json!({
        "file": &*problem.file,
        "line": excerpt.map(|excerpt| excerpt.line).or(Some(problem.line).filter(|line| *line > 0)),
        "column": excerpt.map(|excerpt| excerpt.column),
        "end_column": excerpt.map(|excerpt| excerpt.end_column),
        "field": problem.column,
        "value": problem.value,
        "message": problem.message,
        "help": problem.help,
    })
}
