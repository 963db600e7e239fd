//! How an invocation ended.

use std::{process::ExitStatus, time::Duration};

use bytes::Bytes;

use crate::runtime_api::ErrorReport;

/// One invocation, seen from outside.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// `Lambda-Runtime-Aws-Request-Id`, as in the function's logs.
    pub request_id: String,
    /// From passing the payload to the outcome, without Init. Zero when Init failed.
    pub duration: Duration,
    /// The Init that this invocation waited for, from the start of the process to its first `/next`. `None` when warm.
    pub init: Option<Duration>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The end of an invocation. Everything but [`Response`](Self::Response) counts as a function error.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The function responded. What an event source makes of the response is up to [`answer`](crate::answer).
    Response {
        /// The body; JSON, or empty.
        body: Bytes,
    },
    /// The function reported an error, or its response was refused (see
    /// [`Function::violations`](crate::Function::violations)): `Function.ResponseSizeTooLarge`,
    /// `Runtime.InvalidResponse`, `Runtime.TruncatedResponse`.
    FunctionError {
        /// `Lambda-Runtime-Function-Error-Type`, else the body's `errorType`, else `Runtime.Unknown`.
        error_type: String,
        /// The body's `errorMessage`.
        message: String,
        /// The body.
        body: Bytes,
    },
    /// No answer within the function's timeout. The process was killed; the next invocation starts a new one.
    TimedOut {
        /// The function's timeout.
        after: Duration,
    },
    /// The process ended without an answer (`Runtime.ExitError`). The next invocation starts a new one.
    Exited {
        /// How it ended; a signal, after [`Function::kill`](crate::Function::kill).
        status: ExitStatus,
    },
    /// The process never asked for an invocation. It was killed; the next invocation starts a new one.
    InitFailed(InitFailure),
}

/// Why an Init failed.
#[derive(Clone, Debug)]
pub enum InitFailure {
    /// Posted to `/init/error`.
    Reported(ErrorReport),
    /// The process ended.
    Exited {
        /// How it ended.
        status: ExitStatus,
    },
    /// The Init timeout ran out.
    TimedOut {
        /// The Init timeout.
        after: Duration,
    },
}

impl Outcome {
    /// The body of a response; `None` for every kind of failure.
    pub fn response(&self) -> Option<&Bytes> {
        match self {
            Self::Response { body } => Some(body),
            _ => None,
        }
    }

    /// The `errorType` that Lambda returns to the caller; `None` for a response.
    pub fn error_type(&self) -> Option<&str> {
        match self {
            Self::Response { .. } => None,
            Self::FunctionError { error_type, .. } => Some(error_type),
            Self::TimedOut { .. } | Self::InitFailed(InitFailure::TimedOut { .. }) => Some("Sandbox.Timedout"),
            Self::Exited { .. } | Self::InitFailed(InitFailure::Exited { .. }) => Some("Runtime.ExitError"),
            Self::InitFailed(InitFailure::Reported(report)) => Some(&report.error_type),
        }
    }

    /// The payload that Lambda returns to the caller, and passes to an on-failure destination, in place of a response;
    /// `None` for a response.
    pub fn error_payload(&self, request_id: &str) -> Option<Bytes> {
        let error_type = self.error_type()?;
        let message = match self {
            Self::Response { .. } => return None,
            Self::FunctionError { body, .. } | Self::InitFailed(InitFailure::Reported(ErrorReport { body, .. })) => {
                return Some(body.clone());
            }
            Self::TimedOut { after } | Self::InitFailed(InitFailure::TimedOut { after }) => {
                format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64())
            }
            Self::Exited { status } | Self::InitFailed(InitFailure::Exited { status }) => {
                format!("RequestId: {request_id} Error: Runtime exited with error: {status}")
            }
        };
        let payload = serde_json::json!({ "errorType": error_type, "errorMessage": message });
        Some(Bytes::from(payload.to_string()))
    }
}
