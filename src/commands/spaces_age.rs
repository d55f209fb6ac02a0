//! What is said of spaces whose time in import mode runs out, wherever rows are about to be sent to them.

use std::time::Duration;

use crate::journal::SpaceAge;
use crate::model::{Timestamp, told};
use crate::wording::many;

/// From here on an operator is warned.
pub(super) const WARN_DAYS: i64 = 14;
/// How long before a space expires nothing is begun with it any more (import-data guide).
pub(super) const LAST_CALL: Duration = Duration::from_secs(30 * 60);

/// What to say of the spaces of a journal, as it is called in a command; the second are those that nothing may be sent to.
pub(super) fn look<'a>(
    ages: &'a [SpaceAge],
    now: Timestamp,
    journal: &str,
) -> (Option<String>, Vec<&'a SpaceAge>) {
    let open = || ages.iter().filter(|age| !age.completed);
    let last_call = now.after(LAST_CALL);
    let late: Vec<&SpaceAge> =
        open().filter(|age| age.expire_time.is_some_and(|time| time < last_call)).collect();
    let soon = |age: &&SpaceAge| age.days_left(now).is_some_and(|days| days < WARN_DAYS);
    let (count, first) = (open().filter(soon).count(), open().filter(soon).min_by_key(|age| age.expire_time));
    let warning = first.and_then(|age| {
        let days = age.days_left(now).filter(|days| *days >= 0)?;
        Some(format!(
            "Chat deletes {} in less than {WARN_DAYS} days unless they are completed by then, the first ({}) in {}: \
             finish with: tenure complete {journal}",
            many(count as u64, "space"),
            told(age.space.as_str(), age.name.as_deref()),
            many(days.cast_unsigned(), "day")
        ))
    });
    (warning, late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SpaceName;

    #[test]
    fn soon_and_too_late() {
        let now = Timestamp::parse("2026-01-01T00:00:00Z", None).unwrap();
        let age = |id: &str, left: u64, completed| SpaceAge {
            name: None,
            space: SpaceName::parse(id).unwrap(),
            create_time: None,
            expire_time: Some(now.after(Duration::from_secs(left))),
            completed,
        };
        let day = 86_400;
        let ages =
            [age("A", 20 * day, false), age("B", 13 * day, false), age("C", 60, false), age("D", 60, true)];
        let (warning, late) = look(&ages, now, "j.db");
        assert!(warning.unwrap().starts_with("Chat deletes 2 spaces in less than 14 days"));
        assert_eq!(late.iter().map(|age| age.space.id()).collect::<Vec<_>>(), ["C"]);
        assert_eq!(look(&ages[..1], now, "j.db"), (None, Vec::new()));
    }
}
