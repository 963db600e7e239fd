//! How a function process can break the Runtime API's rules.

use std::sync::{Arc, Mutex, PoisonError};

/// A violation of the Runtime API by the function's process. Each was also answered with a 4xx status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A response or an error to an invocation that this process never received.
    #[error("answered the invocation {request_id}, which it never received")]
    UnknownRequestId {
        /// As given in the path.
        request_id: String,
    },
    /// A second response or error to an invocation.
    #[error("answered the invocation {request_id} again")]
    AnsweredTwice {
        /// The invocation.
        request_id: String,
    },
    /// Asked for the next invocation before it answered the open one.
    #[error("asked for the next invocation without answering {request_id}")]
    NextWhileUnanswered {
        /// The unanswered invocation.
        request_id: String,
    },
    /// Asked for the next invocation on two connections at once.
    #[error("asked for the next invocation while already waiting for it")]
    NextTwice,
    /// A response that is not JSON. An empty one is valid.
    #[error("the response to {request_id} is not JSON: {error}")]
    InvalidJson {
        /// The invocation.
        request_id: String,
        /// The parser's error; a position, never the content.
        error: String,
    },
    /// A response of more than [`MAX_PAYLOAD_LEN`](super::MAX_PAYLOAD_LEN) bytes.
    #[error("the response to {request_id} has more than 6 MB: {bytes} bytes")]
    ResponseTooLarge {
        /// The invocation.
        request_id: String,
        /// How many bytes were sent.
        bytes: usize,
    },
    /// A response that broke off.
    #[error("the response to {request_id} broke off")]
    TruncatedResponse {
        /// The invocation.
        request_id: String,
    },
    /// Reported an Init error after Init.
    #[error("reported an Init error after Init was over")]
    InitErrorAfterInit,
    /// A method and path that the Runtime API doesn't have.
    #[error("called {method} {path}, which the Runtime API doesn't have")]
    UnknownPath {
        /// The HTTP method.
        method: String,
        /// The path.
        path: String,
    },
    /// Answered, and then didn't ask for the next invocation within the function's timeout, so it was killed.
    #[error("answered an invocation and then didn't ask for the next one within the function's timeout")]
    NeverAskedForNext,
}

/// The violations so far. Clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Violations(Arc<Mutex<Vec<Violation>>>);

impl Violations {
    pub(crate) fn record(&self, violation: Violation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(violation);
    }

    pub(crate) fn all(&self) -> Vec<Violation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
