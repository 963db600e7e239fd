//! Configuration: the environment, read once, at start, here and nowhere else.

mod apps;

use std::time::Duration;

pub use apps::{App, AppId, AppNames, Apps};

use crate::tpns::Settings;

/// Everything the function can be told.
#[derive(Debug)]
pub struct Config {
    /// The TPNS apps, with their keys.
    pub apps: Apps,
    /// Calls in flight in one invocation.
    pub concurrency: usize,
    /// One call, connect to last byte.
    pub timeout: Duration,
    /// Tries of one call within one invocation.
    pub max_attempts: u32,
    /// Kept free at the end of an invocation for reporting.
    pub deadline_reserve: Duration,
    /// An older event is rejected.
    pub max_event_age: Duration,
    /// An event further ahead is rejected.
    pub max_clock_skew: Duration,
}

/// A setting that can't be used: one line that names the variable and the mend. Never a secret, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {mend}")]
pub struct ConfigError {
    variable: &'static str,
    mend: String,
}

impl ConfigError {
    fn new(variable: &'static str, mend: impl Into<String>) -> Self {
        Self { variable, mend: mend.into() }
    }
}

/// Settings of the design that this version can't honour yet. Ignoring one would be worse than not starting: whoever
/// set it relies on it.
const NOT_YET: [(&str, &str); 3] = [
    ("TPNS_APPS_SECRET_ID", "is not supported by this version; set TPNS_APPS instead"),
    (
        "LEDGER_TABLE",
        "is not supported by this version; unset it, and use a FIFO queue grouped by token for exact order",
    ),
    (
        "PARKING_QUEUE_URL",
        "is not supported by this version; unset it, and let the queue's redrive policy keep rejected events",
    ),
];

impl Config {
    /// Reads the settings through `variable`, which is the environment but for tests. An empty value counts as unset.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if let Some((name, mend)) = NOT_YET.into_iter().find(|(name, _)| get(name).is_some()) {
            return Err(ConfigError::new(name, mend));
        }
        let apps = get("TPNS_APPS").ok_or_else(|| {
            ConfigError::new("TPNS_APPS", "is not set; set it to the apps document, e.g. {\"android\":{\"access_id\":1500001048,\"secret_key\":\"…\",\"region\":\"guangzhou\"}}")
        })?;
        Ok(Self {
            apps: Apps::parse(&apps).map_err(|mend| ConfigError::new("TPNS_APPS", mend))?,
            concurrency: number(&get, "TPNS_CONCURRENCY", 8, 1, 1000)? as usize,
            timeout: millis(&get, "TPNS_TIMEOUT_MS", 3000, 1)?,
            max_attempts: number(&get, "TPNS_MAX_ATTEMPTS", 3, 1, 100)?,
            deadline_reserve: millis(&get, "DEADLINE_RESERVE_MS", 1000, 0)?,
            max_event_age: duration(&get, "MAX_EVENT_AGE", "14d")?,
            max_clock_skew: duration(&get, "MAX_CLOCK_SKEW", "5m")?,
        })
    }
}

impl Config {
    /// How calls are made.
    #[must_use]
    pub fn calls(&self) -> Settings {
        Settings { concurrency: self.concurrency, timeout: self.timeout, max_attempts: self.max_attempts }
    }
}

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

fn number(get: Get<'_>, name: &'static str, default: u32, least: u32, most: u32) -> Result<u32, ConfigError> {
    let Some(value) = get(name) else { return Ok(default) };
    let number = value.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        ConfigError::new(name, format!("must be a whole number from {least} to {most}; the default is {default}"))
    })
}

fn millis(get: Get<'_>, name: &'static str, default: u32, least: u32) -> Result<Duration, ConfigError> {
    /// Lambda's longest timeout.
    const FIFTEEN_MINUTES: u32 = 900_000;
    number(get, name, default, least, FIFTEEN_MINUTES).map(|millis| Duration::from_millis(millis.into()))
}

fn duration(get: Get<'_>, name: &'static str, default: &str) -> Result<Duration, ConfigError> {
    let value = get(name);
    humantime::parse_duration(value.as_deref().unwrap_or(default).trim()).map_err(|_| {
        ConfigError::new(name, format!("must be a duration such as 30s, 5m, 12h or 14d; the default is {default}"))
    })
}

#[cfg(test)]
mod tests;
