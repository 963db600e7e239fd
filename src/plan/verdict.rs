//! What TPNS said of an item, as far as it decides what happens next.

use std::time::Duration;

use crate::outcome::Failure;

/// What is to be done about a call or an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// TPNS has taken it.
    Accepted,
    /// Not now: try again, after this long if TPNS said so.
    Retry(Failure, Option<Duration>),
    /// Never as it is.
    Rejected(Failure),
    /// Never until the operator corrects the configuration or the account with Tencent.
    Misconfigured(Failure),
}

impl Verdict {
    /// Why it was not accepted, if it was not.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Accepted => None,
            Self::Retry(failure, _) | Self::Rejected(failure) | Self::Misconfigured(failure) => Some(failure),
        }
    }

    /// Whether it is worth asking again within this invocation.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry(..))
    }
}
