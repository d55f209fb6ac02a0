//! Points in time, to the microsecond.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A point in time: whole microseconds since 1970-01-01T00:00:00Z.
///
/// Chat derives an absent `createTime` as "`deleteTime` minus 1 microsecond" (import-data guide), so a
/// microsecond is the finest step that a membership can show. Finer digits are cut off on reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 2000-01-01T00:00:00Z: the earliest `createTime` that an import-mode space, and so anything in it, can have
/// (import-data guide).
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000_000);

/// Why a text is no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// A date and time of day, but no `Z` or offset, and no time zone to read it in.
    #[error("it has no time zone")]
    NoZone,
    /// A bare number where RFC 3339 was expected.
    #[error("it is a bare number, not an RFC 3339 time such as 2021-03-05T09:30:00Z")]
    BareNumber,
    /// Not a number where an epoch was expected.
    #[error("it is not a number of {0} since 1970")]
    NotANumber(&'static str),
    /// A date and time of day that the given time zone skips (clocks set forward).
    #[error("the clocks of {0} skip this time of day: give it with an offset")]
    Skipped(String),
    /// Written as a time, but no calendar has it.
    #[error("there is no such date or time of day")]
    NoSuchTime,
    /// Nothing recognisable.
    #[error("it is not an RFC 3339 time such as 2021-03-05T09:30:00Z")]
    Malformed,
    /// Recognisable, but beyond what can be represented.
    #[error("it is out of range")]
    OutOfRange,
}

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The system clock. For the outermost shell only: everything inside is handed the time.
    pub fn now() -> Self {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        Timestamp(micros)
    }

    /// On the calendar and the clocks of a time zone.
    pub fn in_zone(self, zone: &TimeZone) -> Zoned {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or_default().to_zoned(zone.clone())
    }

    /// So much later.
    pub fn after(self, wait: std::time::Duration) -> Self {
        Timestamp(self.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
    }

    /// One microsecond earlier: the `createTime` that Chat assumes when only `deleteTime` is given.
    pub const fn just_before(self) -> Self {
        Timestamp(self.0.saturating_sub(1))
    }

    /// Reads an HTTP date (RFC 9110, 5.6.7), in the form that servers write.
    pub fn parse_http(text: &str) -> Option<Self> {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        parser.parse_timestamp(text).ok().map(|date| Timestamp(date.as_microsecond()))
    }

    /// The second that it is in.
    #[must_use]
    pub const fn to_whole_seconds(self) -> Self {
        Timestamp(self.0 - self.0.rem_euclid(1_000_000))
    }

    /// Reads RFC 3339 (`2021-03-05T09:30:00Z`, `2021-03-05 10:30:00.25+01:00`). A time without a zone is read in
    /// `zone` when one is given and is an error otherwise. An hour that a zone has twice is taken as the first.
    ///
    /// # Errors
    /// Says which part is missing or malformed.
    pub fn parse(text: &str, zone: Option<&TimeZone>) -> Result<Self, TimeError> {
        if let Some(time) = plain(text.as_bytes()) {
            return Ok(time);
        }
        let text = text.trim();
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Timestamp(time.as_nanosecond().div_euclid(1000) as i64));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())) {
            return Err(TimeError::BareNumber);
        }
        let (local, zoned) = without_offset(text);
        let Ok(civil) = local.parse::<DateTime>() else {
            return Err(if has_the_shape(local) { TimeError::NoSuchTime } else { TimeError::Malformed });
        };
        // A civil time is also parsed from a bare date; a tenure's ends are to the second, so a day is not enough.
        if !local.contains(':') {
            return Err(TimeError::Malformed);
        }
        if zoned {
            return Err(TimeError::OutOfRange);
        }
        let Some(zone) = zone else {
            return Err(TimeError::NoZone);
        };
        let ambiguous = zone.to_ambiguous_zoned(civil);
        if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
            let name = zone.iana_name().unwrap_or("this zone").to_owned();
            return Err(TimeError::Skipped(name));
        }
        let zoned = ambiguous.compatible().map_err(|_| TimeError::OutOfRange)?;
        Ok(Timestamp(zoned.timestamp().as_nanosecond().div_euclid(1000) as i64))
    }

    /// Reads seconds since 1970, with or without a decimal fraction (`1614936600`, `1614936600.000200`).
    ///
    /// # Errors
    /// When it is not a number, or out of range.
    pub fn parse_epoch_s(text: &str) -> Result<Self, TimeError> {
        parse_epoch(text, 1_000_000, "seconds")
    }

    /// Reads milliseconds since 1970, with or without a decimal fraction.
    ///
    /// # Errors
    /// When it is not a number, or out of range.
    pub fn parse_epoch_ms(text: &str) -> Result<Self, TimeError> {
        parse_epoch(text, 1_000, "milliseconds")
    }
}

/// Reads the one form that nearly every time has, `2021-03-05T09:30:00Z`; `None` for all others, and for what no calendar
/// has.
fn plain(text: &[u8]) -> Option<Timestamp> {
    let &[y1, y2, y3, y4, b'-', n1, n2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = text
    else {
        return None;
    };
    let digits = [y1, y2, y3, y4, n1, n2, d1, d2, h1, h2, m1, m2, s1, s2];
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(n1, n2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // jiff knows the last years that it can print.
    if !(1970..9999).contains(&year) || day < 1 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days of the Gregorian calendar since 1970, in years that begin in March.
    let (from_march, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (from_march * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp(seconds * 1_000_000))
}

/// The text before `Z` or an offset, and whether there was one.
fn without_offset(text: &str) -> (&str, bool) {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return (local, true);
    }
    let time = text.find(['T', 't', ' ']).unwrap_or(text.len());
    match text[time..].rfind(['+', '-']) {
        Some(offset) => (&text[..time + offset], true),
        None => (text, false),
    }
}

/// Whether it is digits and separators in the places that RFC 3339 gives them, as far as minutes.
fn has_the_shape(local: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00";
    local.len() >= SHAPE.len()
        && local.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            _ => byte == *shape,
        })
}

fn parse_epoch(text: &str, micros_per_unit: i64, unit: &'static str) -> Result<Timestamp, TimeError> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !digits(unsigned) || !digits(fraction) {
        return Err(TimeError::NotANumber(unit));
    }
    let sign = if unsigned.len() < whole.len() { -1 } else { 1 };
    let whole: i64 = whole.parse().map_err(|_| TimeError::OutOfRange)?;
    let (mut part, mut place) = (0, micros_per_unit / 10);
    for digit in fraction.bytes() {
        part += i64::from(digit - b'0') * place;
        place /= 10;
    }
    let micros = whole.checked_mul(micros_per_unit).and_then(|micros| micros.checked_add(sign * part));
    let micros = micros.ok_or(TimeError::OutOfRange)?;
    // Anything that jiff cannot print is no date.
    jiff::Timestamp::from_microsecond(micros).map_err(|_| TimeError::OutOfRange)?;
    Ok(Timestamp(micros))
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with 0, 3 or 6 fractional digits, as the protobuf JSON mapping prints a `Timestamp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(time) = jiff::Timestamp::from_microsecond(self.0) else {
            return write!(f, "{} µs after 1970", self.0);
        };
        let digits = match self.0.rem_euclid(1_000_000) {
            0 => 0,
            micros if micros % 1000 == 0 => 3,
            _ => 6,
        };
        write!(f, "{time:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Result<String, TimeError> {
        Timestamp::parse(text, None).map(|time| time.to_string())
    }

    #[test]
    fn reads_rfc_3339() {
        for (text, printed) in [
            ("2021-03-05T09:30:00Z", "2021-03-05T09:30:00Z"),
            ("2021-03-05t09:30:00z", "2021-03-05T09:30:00Z"),
            ("2021-03-05 10:30:00.25+01:00", "2021-03-05T09:30:00.250Z"),
            ("2021-03-05T09:30:00.000001Z", "2021-03-05T09:30:00.000001Z"),
            ("2021-03-05T09:30:00.123456789Z", "2021-03-05T09:30:00.123456Z"),
            (" 2021-03-05T09:30:00Z ", "2021-03-05T09:30:00Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn every_day_has_the_plain_form() {
        let begin = jiff::civil::date(1970, 1, 1);
        for day in 0..200 * 366 {
            let date = begin.saturating_add(jiff::Span::new().days(day));
            let read = plain(format!("{date}T00:00:00Z").as_bytes()).map(Timestamp::as_micros);
            assert_eq!(read, Some(i64::from(day) * 86_400_000_000), "{date}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, error) in [
            ("2021-03-05T09:30:00", TimeError::NoZone),
            ("2021-03-05 09:30", TimeError::NoZone),
            ("1614936600", TimeError::BareNumber),
            ("1614936600000", TimeError::BareNumber),
            ("44260.395833", TimeError::BareNumber),
            ("2021-13-05T09:30:00Z", TimeError::NoSuchTime),
            ("2021-02-30T09:30:00Z", TimeError::NoSuchTime),
            ("2021-02-20T25:30:00+01:00", TimeError::NoSuchTime),
            ("9999-12-31T23:59:59Z", TimeError::OutOfRange),
            ("2021-03-05", TimeError::Malformed),
            ("05.03.2021 09:30", TimeError::Malformed),
            ("yesterday", TimeError::Malformed),
            ("", TimeError::Malformed),
        ] {
            assert_eq!(utc(text), Err(error), "{text}");
        }
    }

    #[test]
    fn reads_local_times_in_a_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let read = |text| Timestamp::parse(text, Some(&berlin)).map(|t| t.to_string());
        assert_eq!(read("2021-07-01T12:00:00").as_deref(), Ok("2021-07-01T10:00:00Z"));
        assert_eq!(read("2021-07-01T12:00:00Z").as_deref(), Ok("2021-07-01T12:00:00Z"));
        assert_eq!(read("2021-10-31T02:30:00").as_deref(), Ok("2021-10-31T00:30:00Z"));
        assert_eq!(read("2021-03-28T02:30:00"), Err(TimeError::Skipped("Europe/Berlin".into())));
    }

    #[test]
    fn reads_epochs_as_decimals() {
        let s = |text| Timestamp::parse_epoch_s(text).map(Timestamp::as_micros);
        assert_eq!(s("1614936600"), Ok(1_614_936_600_000_000));
        assert_eq!(s("1614936600.0002"), Ok(1_614_936_600_000_200));
        assert_eq!(s("-1.5"), Ok(-1_500_000));
        assert_eq!(s("1e9"), Err(TimeError::NotANumber("seconds")));
        assert_eq!(s(""), Err(TimeError::NotANumber("seconds")));
        assert_eq!(s("99999999999999999999"), Err(TimeError::OutOfRange));
        assert_eq!(s("9999999999999"), Err(TimeError::OutOfRange));
        assert_eq!(s("9223372036854.999999"), Err(TimeError::OutOfRange));
        assert_eq!(s("-0.25"), Ok(-250_000));
        assert_eq!(
            Timestamp::parse_epoch_ms("1614936600123.5").map(Timestamp::as_micros),
            Ok(1_614_936_600_123_500)
        );
    }

    proptest! {
        #[test]
        fn printed_times_read_back(micros in 0i64..4_102_444_800_000_000) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&time.to_string(), None), Ok(time));
        }

        #[test]
        fn the_plain_form_is_read_as_jiff_reads_it(
            text in "(19[67]|20[0-9]|2[0-9]{2}|999)[0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z"
        ) {
            if let Some(time) = plain(text.as_bytes()) {
                let jiff: jiff::Timestamp = text.parse().unwrap();
                prop_assert_eq!(time.as_micros(), jiff.as_microsecond());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Timestamp::parse(&text, None);
            let _ = Timestamp::parse_epoch_s(&text);
        }
    }
}
