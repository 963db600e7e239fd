//! The kinds of faults.

use crate::codes::RetCode;

/// One way for a call to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An HTTP status, such as a gateway in front of TPNS would answer.
    Status {
        /// 200 to 599.
        status: u16,
        /// `Retry-After` header: seconds, or an HTTP date.
        retry_after: Option<String>,
        /// Sent as JSON if it is JSON, otherwise as plain text.
        body: Option<String>,
    },
    /// HTTP 200 with a `ret_code` for the whole call.
    RetCode {
        /// Any code.
        ret_code: RetCode,
        /// Default: the code's documented message.
        err_msg: Option<String>,
        /// Default: empty.
        result: Option<Vec<String>>,
    },
    /// A code for the items that the scope's token or account select; the others are handled as usual.
    ItemCode {
        /// Any code but 0.
        code: RetCode,
    },
    /// A good answer, but late.
    Delay {
        /// Milliseconds on top of the usual latency.
        ms: u64,
        /// Whether the operation itself is late too, and takes effect even if the client has given up.
        late: bool,
    },
    /// A good answer, and an effect that is late; with [`apply`](super::Fault::apply) false there is none. Only of the
    /// items that the scope's token or account select; the others are handled as usual.
    Effect {
        /// Milliseconds on top of the usual time to the effect.
        late_ms: u64,
    },
    /// No answer; the connection stays open until the client or the simulator ends it.
    Hang,
    /// A TCP reset after part of the body.
    Reset,
    /// A `Content-Length` longer than the body, then the end of the connection.
    Truncated,
    /// HTTP 200 with bytes that are not JSON.
    Malformed {
        /// Default: an answer cut off in the middle of a string.
        body: Option<String>,
    },
    /// A `result` whose length is not that of the request.
    ResultLength {
        /// Elements added (`"0"`) or, below zero, taken from the end.
        delta: i64,
        /// The code of the whole call.
        ret_code: RetCode,
    },
    /// `"ok"` for every `"0"`, and as `err_msg` of a good answer.
    OkWords,
    /// The connection closes before any byte of an answer.
    Disconnect,
}

impl FaultKind {
    /// The names of the kinds, as the control API spells them.
    pub const NAMES: [&'static str; 12] = [
        "status",
        "ret_code",
        "item_code",
        "delay",
        "effect",
        "hang",
        "reset",
        "truncated",
        "malformed",
        "result_length",
        "ok_words",
        "disconnect",
    ];

    /// The kind's name in [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::RetCode { .. } => "ret_code",
            Self::ItemCode { .. } => "item_code",
            Self::Delay { .. } => "delay",
            Self::Effect { .. } => "effect",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Malformed { .. } => "malformed",
            Self::ResultLength { .. } => "result_length",
            Self::OkWords => "ok_words",
            Self::Disconnect => "disconnect",
        }
    }

    /// Whether the operation takes effect if the fault does not specify it.
    #[must_use]
    pub fn applies_by_default(&self) -> bool {
        matches!(
            self,
            Self::Delay { .. }
                | Self::Effect { .. }
                | Self::ResultLength { .. }
                | Self::OkWords
                | Self::ItemCode { .. }
        )
    }

    /// Whether the fault only changes the items of a good answer or their effects, and so needs a call with items.
    pub(super) fn needs_items(&self) -> bool {
        matches!(self, Self::ItemCode { .. } | Self::Effect { .. } | Self::ResultLength { .. } | Self::OkWords)
    }
}
