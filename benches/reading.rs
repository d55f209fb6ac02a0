//! Reading and journaling, piece by piece: `cargo bench --bench reading`. Nothing here fails for being slow.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tenure::input::{Entry, Reader, Rules, Source};
use tenure::journal::{Incoming, Journal, Loader, Verdict};
use tenure::model::{Names, Operation, Timestamp};

const ROWS: u64 = 100_000;

fn now() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000)
}

/// Rows in no order: a step that shares no factor with their number leads from one to the next.
fn shuffled() -> impl Iterator<Item = (u64, u64)> {
    (0..ROWS).map(|row| row * 61_803 % ROWS).map(|row| (row / 50, row % 50))
}

fn csv(users: &str) -> String {
    let mut text = "space,member,createTime,deleteTime,role\n".to_owned();
    for (member, space) in shuffled() {
        let _ = writeln!(
            text,
            "spaces/AAQA{space:07},{users}maria.schmidt{member}@example.com,2019-03-04T08:00:00Z,2021-06-30T17:00:00Z,"
        );
    }
    text
}

fn jsonl() -> String {
    let mut text = String::new();
    for (member, space) in shuffled() {
        let _ = writeln!(
            text,
            "{{\"space\":\"spaces/AAQA{space:07}\",\"member\":\"users/maria.schmidt{member}@example.com\",\
             \"createTime\":\"2019-03-04T08:00:00Z\",\"deleteTime\":\"2021-06-30T17:00:00Z\"}}"
        );
    }
    text
}

fn quoted(text: &str) -> String {
    let lines = text.lines().map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")));
    lines.collect()
}

/// Reads a text and gives its rows back as the journal takes them.
fn read(name: &str, text: &str) -> (Vec<Incoming>, Names) {
    let Ok(source) = Source::from_reader(name, Cursor::new(text.to_owned())) else {
        return Default::default();
    };
    let Ok(mut reader) = Reader::new(source, None, Arc::new(Rules::new(now()))) else {
        return Default::default();
    };
    let (mut rows, mut names) = (Vec::new(), Names::new());
    while let Some(Ok(entry)) = reader.next_numbered(&mut names) {
        if let Entry::Row(row) = entry {
            rows.push(Incoming::new(0, row.line, &row.tenure, row.given.as_json()));
        }
    }
    (rows, names)
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    let plain = csv("users/");
    for (what, name, text) in [
        ("csv", "rows.csv", plain.clone()),
        ("csv with bare addresses", "rows.csv", csv("")),
        ("csv in quotes", "rows.csv", quoted(&plain)),
        ("jsonl", "rows.jsonl", jsonl()),
    ] {
        group.bench_function(what, |bench| bench.iter(|| black_box(read(name, &text))));
    }
}

/// What the loader does with rows that are read: sorting, telling them apart, and writing.
fn load(mut loader: Loader<'_>, rows: Vec<Incoming>, names: Names) {
    let _ = loader.begin_source("rows.csv", "{}");
    *loader.names() = names;
    let _ = loader.rows(rows);
    let _ = black_box(loader.settle(|_| Verdict::Stands, || true));
    let _ = loader.commit();
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    let text = csv("users/");
    let rows = || read("rows.csv", &text);
    group.bench_function("nowhere", |bench| {
        bench.iter_batched(
            rows,
            |(rows, names)| load(Loader::nowhere(Operation::Create, now()), rows, names),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("into a new journal", |bench| {
        bench.iter_batched(
            rows,
            |(rows, names)| {
                let Ok(folder) = tempfile::tempdir() else { return };
                if let Ok(mut journal) = Journal::create(&folder.path().join("j.db"), "emulator", now()) {
                    if let Ok(loader) = journal.loader(now()) {
                        load(loader, rows, names);
                    }
                    let _ = journal.close();
                }
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(all, reading, loading);
criterion_main!(all);
