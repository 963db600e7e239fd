//! The limits, and values that they must not have, since order or progress would be lost without any message.

use std::time::Duration;

use super::{ConfigError, Get, Limits, duration, error::FUNCTION_TIMEOUT, millis};
use crate::{
    event::{DEFAULT_MAX_CLOCK_SKEW, DEFAULT_MAX_EVENT_AGE},
    table::LEDGER_ROW_LIFETIME,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The queue's visibility timeout is a minute at least: an event that is redelivered once is older than that.
const LEAST_AGE: Duration = MINUTE;
/// A row may be older than its event by as much as a clock is behind: no more than the most that a clock may be ahead.
const MOST_AGE_WITH_LEDGER: Duration = LEDGER_ROW_LIFETIME.saturating_sub(MOST_SKEW);
/// The clocks of producers, of AWS's queues and of the function's machine are some milliseconds apart.
const LEAST_SKEW: Duration = Duration::from_secs(1);
const MOST_SKEW: Duration = DAY;

pub(super) fn read(get: Get<'_>, has_ledger: bool) -> Result<Limits, ConfigError> {
    Ok(Limits {
        deadline_reserve: deadline_reserve(get)?,
        max_event_age: max_event_age(get, has_ledger)?,
        max_clock_skew: max_clock_skew(get)?,
    })
}

fn max_event_age(get: Get<'_>, has_ledger: bool) -> Result<Duration, ConfigError> {
    let age = duration(get, "MAX_EVENT_AGE", DEFAULT_MAX_EVENT_AGE)?;
    if age < LEAST_AGE {
        return Err(ConfigError::MaxEventAgeTooShort);
    }
    if has_ledger && age > MOST_AGE_WITH_LEDGER {
        let [most, lifetime] = [MOST_AGE_WITH_LEDGER, LEDGER_ROW_LIFETIME].map(|time| time.as_secs() / DAY.as_secs());
        return Err(ConfigError::MaxEventAgeTooLong { most, lifetime });
    }
    Ok(age)
}

fn max_clock_skew(get: Get<'_>) -> Result<Duration, ConfigError> {
    match duration(get, "MAX_CLOCK_SKEW", DEFAULT_MAX_CLOCK_SKEW)? {
        skew if skew < LEAST_SKEW => Err(ConfigError::MaxClockSkewTooShort),
        skew if skew > MOST_SKEW => Err(ConfigError::MaxClockSkewTooLong),
        skew => Ok(skew),
    }
}

/// Lambda does not pass the timeout before an invocation, so the template does. Without it, the invocation checks it.
fn deadline_reserve(get: Get<'_>) -> Result<Duration, ConfigError> {
    let reserve = millis(get, "DEADLINE_RESERVE_MS", 1000, 0)?;
    let Some(timeout) = function_timeout(get)? else { return Ok(reserve) };
    if reserve < timeout / 2 {
        return Ok(reserve);
    }
    Err(ConfigError::DeadlineReserve { most: (timeout / 2).as_millis() - 1 })
}

fn function_timeout(get: Get<'_>) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = get(FUNCTION_TIMEOUT) else { return Ok(None) };
    match value.trim().parse() {
        Ok(seconds @ 1..=900) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(ConfigError::FunctionTimeout),
    }
}
