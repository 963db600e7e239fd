//! The times that producers' libraries print: RFC 3339, and ISO 8601's other ways to say the same.
//!
//! Seconds may be absent (Java omits zeros), the offset may be `+0800`, `+00` or `UTC`, may have a blank before it and
//! a time zone's name in brackets behind it, `T` may be a blank, and a fraction may have any number of digits. Without
//! an offset a text is no time: nothing says which one is meant.

/// Milliseconds since the epoch.
pub type Millis = i64;

/// Why a text could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is a date and time of day, but says nothing of its offset.
    NoOffset,
    /// It is something else.
    NoTime,
}

/// Milliseconds since the epoch; what is finer is cut off.
pub(super) fn read(text: &str) -> Result<Millis, Unread> {
    let mut rest = Rest(text.as_bytes());
    let local = local(&mut rest).ok_or(Unread::NoTime)?;
    if rest.0.is_empty() {
        return Err(Unread::NoOffset);
    }
    let offset = offset(&mut rest).ok_or(Unread::NoTime)?;
    let at = (local.minutes - offset) * 60_000;
    match local.millis {
        // A leap second ends a day of UTC.
        60_000.. if (local.minutes - offset).rem_euclid(24 * 60) != 24 * 60 - 1 => Err(Unread::NoTime),
        60_000.. => Ok(at + 59_999),
        millis => Ok(at + millis),
    }
}

/// A date and time of day, as if in UTC.
struct Local {
    /// Whole minutes since the epoch.
    minutes: i64,
    /// Within the minute.
    millis: i64,
}

fn local(rest: &mut Rest<'_>) -> Option<Local> {
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = rest.number(2).filter(|month| (1..=12).contains(month))?;
    rest.one_of(b"-")?;
    let day = rest.number(2).filter(|day| (1..=days_of(month, year)).contains(day))?;
    rest.one_of(b"Tt ")?;
    let hour = rest.number(2).filter(|hour| *hour < 24)?;
    let (mut minute, mut millis) = (0, 0);
    if rest.one_of(b":").is_some() {
        minute = rest.number(2).filter(|minute| *minute < 60)?;
        if rest.one_of(b":").is_some() {
            millis = rest.number(2).filter(|second| *second <= 60)? * 1000;
            if rest.one_of(b".,").is_some() {
                millis += rest.fraction()?;
            }
        }
    }
    Some(Local { minutes: (days(year, month, day) * 24 + hour) * 60 + minute, millis })
}

/// What is ahead of UTC, in minutes.
fn offset(rest: &mut Rest<'_>) -> Option<i64> {
    _ = rest.one_of(b" ");
    let minutes = if rest.one_of(b"Zz").is_some() || rest.word("UTC") || rest.word("GMT") {
        0
    } else {
        let sign = if rest.one_of(b"+-")? == b'+' { 1 } else { -1 };
        let hours = rest.number(2).filter(|hour| *hour < 24)?;
        let colon = rest.one_of(b":").is_some();
        let minutes = if colon || rest.0.first().is_some_and(u8::is_ascii_digit) { rest.number(2)? } else { 0 };
        (minutes < 60).then_some(sign * (hours * 60 + minutes))?
    };
    let named = |zone: &[u8]| !zone.is_empty() && zone.iter().all(|c| c.is_ascii_alphanumeric() || b"_+-/".contains(c));
    match rest.0 {
        [] => Some(minutes),
        [b'[', zone @ .., b']'] if named(zone) => Some(minutes),
        _ => None,
    }
}

fn days_of(month: i64, year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch. A year begins in March here, so that a leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let before_month = (153 * ((month + 9) % 12) + 2) / 5;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + before_month + day - 1 - 719_468
}

/// What is still to be read.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        bytes.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    fn word(&mut self, word: &str) -> bool {
        self.0.strip_prefix(word.as_bytes()).map(|rest| self.0 = rest).is_some()
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    }

    /// The milliseconds of a fraction of a second.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|_| count > 0)?;
        self.0 = rest;
        Some(digits.iter().zip([100, 10, 1]).map(|(digit, weight)| i64::from(digit - b'0') * weight).sum())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

    use super::*;

    #[test]
    fn whatever_says_the_same_moment_is_the_same_time() {
        const AT: Millis = 1_795_629_600_000;
        for (text, expected) in [
            ("2026-11-25T18:00:00Z", AT),
            ("2026-11-25T18:00Z", AT),
            ("2026-11-25T18Z", AT),
            ("2026-11-25t18:00z", AT),
            ("2026-11-25 18:00:00Z", AT),
            ("2026-11-25 18:00:00 UTC", AT),
            ("2026-11-25 18:00:00 GMT", AT),
            ("2026-11-26T02:00:00+08:00", AT),
            ("2026-11-26T02:00+0800", AT),
            ("2026-11-26T02:00+08", AT),
            ("2026-11-26 02:00:00 +0800", AT),
            ("2026-11-26T02:00+08:00[Asia/Shanghai]", AT),
            ("2026-11-25T18:00Z[Etc/GMT-0]", AT),
            ("2026-11-25T12:30:00-05:30", AT),
            ("2026-11-25T18:00+00", AT),
            ("2026-11-25T18:00-00:00", AT),
            ("2026-11-25T18:00:00,5Z", AT + 500),
            ("2026-11-25T18:00:00.0009999Z", AT),
            ("2026-11-25T18:00:00.123456789Z", AT + 123),
            ("2026-11-25T18:00:00.123456789012345678901234567890Z", AT + 123),
            ("2016-12-31T23:59:60Z", 1_483_228_799_999),
            ("2017-01-01T07:59:60.5+0800", 1_483_228_799_999),
            ("1969-12-31T23:59:59.999Z", -1),
            ("0000-01-01T00:00Z", -62_167_219_200_000),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_none() {
        for text in ["2026-11-25T18:00:00", "2026-11-25T18:00", "2026-11-25 18:00:00.123", "2026-11-25T18"] {
            assert_eq!(read(text), Err(Unread::NoOffset), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "Z",
            "yesterday",
            "2026-11-25",
            "2026-11-25Z",
            "2026-11-25T",
            "2026-11-25T18:Z",
            "2026-11-25T1800Z",
            "20261125T180000Z",
            "2026-11-25T18:00:00.Z",
            "2026-11-25T18:00.5Z",
            "2026-11-25T24:00Z",
            "2026-11-25T18:60Z",
            "2026-11-25T18:00:61Z",
            "2026-11-25T18:00:60Z",
            "2026-13-25T18:00Z",
            "2026-00-25T18:00Z",
            "2026-02-29T18:00Z",
            "2100-02-29T18:00Z",
            "2026-11-31T18:00Z",
            "2026-11-00T18:00Z",
            "2026-11-25T18:00ZZ",
            "2026-11-25T18:00+8",
            "2026-11-25T18:00+08:0",
            "2026-11-25T18:00+08:",
            "2026-11-25T18:00+080",
            "2026-11-25T18:00+08:60",
            "2026-11-25T18:00+24:00",
            "2026-11-25T18:00 CST",
            "2026-11-25T18:00[Asia/Shanghai]",
            "2026-11-25T18:00Z[]",
            "2026-11-25T18:00Z[a",
            "2026-11-25T18:00Z[a][b]",
            " 2026-11-25T18:00Z",
            "2026-11-25T18:00Z ",
            "2026-11-25  18:00Z",
            "2026-11-25T18:00  Z",
            "+2026-11-25T18:00Z",
            "26-11-25T18:00Z",
            "２026-11-25T18:00Z",
            "2026/11/25T18:00Z",
            "2026-11-25T18:00:00\u{2212}08:00",
        ] {
            assert_eq!(read(text), Err(Unread::NoTime), "{text}");
        }
    }

    proptest! {
        /// Against the `time` crate, which computes it in another way.
        #[test]
        fn every_way_to_write_a_moment_gives_that_moment(
            seconds in -62_100_000_000_i64..253_300_000_000,
            nanos in 0..1_000_000_000_u32,
            offset in -1439..1440_i32,
            (separator, short, comma, digits) in ("[Tt ]", any::<bool>(), any::<bool>(), 0..12_usize),
            (blank, shape, zone) in (any::<bool>(), 0..3_u8, any::<bool>()),
        ) {
            let zero = short && seconds.rem_euclid(60) == 0;
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let at = at.to_offset(UtcOffset::from_whole_seconds(offset * 60).unwrap());
            prop_assume!((0..=9999).contains(&at.year()));
            let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
            let fraction = &format!("{nanos:09}000")[..digits];
            let text = format!(
                "{:04}-{:02}-{:02}{separator}{:02}:{:02}{}{}{}{}{hours:02}{}{}",
                at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute(),
                if zero { String::new() } else { format!(":{:02}", at.second()) },
                match zero || digits == 0 {
                    true => String::new(),
                    false => format!("{}{fraction}", if comma { ',' } else { '.' }),
                },
                if blank { " " } else { "" },
                if offset < 0 { "-" } else { "+" },
                match shape {
                    0 => format!(":{minutes:02}"),
                    2 if minutes == 0 => String::new(),
                    _ => format!("{minutes:02}"),
                },
                if zone { "[Some/Zone_1]" } else { "" },
            );
            let millis = if zero { 0 } else { format!("{fraction}000")[..3].parse::<i64>().unwrap() };
            prop_assert_eq!(read(&text), Ok(seconds * 1000 + millis), "{}", text);
        }

        #[test]
        fn what_the_time_crate_reads_as_rfc_3339_is_read_the_same(
            day in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
            time in r"T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])",
        ) {
            let text = format!("{day}{time}");
            let expected = OffsetDateTime::parse(&text, &Rfc3339).ok();
            let expected = expected.map(|at| i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap());
            prop_assert_eq!(read(&text).ok(), expected, "{}", text);
        }

        #[test]
        fn any_text_at_all_is_read_or_refused(text in any::<String>(), near in "[0-9T:+Z. \\[\\]-]{0,30}") {
            _ = (read(&text), read(&near));
        }
    }
}
