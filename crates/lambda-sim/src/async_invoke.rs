//! Asynchronous invocation, the way EventBridge reaches a function without a queue: retries, then an on-failure
//! destination (Lambda developer guide, "Invoking a Lambda function asynchronously").

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    function::{Function, Invocation, InvokeError},
    ids,
};

/// `MaximumRetryAttempts`, as Lambda has it by default.
const MAX_RETRIES: usize = 2;
/// The largest payload of an asynchronous invocation, in bytes (Lambda quotas, 1 MB since October 2025).
pub const MAX_ASYNC_PAYLOAD_LEN: usize = 1024 * 1024;

/// Lambda's queue for asynchronous invocations, with two retries and an on-failure destination. In Lambda the delays
/// before the retries are one and two minutes; here there are none.
///
/// Lambda ignores the response here, so a partial batch response changes nothing: only a function error is retried.
#[derive(Debug)]
pub struct AsyncInvoker {
    function: Arc<Function>,
    failures: Vec<FailureRecord>,
}

/// An asynchronous invocation with all its attempts.
#[derive(Clone, Debug)]
pub struct AsyncInvocation {
    /// The same for every attempt.
    pub request_id: String,
    /// Every attempt, in order; the last one decided.
    pub attempts: Vec<Invocation>,
}

impl AsyncInvocation {
    /// Whether the last attempt succeeded.
    pub fn succeeded(&self) -> bool {
        self.attempts.last().is_some_and(|last| last.outcome.response().is_some())
    }
}

/// What an on-failure destination receives.
#[derive(Clone, Debug)]
pub struct FailureRecord(Value);

impl FailureRecord {
    fn new(request_id: &str, function: &Function, attempts: usize, request: &[u8], response: &[u8]) -> Self {
        let parse = |bytes: &[u8]| {
            serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
        };
        Self(json!({
            "version": "1.0",
            "requestContext": {
                "requestId": request_id,
                "functionArn": format!("{}:$LATEST", function.arn()),
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": parse(request),
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": parse(response),
        }))
    }

    /// The record, without its timestamp.
    pub fn to_json(&self) -> Value {
        self.0.clone()
    }
}

/// An asynchronous invocation that Lambda refused, or that couldn't be attempted.
#[derive(Debug, thiserror::Error)]
pub enum AsyncInvokeError {
    /// More than 1 MB.
    #[error("the payload has {0} bytes, more than the {MAX_ASYNC_PAYLOAD_LEN} an asynchronous invocation takes")]
    PayloadTooLarge(usize),
    /// The function couldn't be invoked.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

impl AsyncInvoker {
    /// An invoker for `function`.
    pub fn new(function: Arc<Function>) -> Self {
        Self { function, failures: Vec::new() }
    }

    /// Invokes until the function responds. When the retries are used up, passes the event to the on-failure
    /// destination.
    ///
    /// # Errors
    /// [`AsyncInvokeError`] when Lambda refused the event; nothing reaches the destination then.
    pub async fn invoke(&mut self, payload: impl Into<Bytes>) -> Result<AsyncInvocation, AsyncInvokeError> {
        let payload = payload.into();
        if payload.len() > MAX_ASYNC_PAYLOAD_LEN {
            return Err(AsyncInvokeError::PayloadTooLarge(payload.len()));
        }
        let request_id = ids::request_id();
        let mut attempts = Vec::new();
        loop {
            let attempt = self.function.invoke_as(request_id.clone(), payload.clone()).await?;
            let error = attempt.outcome.error_payload(&request_id);
            attempts.push(attempt);
            let Some(response_payload) = error else { break };
            if attempts.len() > MAX_RETRIES {
                let (function, count) = (&self.function, attempts.len());
                self.failures.push(FailureRecord::new(&request_id, function, count, &payload, &response_payload));
                break;
            }
        }
        Ok(AsyncInvocation { request_id, attempts })
    }

    /// The records that the on-failure destination has received, in order.
    pub fn on_failure(&self) -> &[FailureRecord] {
        &self.failures
    }
}
