//! Writes an input of any size to standard output, for measuring:
//! `cargo run --release --example generate -- --rows 1000000 --order shuffled > rows.csv`.
//!
//! The same arguments yield the same bytes. Of four rows two are stints of one member in one space, and one in sixteen is
//! open. Rows are made from their numbers alone, so memory does not grow with them.

use std::io::{self, BufWriter, Write};

use clap::{Parser, ValueEnum};
use tenure::model::Timestamp;

/// Memberships of a company that never was.
#[derive(Parser)]
struct Args {
    /// How many rows.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Over how many spaces.
    #[arg(long, default_value_t = 2000)]
    spaces: u64,
    /// In how many spaces each member is.
    #[arg(long, default_value_t = 15)]
    spaces_each: u64,
    /// As the spaces have them, or in no order at all.
    #[arg(long, value_enum, default_value = "shuffled")]
    order: Order,
    /// How they are written down.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Addresses alone, without `users/` before them.
    #[arg(long)]
    bare: bool,
    /// A column beside the five of the contract.
    #[arg(long)]
    extra: bool,
    /// Another seed is another company.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Order {
    Sorted,
    Shuffled,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

const FIRST: [&str; 8] = ["maria", "jonas", "aylin", "piotr", "ines", "tomasz", "li", "fatima"];
const LAST: [&str; 8] = ["schmidt", "rossi", "okafor", "novak", "silva", "tanaka", "dubois", "larsen"];
/// 2015-01-01T00:00:00Z, in seconds.
const BEGIN: u64 = 1_420_070_400;
const DAY: u64 = 86_400;

/// SplitMix64's finisher: scatters what differs in one bit all over.
fn scattered(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The row that stands in a place: a Feistel network over the next power of four, walked until it falls among the rows.
fn shuffled(place: u64, rows: u64, seed: u64) -> u64 {
    let half = (64 - rows.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1 << half) - 1;
    let mut number = place;
    loop {
        let (mut left, mut right) = (number >> half, number & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (scattered(right ^ (seed << 8) ^ (round << 56)) & mask));
        }
        number = left << half | right;
        if number < rows {
            return number;
        }
    }
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_micros(seconds as i64 * 1_000_000)
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    if args.format == Format::Csv {
        writeln!(out, "space,member,createTime,deleteTime,role{}", if args.extra { ",team" } else { "" })?;
    }
    // Three memberships of four rows each; sorted, those of a space come together.
    let pairs = args.rows.div_ceil(4) * 3;
    let members = pairs.div_ceil(args.spaces_each);
    for place in 0..args.rows {
        let row = if args.order == Order::Shuffled { shuffled(place, args.rows, args.seed) } else { place };
        let pair = row / 4 * 3 + (row % 4).saturating_sub(1);
        let second = row % 4 == 1;
        let (turn, member) = (pair / members, pair % members);
        let space =
            (turn * args.spaces.div_ceil(args.spaces_each) + member * args.spaces / members) % args.spaces;
        let random = scattered(pair ^ args.seed << 40);
        let begin = BEGIN + random % (5 * 365) * DAY + random % DAY + if second { 3 * 365 * DAY } else { 0 };
        let end = begin + DAY + (random >> 20) % (2 * 365 * DAY);
        let open = row % 16 == 3;
        let space = scattered(space ^ args.seed << 32) % 10_000_000;
        let (first, last) = (FIRST[(member % 8) as usize], LAST[(member / 8 % 8) as usize]);
        let users = if args.bare { "" } else { "users/" };
        match args.format {
            Format::Csv => {
                write!(
                    out,
                    "spaces/AAQA{space:07},{users}{first}.{last}{member}@example.com,{},",
                    time(begin)
                )?;
                if !open {
                    write!(out, "{}", time(end))?;
                }
                writeln!(out, ",{}", if args.extra { ",Support" } else { "" })?;
            }
            Format::Jsonl => {
                write!(
                    out,
                    "{{\"space\":\"spaces/AAQA{space:07}\",\"member\":\"{users}{first}.{last}{member}@example.com\",\
                     \"createTime\":\"{}\"",
                    time(begin)
                )?;
                if !open {
                    write!(out, ",\"deleteTime\":\"{}\"", time(end))?;
                }
                writeln!(out, "{}}}", if args.extra { ",\"team\":\"Support\"" } else { "" })?;
            }
        }
    }
    out.flush()
}
