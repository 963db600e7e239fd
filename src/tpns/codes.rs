//! What an answer of TPNS, or the lack of one, means: one exhaustive match (facts.md, section 4).

use std::time::Duration;

use crate::{plan::OperatorType, transport::TransportError};

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

/// What is to be done about a call or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// TPNS has taken it.
    Accepted,
    /// Not now: try again, after this long if TPNS said so.
    Retry(Why, Option<Duration>),
    /// Never as it is.
    Rejected(Why),
    /// Never until the operator mends the configuration or the account with Tencent.
    Misconfigured(Why),
}

/// The reason of a verdict: a short stable word, and TPNS's number where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// For logs, metrics and message attributes.
    pub reason: &'static str,
    /// The `ret_code`, item code or HTTP status.
    pub code: Option<i64>,
    /// What stood in the way of an answer.
    pub transport: Option<TransportError>,
}

impl Why {
    /// Whether newer keys could mend it: the app itself is in order.
    #[must_use]
    pub fn is_of_the_apps_document(&self) -> bool {
        matches!(self.reason, "tpns_auth_failed" | "tpns_wrong_region_or_access_id" | "tpns_wrong_endpoint")
    }

    /// Whether TPNS does not know the token: for a fresh install, it may soon.
    #[must_use]
    pub fn is_of_an_unknown_token(&self) -> bool {
        matches!(self.code, Some(1_008_006 | 1_008_029 | 10_110_008))
    }

    /// Whether TPNS refuses the token itself, whatever the call.
    #[must_use]
    pub fn is_of_an_invalid_token(&self) -> bool {
        matches!(self.code, Some(1_008_006 | 1_008_029))
    }

    /// Whether it is an HTTP status without a `ret_code` that blames the app. A gateway may give it for what is in a call
    /// just as well, so it counts as the app's fault only when calls of single items agree.
    pub(super) fn is_a_status_of_the_app(&self) -> bool {
        self.is_of_the_apps_document() && matches!(self.code, Some(100..=599))
    }

    /// The reason when it turns out to be one item that gets the answer.
    pub(super) fn of_an_item(self) -> Self {
        if self.is_a_status_of_the_app() { Self { reason: "tpns_bad_input", ..self } } else { self }
    }

    /// Whether TPNS documents the code for what an account call holds. Any other code, or an HTTP status, may be about
    /// all calls.
    pub(super) fn is_of_the_input(&self) -> bool {
        matches!(self.code, Some(1_008_001 | 1_008_002 | 1_008_007 | 1_008_026 | 1_008_027))
            || self.is_of_an_unknown_token()
    }

    pub(super) const fn of(reason: &'static str) -> Self {
        Self { reason, code: None, transport: None }
    }
}

impl Verdict {
    /// Why it was not accepted, if it was not.
    #[must_use]
    pub fn why(&self) -> Option<Why> {
        match self {
            Self::Accepted => None,
            Self::Retry(why, _) | Self::Rejected(why) | Self::Misconfigured(why) => Some(*why),
        }
    }

    /// Whether it is worth asking again within this invocation.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        matches!(self, Self::Retry(..))
    }
}

/// The meaning of a signal for calls of this type.
#[must_use]
pub fn classify(signal: Signal, operator_type: OperatorType) -> Verdict {
    use OperatorType::{Bind, Unbind, UnbindAll, UnbindEverywhere};
    let why = |reason| Why { reason, code: signal.code(), transport: signal.transport() };
    let retry = |reason| Verdict::Retry(why(reason), None);
    let rejected = |reason| Verdict::Rejected(why(reason));
    let misconfigured = |reason| Verdict::Misconfigured(why(reason));
    match signal {
        Signal::Transport(TransportError::NoConnection(_)) => retry("tpns_unreachable"),
        Signal::Transport(TransportError::Timeout) => retry("tpns_timeout"),
        Signal::Transport(TransportError::Broken | TransportError::TooLong) => retry("tpns_broken_answer"),

        // NO_ERROR, and "ok" in older answers.
        Signal::Code(0) => Verdict::Accepted,
        // invoke service error: TPNS's own trouble.
        Signal::Code(1_008_004) => retry("tpns_internal"),
        // request too fast.
        Signal::Code(1_008_028) => retry("tpns_throttled"),
        // parameter parse error; missing parameter; invalid parameter.
        Signal::Code(1_008_001 | 1_008_002 | 1_008_007) => rejected("tpns_bad_input"),
        // invalid token; token is not valid.
        Signal::Code(1_008_006 | 1_008_029) => rejected("tpns_invalid_token"),
        // batch op, partly or total error: met only when `result` can't say which items, down to a single one.
        Signal::Code(1_008_026 | 1_008_027) => rejected("tpns_batch_error"),
        // no token, no account: what is to be unbound is not bound.
        Signal::Code(10_110_008) => match operator_type {
            Unbind | UnbindAll | UnbindEverywhere => Verdict::Accepted,
            Bind => rejected("tpns_no_token"),
        },
        // auth failure; AccessID and AccessKey do not match.
        Signal::Code(1_008_003 | 10_030_002) => misconfigured("tpns_auth_failed"),
        // accessId is not correct or domain not correct.
        Signal::Code(1_008_035) => misconfigured("tpns_wrong_region_or_access_id"),
        // app not paid; app was expired; resources not deployed or not purchased.
        Signal::Code(1_008_030 | 1_008_031 | 1_010_001) => misconfigured("tpns_not_paid"),
        // Documented for uploads, certificates, pushes and statistics, never for account calls.
        Signal::Code(
            1_008_011..=1_008_013
            | 1_008_015
            | 1_008_016
            | 1_008_019..=1_008_023
            | 1_008_025
            | 10_010_005
            | 10_010_012
            | 10_010_018,
        ) => rejected("tpns_unexpected_code"),
        Signal::Code(_) | Signal::Word => rejected("tpns_unknown_code"),

        // An answer without a ret_code is not TPNS's own, or not whole: it says nothing of the items.
        Signal::Status(200..=299) => retry("tpns_broken_answer"),
        Signal::Status(408 | 425 | 429) => retry("tpns_throttled"),
        Signal::Status(500..=599) => retry("tpns_unavailable"),
        Signal::Status(401 | 403 | 407) => misconfigured("tpns_auth_failed"),
        // A redirect, or no such path: the address is not TPNS's.
        Signal::Status(300..=399 | 404 | 405 | 410 | 421) => misconfigured("tpns_wrong_endpoint"),
        Signal::Status(400..=499) => rejected("tpns_bad_input"),
        Signal::Status(_) => retry("tpns_broken_answer"),
    }
}

impl Signal {
    fn code(self) -> Option<i64> {
        match self {
            Self::Code(code) => Some(code),
            Self::Status(status) => Some(status.into()),
            Self::Transport(_) | Self::Word => None,
        }
    }

    fn transport(self) -> Option<TransportError> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Status(_) | Self::Code(_) | Self::Word => None,
        }
    }
}

#[cfg(test)]
mod tests;
