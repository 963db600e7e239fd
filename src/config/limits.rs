//! The limits, and what they must not be: values under which order or progress would be lost, and nothing would say so.

use std::time::Duration;

use super::{ConfigError, Get, LEDGER_ROW_LIFETIME, Limits, duration, millis};

const FUNCTION_TIMEOUT: &str = "FUNCTION_TIMEOUT_SECONDS";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The queue's visibility timeout is a minute at least: an event that is redelivered once is older than that.
const LEAST_AGE: Duration = MINUTE;
/// A row is as old as the clock of its event was behind: by no more than the most that a clock may be ahead.
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
    const NAME: &str = "MAX_EVENT_AGE";
    let age = duration(get, NAME, "14d")?;
    let refuse = |why: String| Err(ConfigError::new(NAME, why));
    if age < LEAST_AGE {
        return refuse("is less than 1m, so one redelivery could make an event too old; the default is 14d".into());
    }
    if has_ledger && age > MOST_AGE_WITH_LEDGER {
        let [most, lifetime] = [MOST_AGE_WITH_LEDGER, LEDGER_ROW_LIFETIME].map(|time| time.as_secs() / DAY.as_secs());
        return refuse(format!(
            "is more than {most}d, and an event that is older than its row in LEDGER_TABLE ({lifetime}d) could win; \
             set at most {most}d"
        ));
    }
    Ok(age)
}

fn max_clock_skew(get: Get<'_>) -> Result<Duration, ConfigError> {
    const NAME: &str = "MAX_CLOCK_SKEW";
    let skew = duration(get, NAME, "5m")?;
    let why = match skew {
        _ if skew < LEAST_SKEW => "is less than 1s, and clocks are not that exact; the default is 5m",
        _ if skew > MOST_SKEW => {
            "is more than 1d, so a wrong clock could outrank a day of events; correct the clock, the default is 5m"
        }
        _ => return Ok(skew),
    };
    Err(ConfigError::new(NAME, why))
}

/// Lambda does not say the timeout before an invocation, so the template does. Without it, the invocation sees to it.
fn deadline_reserve(get: Get<'_>) -> Result<Duration, ConfigError> {
    const NAME: &str = "DEADLINE_RESERVE_MS";
    let reserve = millis(get, NAME, 1000, 0)?;
    let Some(timeout) = function_timeout(get)? else { return Ok(reserve) };
    if reserve < timeout / 2 {
        return Ok(reserve);
    }
    let most = (timeout / 2).as_millis() - 1;
    Err(ConfigError::new(
        NAME,
        format!(
            "must be less than half of the function's timeout ({FUNCTION_TIMEOUT}); \
             set at most {most}, or a longer timeout; the default is 1000"
        ),
    ))
}

fn function_timeout(get: Get<'_>) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = get(FUNCTION_TIMEOUT) else { return Ok(None) };
    match value.trim().parse() {
        Ok(seconds @ 1..=900) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(ConfigError::new(
            FUNCTION_TIMEOUT,
            "must be the function's timeout, a whole number of seconds from 1 to 900; set it to that, or omit it",
        )),
    }
}
