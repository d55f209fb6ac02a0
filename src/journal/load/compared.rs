//! What there would be to send by each policy. Pure.

use crate::journal::incoming::Times;
use crate::model::{Policy, Stints};

/// Rows to send by each policy, space by space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// By [`Compared::POLICIES`]: by the number of the space less 1.
    pending: [Vec<u64>; 4],
}

impl Compared {
    /// The policies, from the one that is taken when nothing is said.
    pub const POLICIES: [Policy; 4] = [
        Policy { stints: Stints::Each, bridges: false },
        Policy { stints: Stints::Merge, bridges: false },
        Policy { stints: Stints::Each, bridges: true },
        Policy { stints: Stints::Merge, bridges: true },
    ];

    /// Each policy with the rows that there would be to send, by the number of their space less 1.
    pub fn each(&self) -> impl Iterator<Item = (Policy, &[u64])> {
        Self::POLICIES.into_iter().zip(self.pending.iter().map(Vec::as_slice))
    }

    /// Adds a member of a space, numbered from 1: all different lines of it. Open rows would get their history until
    /// `until`. Lines that do not go together count as if they did.
    pub(super) fn add(&mut self, space: usize, lines: impl Iterator<Item = Times>, until: i64) {
        let (mut ended, mut bridges) = (0, 0);
        for times in lines {
            ended += u64::from(!times.is_open());
            bridges += u64::from(times.is_open() && times.begun && times.start < until);
        }
        let counts = [ended, ended.min(1), ended + bridges, (ended + bridges).min(1)];
        for (pending, count) in self.pending.iter_mut().zip(counts) {
            if pending.len() < space {
                pending.resize(space, 0);
            }
            if let Some(pending) = space.checked_sub(1).and_then(|place| pending.get_mut(place)) {
                *pending += count;
            }
        }
    }
}
