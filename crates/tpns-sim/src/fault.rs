//! Faults on request: what goes wrong, for which calls, how often.

mod active;
mod error;
mod fields;
mod json;
mod kind;
mod scope;

pub(crate) use self::{
    active::{ActiveFaults, Fired},
    scope::CallView,
};
pub use self::{
    error::FaultError,
    kind::FaultKind,
    scope::{Api, Scope},
};
use crate::codes::RetCode;

/// One fault, as posted to `/_sim/faults` or given to [`RunningSim::fault`](crate::RunningSim::fault).
///
/// ```
/// use tpns_sim::Fault;
///
/// let outage = Fault::status(503).retry_after("2").app("android").times(3);
/// let flaky = Fault::disconnect().probability(0.1, 7);
/// let bad_token = Fault::item_code(1_008_006).token("token1").forever();
/// # let _ = (outage, flaky, bad_token);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which calls can be hit; only calls that authenticate are.
    pub scope: Scope,
    /// How many matching calls pass before the first hit.
    pub skip: u64,
    /// How many calls are hit; `None` for no limit.
    pub times: Option<u64>,
    /// Chance of each matching call, 0 to 1, drawn from a generator of the given seed.
    pub chance: Option<Chance>,
    /// Whether the operation takes effect despite the faulty answer.
    pub apply: bool,
}

/// A probability and the seed that makes its draws repeatable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// 0 to 1.
    pub probability: f64,
    /// The same seed draws the same sequence.
    pub seed: u64,
}

impl Fault {
    /// A fault that hits the next matching call, any call, once.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { apply: kind.applies_by_default(), kind, scope: Scope::default(), skip: 0, times: Some(1), chance: None }
    }

    /// An HTTP status with an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Status { status, retry_after: None, body: None })
    }

    /// HTTP 200 with this `ret_code`, its documented message and an empty `result`.
    #[must_use]
    pub fn ret_code(ret_code: i64) -> Self {
        Self::new(FaultKind::RetCode { ret_code: RetCode(ret_code), err_msg: None, result: None })
    }

    /// This code for the items that [`token`](Self::token) or [`account`](Self::account) select,
    /// or for all of them.
    #[must_use]
    pub fn item_code(code: i64) -> Self {
        Self::new(FaultKind::ItemCode { code: RetCode(code) })
    }

    /// A good answer, delayed by `ms`.
    #[must_use]
    pub fn delay(ms: u64) -> Self {
        Self::new(FaultKind::Delay { ms, late: false })
    }

    /// The operation itself is delayed by `ms`, even if the client has given up by then.
    #[must_use]
    pub fn late(ms: u64) -> Self {
        Self::new(FaultKind::Delay { ms, late: true })
    }

    /// A good answer; the items that [`token`](Self::token) or [`account`](Self::account) select, or all of them, take
    /// effect `ms` later than they would.
    #[must_use]
    pub fn late_effect(ms: u64) -> Self {
        Self::new(FaultKind::Effect { late_ms: ms })
    }

    /// A good answer; the items that [`token`](Self::token) or [`account`](Self::account) select, or all of them,
    /// never take effect.
    #[must_use]
    pub fn lost_effect() -> Self {
        Self::new(FaultKind::Effect { late_ms: 0 }).apply(false)
    }

    /// No answer, ever.
    #[must_use]
    pub fn hang() -> Self {
        Self::new(FaultKind::Hang)
    }

    /// A TCP reset in the middle of the answer.
    #[must_use]
    pub fn reset() -> Self {
        Self::new(FaultKind::Reset)
    }

    /// An answer that ends before its `Content-Length`.
    #[must_use]
    pub fn truncated() -> Self {
        Self::new(FaultKind::Truncated)
    }

    /// HTTP 200 with a body that is not JSON.
    #[must_use]
    pub fn malformed() -> Self {
        Self::new(FaultKind::Malformed { body: None })
    }

    /// A `result` longer or shorter than the request, under ret_code 1008026.
    #[must_use]
    pub fn result_length(delta: i64) -> Self {
        Self::new(FaultKind::ResultLength { delta, ret_code: RetCode::PARTLY_ERROR })
    }

    /// `ok` in place of `0` and `NO_ERROR`, as in older answers.
    #[must_use]
    pub fn ok_words() -> Self {
        Self::new(FaultKind::OkWords)
    }

    /// The connection closes before any byte of an answer.
    #[must_use]
    pub fn disconnect() -> Self {
        Self::new(FaultKind::Disconnect)
    }

    /// `Retry-After` of a [`status`](Self::status) fault: seconds, or an HTTP date. Has no effect on other
    /// kinds.
    #[must_use]
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        if let FaultKind::Status { retry_after, .. } = &mut self.kind {
            *retry_after = Some(value.into());
        }
        self
    }

    /// Body of a [`status`](Self::status) or [`malformed`](Self::malformed) fault. Has no effect on
    /// other kinds.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if let FaultKind::Status { body, .. } | FaultKind::Malformed { body } = &mut self.kind {
            *body = Some(text.into());
        }
        self
    }

    /// Only calls of this app.
    #[must_use]
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.scope.app = Some(app.into());
        self
    }

    /// Only calls of the query API; without this, only those of batchoperate.
    #[must_use]
    pub fn on_query(mut self) -> Self {
        self.scope.api = Api::Query;
        self
    }

    /// Only calls with this `operator_type`.
    #[must_use]
    pub fn operator_type(mut self, operator_type: i64) -> Self {
        self.scope.operator_type = Some(operator_type);
        self
    }

    /// Only calls that contain this token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.scope.token = Some(token.into());
        self
    }

    /// Only calls that contain this account, of any type.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.scope.account = Some(account.into());
        self
    }

    /// Narrows [`account`](Self::account) to one type.
    #[must_use]
    pub fn account_type(mut self, account_type: u32) -> Self {
        self.scope.account_type = Some(account_type);
        self
    }

    /// Lets the first `calls` matching calls pass.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Hits this many calls.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Hits every matching call, without limit.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// Hits each matching call with this probability, without limit; call [`times`](Self::times)
    /// afterwards to set one.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some(Chance { probability, seed });
        self.times = None;
        self
    }

    /// Whether the operation takes effect despite the faulty answer.
    #[must_use]
    pub fn apply(mut self, apply: bool) -> Self {
        self.apply = apply;
        self
    }
}
