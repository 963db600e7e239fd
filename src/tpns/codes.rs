//! What an answer of TPNS, or the lack of one, means: one exhaustive match, and the table of codes.

mod documented;

use documented::{Meaning, meaning};

use super::{Operation, OperatorType};
use crate::{
    outcome::{Cause, Failure, Reason},
    plan::Verdict,
    transport::TransportError,
};

/// What came back for a call or for one of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// No whole answer came back.
    Transport(TransportError),
    /// An answer without a `ret_code`.
    Status(u16),
    /// A `ret_code`, or the code of an item in `result`.
    Code(i64),
    /// An item's word in `result` that is neither a number nor "ok".
    Word,
}

/// The meaning of a signal for calls of this operation.
#[must_use]
pub fn classify(signal: Signal, operation: impl Into<Operation>) -> Verdict {
    use Operation::{Change, Query};
    use OperatorType::{Bind, Unbind, UnbindAll, UnbindEverywhere};
    let operation = operation.into();
    let failure = |reason| Failure { code: signal.code(), ..Failure::new(reason, signal.detail()) };
    let retry = |reason| Verdict::Retry(failure(reason), None);
    let rejected = |reason| Verdict::Rejected(failure(reason));
    let misconfigured = |reason| Verdict::Misconfigured(failure(reason));
    match signal {
        Signal::Transport(TransportError::NoConnection(_)) => retry(Reason::TpnsUnreachable),
        Signal::Transport(TransportError::Timeout) => retry(Reason::TpnsTimeout),
        Signal::Transport(TransportError::Broken | TransportError::TooLong) => retry(Reason::TpnsBrokenAnswer),

        // In older answers an item's "ok" is 0, too.
        Signal::Code(code) => match meaning(code) {
            Some(Meaning::Accepted) => Verdict::Accepted,
            Some(Meaning::Retry(reason)) => retry(reason),
            Some(Meaning::Rejected(reason)) => rejected(reason),
            Some(Meaning::Misconfigured(reason)) => misconfigured(reason),
            Some(Meaning::InvalidToken) => match operation {
                Change(_) => rejected(Reason::TpnsInvalidToken),
                Query(_) => Verdict::Accepted,
            },
            Some(Meaning::NothingBound) => match operation {
                Change(Unbind | UnbindAll | UnbindEverywhere) | Query(_) => Verdict::Accepted,
                Change(Bind) => rejected(Reason::TpnsNoToken),
            },
            None => rejected(Reason::TpnsUnknownCode),
        },
        Signal::Word => rejected(Reason::TpnsUnknownCode),

        // An answer without a ret_code is not TPNS's own, or not whole: it says nothing of the items.
        Signal::Status(200..=299) => retry(Reason::TpnsBrokenAnswer),
        Signal::Status(408 | 425 | 429) => retry(Reason::TpnsThrottled),
        Signal::Status(500..=599) => retry(Reason::TpnsUnavailable),
        Signal::Status(401 | 403 | 407) => misconfigured(Reason::TpnsAuthFailed),
        // A redirect, or no such path: the address is not TPNS's.
        Signal::Status(300..=399 | 404 | 405 | 410 | 421) => misconfigured(Reason::TpnsWrongEndpoint),
        Signal::Status(400..=499) => rejected(Reason::TpnsBadInput),
        Signal::Status(_) => retry(Reason::TpnsBrokenAnswer),
    }
}

impl Signal {
    /// Whether it is TPNS's own word for success, not a failure that amounts to it.
    pub(super) fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    fn code(self) -> Option<i64> {
        match self {
            Self::Code(code) => Some(code),
            Self::Status(status) => Some(status.into()),
            Self::Transport(_) | Self::Word => None,
        }
    }

    /// What prevented an answer.
    fn detail(self) -> &'static str {
        match self {
            Self::Transport(error) => error.text(),
            Self::Status(_) | Self::Code(_) | Self::Word => "",
        }
    }
}

/// Whether `result` is about the items under this `ret_code`: success, partly failed, all failed. Under any other code
/// the call failed before TPNS looked at its items.
pub(super) fn is_about_items(ret_code: i64, verdict: &Verdict) -> bool {
    ret_code == 0 || verdict.failure().is_some_and(|failure| failure.reason == Reason::TpnsBatchError)
}

/// Whether it is an HTTP status without a `ret_code` that blames the app. A gateway may give it for what is in a call
/// just as well, so it counts as the app's fault only when calls of single items agree.
pub(super) fn is_a_status_of_the_app(failure: &Failure) -> bool {
    failure.reason.cause() == Cause::Credentials && failure.code.is_some_and(is_a_status)
}

/// The failure when it turns out to be one item that gets the answer.
pub(super) fn of_an_item(failure: Failure) -> Failure {
    if is_a_status_of_the_app(&failure) { Failure { reason: Reason::TpnsBadInput, ..failure } } else { failure }
}

/// Whether TPNS documents the code for what an account call holds. Any other code, or an HTTP status, may be about
/// all calls.
pub(super) fn is_of_the_input(failure: &Failure) -> bool {
    let is_documented = matches!(
        failure.reason,
        Reason::TpnsBadInput | Reason::TpnsInvalidToken | Reason::TpnsNoToken | Reason::TpnsBatchError
    );
    is_documented && failure.code.is_some_and(|code| !is_a_status(code))
}

/// TPNS has no `ret_code` among the HTTP statuses.
fn is_a_status(code: i64) -> bool {
    (100..=599).contains(&code)
}

#[cfg(test)]
mod tests;
