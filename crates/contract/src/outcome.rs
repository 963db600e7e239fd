//! The outcome of a message, and why. Values that every other module may use: they know nothing of TPNS, the ledger or
//! AWS.

mod reason;

use std::{
    borrow::Cow,
    fmt::{self, Display},
    time::Duration,
};

pub use reason::{Cause, Reason};

/// Why something failed. Holds no account, token or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, in one word.
    pub reason: Reason,
    /// TPNS's `ret_code`, item code or HTTP status, if it answered.
    pub code: Option<i64>,
    /// The field and what to do about it, or what prevented an answer; empty if there is nothing to add.
    /// [`Self::detail`] is what is shown.
    pub detail: Cow<'static, str>,
    /// TPNS's `Retry-After`, if it sent one with what the event is to be redelivered for.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure that its reason says all about.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self::new(reason, "")
    }

    /// A failure with what there is to add.
    #[must_use]
    pub const fn new(reason: Reason, detail: &'static str) -> Self {
        Self { reason, code: None, detail: Cow::Borrowed(detail), retry_after: None }
    }

    /// The same failure with TPNS's `Retry-After`.
    #[must_use]
    pub fn retried_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// What is shown beside the reason; may be empty.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match self.code {
            None => Cow::Borrowed(&self.detail),
            Some(code) if self.detail.is_empty() => Cow::Owned(format!("TPNS answered {code}")),
            Some(code) => Cow::Owned(format!("TPNS answered {code}; {}", self.detail)),
        }
    }

    /// Adds to what is shown.
    pub fn add(&mut self, more: impl Display) {
        let mark = if self.detail.is_empty() { "" } else { "; " };
        self.detail = format!("{}{mark}{more}", self.detail).into();
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.reason, self.detail())
    }
}

/// The outcome of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything it shaped has been accepted by TPNS.
    Applied,
    /// The same, but it is a logout that names an account which the device's known login does not have, and the device
    /// still has an account.
    AppliedNotBound,
    /// A login that needed no call: a check has seen that TPNS has what it says.
    Unchanged,
    /// A newer event superseded it, and what that one shaped has been accepted.
    Superseded,
    /// The same, but the newer event has the same time, so its kind or id decided.
    SupersededAtSameTime,
    /// Not now; it is redelivered.
    Retry(Failure),
    /// Never as it is.
    Rejected(Failure),
    /// Never as it is, and kept in the parking queue.
    Parked(Failure),
    /// Never until the operator corrects the configuration.
    Misconfigured(Failure),
}

/// The outcomes that the log and the metrics count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// Applied.
    Applied,
    /// Superseded by a newer event.
    Superseded,
    /// To be retried with the next delivery.
    Retry,
    /// Rejected for good.
    Rejected,
    /// Rejected for good, and in the parking queue.
    Parked,
    /// Waits for the operator.
    Misconfigured,
}

impl OutcomeKind {
    /// Its name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Retry => "retry",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Misconfigured => "misconfigured",
        }
    }
}

impl Outcome {
    /// How every message starts out.
    pub const UNTOUCHED: Self = Self::Retry(Failure::of(Reason::NotAttempted));

    /// Whether the message may be deleted.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        match self.kind() {
            OutcomeKind::Applied | OutcomeKind::Superseded | OutcomeKind::Parked => true,
            OutcomeKind::Retry | OutcomeKind::Rejected | OutcomeKind::Misconfigured => false,
        }
    }

    /// Whether the event may be applied when its message is redelivered.
    #[must_use]
    pub fn is_redelivered(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Misconfigured(_))
    }

    /// Why it could not be applied, if it could not; or what is odd about it.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        const NOT_BOUND: &Failure = &Failure::new(
            Reason::AccountNotBound,
            "account_list: names an account that the device's known login does not have; compare spelling and account_type",
        );
        match self {
            Self::Applied | Self::Unchanged | Self::Superseded | Self::SupersededAtSameTime => None,
            Self::AppliedNotBound => Some(NOT_BOUND),
            Self::Retry(failure) | Self::Rejected(failure) | Self::Parked(failure) | Self::Misconfigured(failure) => {
                Some(failure)
            }
        }
    }

    /// Which of the counted outcomes it is.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Applied | Self::AppliedNotBound | Self::Unchanged => OutcomeKind::Applied,
            Self::Superseded | Self::SupersededAtSameTime => OutcomeKind::Superseded,
            Self::Retry(_) => OutcomeKind::Retry,
            Self::Rejected(_) => OutcomeKind::Rejected,
            Self::Parked(_) => OutcomeKind::Parked,
            Self::Misconfigured(_) => OutcomeKind::Misconfigured,
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
}

#[cfg(test)]
mod tests;
