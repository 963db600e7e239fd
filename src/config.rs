//! Configuration: the environment, read once, at start, here and nowhere else.

mod checks;
mod error;
mod limits;

use std::{ops::RangeInclusive, time::Duration};

pub use checks::{CheckSettings, UnknownBindings};
pub use error::ConfigError;

use crate::{
    redelivery_delay::RedeliveryDelays,
    tpns::{Apps, AppsFrom, CallSettings},
};

const SOURCES_OF_APPS: [&str; 3] = ["TPNS_APPS", "TPNS_APPS_SECRET_ID", "TPNS_APPS_SSM_PARAMETER"];

/// All settings of the function.
#[derive(Debug)]
pub struct Config {
    /// The TPNS apps, with their keys, or where they are kept.
    pub apps: AppsFrom,
    /// The apps document is read again from its secret when it is older than this.
    pub apps_max_age: Duration,
    /// How calls are made.
    pub calls: CallSettings,
    /// While TPNS fails, an app is called once in this time. `None`: as often as there is something to send.
    pub probe_interval: Option<Duration>,
    /// How long things may take, and how old or early events may be.
    pub limits: Limits,
    /// How long a failed message waits for its redelivery. `None`: as long as its queue's visibility timeout.
    pub redelivery_delays: Option<RedeliveryDelays>,
    /// The DynamoDB table of the ledger.
    pub ledger_table: Option<String>,
    /// The SQS queue that keeps rejected events.
    pub parking_queue_url: Option<String>,
    /// The SQS queue of the checks.
    pub check_queue_url: Option<String>,
    /// How a check is done.
    pub checks: CheckSettings,
    /// The function's name in Lambda, which its metrics carry.
    pub function_name: String,
}

/// How long things may take, and how old or early events may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Kept free at the end of an invocation for reporting.
    pub deadline_reserve: Duration,
    /// An older event is rejected.
    pub max_event_age: Duration,
    /// An event further ahead is rejected.
    pub max_clock_skew: Duration,
}

impl Config {
    /// Reads the settings through `variable`, which is the environment except in tests. An empty value counts as unset.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let apps = match SOURCES_OF_APPS.map(get) {
            [Some(document), None, None] => AppsFrom::Environment(Apps::parse(&document)?),
            [None, Some(id), None] => AppsFrom::Secret(id.trim().to_owned()),
            [None, None, Some(name)] => AppsFrom::Parameter(name.trim().to_owned()),
            [None, None, None] => return Err(ConfigError::NoApps),
            _ => return Err(ConfigError::SeveralSourcesOfApps),
        };
        let ledger_table = ledger_table(&get)?;
        let check_queue_url = checks::queue_url(&get, ledger_table.is_some())?;
        Ok(Self {
            apps,
            apps_max_age: apps_max_age(&get)?,
            calls: CallSettings {
                concurrency: number(&get, "TPNS_CONCURRENCY", 8, 1, 1000)? as usize,
                timeout: millis(&get, "TPNS_TIMEOUT_MS", 3000, 1)?,
                max_attempts: number(&get, "TPNS_MAX_ATTEMPTS", 3, 1, 100)?,
                checked: check_queue_url.is_some(),
            },
            probe_interval: probe_interval(&get)?,
            limits: limits::read(&get, ledger_table.is_some())?,
            redelivery_delays: redelivery_delays(&get)?,
            parking_queue_url: queue_url(&get, "PARKING_QUEUE_URL")?,
            check_queue_url,
            checks: checks::read(&get)?,
            ledger_table,
            // Lambda always sets it.
            function_name: get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
        })
    }
}

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

fn number(get: Get<'_>, name: &'static str, default: u32, least: u32, most: u32) -> Result<u32, ConfigError> {
    let Some(value) = get(name) else { return Ok(default) };
    let number = value.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or(ConfigError::Number { name, least, most, default })
}

fn millis(get: Get<'_>, name: &'static str, default: u32, least: u32) -> Result<Duration, ConfigError> {
    /// Lambda's longest timeout.
    const FIFTEEN_MINUTES: u32 = 900_000;
    number(get, name, default, least, FIFTEEN_MINUTES).map(|millis| Duration::from_millis(millis.into()))
}

fn duration(get: Get<'_>, name: &'static str, default: &'static str) -> Result<Duration, ConfigError> {
    let value = get(name);
    let duration = humantime::parse_duration(value.as_deref().unwrap_or(default).trim());
    duration.map_err(|_| ConfigError::Duration { name, default })
}

fn apps_max_age(get: Get<'_>) -> Result<Duration, ConfigError> {
    let age = duration(get, "TPNS_APPS_MAX_AGE", "60s")?;
    if age < Duration::from_secs(1) {
        return Err(ConfigError::AppsMaxAge);
    }
    Ok(age)
}

fn probe_interval(get: Get<'_>) -> Result<Option<Duration>, ConfigError> {
    const ALLOWED: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(300);
    let interval = duration(get, "TPNS_PROBE_INTERVAL", "30s").map_err(|_| ConfigError::ProbeInterval)?;
    if interval.is_zero() {
        return Ok(None);
    }
    ALLOWED.contains(&interval).then_some(Some(interval)).ok_or(ConfigError::ProbeInterval)
}

fn redelivery_delays(get: Get<'_>) -> Result<Option<RedeliveryDelays>, ConfigError> {
    let most = duration(get, "RETRY_MAX_DELAY", "10m").map_err(|_| ConfigError::RetryMaxDelay)?;
    if most.is_zero() {
        return Ok(None);
    }
    RedeliveryDelays::new(most).map(Some).ok_or(ConfigError::RetryMaxDelay)
}

fn ledger_table(get: Get<'_>) -> Result<Option<String>, ConfigError> {
    let Some(value) = get("LEDGER_TABLE") else { return Ok(None) };
    let name = value.trim();
    // DynamoDB's rule for names; of an ARN it is the last part, and DynamoDB takes ARNs too.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (arn, last) = name.rsplit_once('/').unwrap_or(("arn:", name));
    if arn.starts_with("arn:") && (3..=255).contains(&last.len()) && last.chars().all(plain) {
        return Ok(Some(name.to_owned()));
    }
    Err(ConfigError::LedgerTable)
}

fn queue_url(get: Get<'_>, name: &'static str) -> Result<Option<String>, ConfigError> {
    let Some(value) = get(name) else { return Ok(None) };
    match url::Url::parse(value.trim()) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.path().len() > 1 => {
            Ok(Some(value.trim().to_owned()))
        }
        _ => Err(ConfigError::QueueUrl { name }),
    }
}

#[cfg(test)]
mod tests;
