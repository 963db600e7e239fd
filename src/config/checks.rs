//! The settings of the checks.

use std::{ops::RangeInclusive, time::Duration};

use super::{ConfigError, Get, duration};

/// How a check is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSettings {
    /// A check is completed no earlier than this after it was sent.
    pub after: Duration,
    /// What is done about bindings that nothing known of a device names.
    pub unknown: UnknownBindings,
}

/// What is done about bindings that nothing known of a device names: a client SDK's, or those of an older login with
/// other account types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownBindings {
    /// They are counted.
    Report,
    /// They are unbound.
    Remove,
}

pub(super) fn read(get: Get<'_>) -> Result<CheckSettings, ConfigError> {
    /// SQS's longest delay.
    const ALLOWED: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(900);
    let after = duration(get, "CHECK_AFTER", "300s").ok().filter(|after| ALLOWED.contains(after));
    let unknown = match get("UNKNOWN_BINDINGS").as_deref().map(str::trim) {
        None | Some("report") => UnknownBindings::Report,
        Some("remove") => UnknownBindings::Remove,
        Some(_) => return Err(ConfigError::UnknownBindings),
    };
    Ok(CheckSettings { after: after.ok_or(ConfigError::CheckAfter)?, unknown })
}

/// The check queue, which needs a ledger to compare with.
pub(super) fn queue_url(get: Get<'_>, has_ledger: bool) -> Result<Option<String>, ConfigError> {
    let url = super::queue_url(get, "CHECK_QUEUE_URL")?;
    if url.is_some() && !has_ledger { Err(ConfigError::ChecksWithoutLedger) } else { Ok(url) }
}
