//! A row that comes in, as small as it can be: there may be millions of them before the first one is sent.

use std::io::{self, Read, Write};

use super::number::Numbers;
use crate::model::{MemberId, Role, SpaceId, Span, Tenure, Timestamp};

/// An open row's end.
const NEVER: i64 = i64::MAX;

/// Files that one reading may have; the bits of `place` have room for no more.
pub(super) const SOURCES_MAX: usize = 1 << 15;
const LINE_BITS: u32 = 44;
const ROLE_BITS: u32 = 4;

/// When a membership begins and ends, as numbers that sort; an open row without a beginning begins after everything that
/// has an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Times {
    /// Microseconds since 1970. Without `createTime` it is one before the end.
    pub(super) start: i64,
    pub(super) end: i64,
    /// Whether it has a `createTime`.
    pub(super) begun: bool,
}

impl Times {
    pub(super) fn of(create: Option<Timestamp>, delete: Option<Timestamp>) -> Self {
        let end = delete.map_or(NEVER, Timestamp::as_micros);
        let start = create.map_or(end.saturating_sub(1), Timestamp::as_micros);
        Times { start, end, begun: create.is_some() }
    }

    pub(super) fn span(self) -> Span {
        Span {
            create_time: self.begun.then(|| Timestamp::from_micros(self.start)),
            delete_time: (self.end != NEVER).then(|| Timestamp::from_micros(self.end)),
        }
    }

    pub(super) fn is_open(self) -> bool {
        self.end == NEVER
    }

    /// Whether the two have the same `createTime`, or none.
    pub(super) fn begins_with(self, other: Times) -> bool {
        self.begun == other.begun && (!self.begun || self.start == other.start)
    }
}

/// What rows are sorted by. `place` holds, from the top: whether it has a `createTime`, which file, which line, the role.
type Order = (i64, i64, i64, u64);

/// One row. Its order is that in which rows lie in the journal; those that say the same come in the order of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    order: Order,
    /// JSON of what its line said beyond the tenure.
    pub(super) given: Option<Box<str>>,
}

impl Incoming {
    /// A row of the file with this number, counted from 0 within the reading.
    pub fn new(source: usize, line: u64, tenure: &Tenure<u32, u32>, given: Option<&str>) -> Self {
        let member = Numbers::of_member(SpaceId(tenure.space.into()), MemberId(tenure.member.into()));
        let times = Times::of(tenure.create_time, tenure.delete_time);
        let role = tenure.role.and_then(|role| Role::ALL.iter().position(|other| *other == role));
        let place = u64::from(times.begun) << 63
            | (source as u64) << (LINE_BITS + ROLE_BITS)
            | (line & ((1 << LINE_BITS) - 1)) << ROLE_BITS
            | role.map_or(0, |role| role as u64 + 1);
        Incoming { order: (member.first, times.start, times.end, place), given: given.map(Into::into) }
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// The first of its member's numbers in its space.
    pub(super) fn member(&self) -> i64 {
        self.order.0
    }

    pub(super) fn times(&self) -> Times {
        Times { start: self.order.1, end: self.order.2, begun: self.order.3 >> 63 == 1 }
    }

    pub(super) fn source(&self) -> usize {
        (self.order.3 >> (LINE_BITS + ROLE_BITS)) as usize & (SOURCES_MAX - 1)
    }

    pub(super) fn line(&self) -> u64 {
        self.order.3 >> ROLE_BITS & ((1 << LINE_BITS) - 1)
    }

    pub(super) fn role(&self) -> Option<Role> {
        let role = (self.order.3 & ((1 << ROLE_BITS) - 1)) as usize;
        role.checked_sub(1).and_then(|role| Role::ALL.get(role).copied())
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.given.as_ref().map_or(0, |given| given.len() + 16)
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (member, start, end, place) = self.order;
        for number in [member, start, end, place.cast_signed()] {
            out.write_all(&number.to_le_bytes())?;
        }
        // A line is a MiB at most.
        let length = self.given.as_ref().map_or(u32::MAX, |given| given.len() as u32);
        out.write_all(&length.to_le_bytes())?;
        out.write_all(self.given.as_deref().unwrap_or_default().as_bytes())
    }

    pub(super) fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut fixed = [0; 36];
        input.read_exact(&mut fixed)?;
        let number = |place: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&fixed[place * 8..][..8]);
            i64::from_le_bytes(bytes)
        };
        let order = (number(0), number(1), number(2), number(3).cast_unsigned());
        let length = u32::from_le_bytes([fixed[32], fixed[33], fixed[34], fixed[35]]);
        let given = if length == u32::MAX {
            None
        } else {
            let mut text = vec![0; length as usize];
            input.read_exact(&mut text)?;
            Some(String::from_utf8(text).map_err(io::Error::other)?.into_boxed_str())
        };
        Ok(Incoming { order, given })
    }
}
