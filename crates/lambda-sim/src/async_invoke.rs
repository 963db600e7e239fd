//! Asynchronous invocation, the way EventBridge reaches a function without a queue: retries, then an on-failure destination
//! (Lambda developer guide, "Invoking a Lambda function asynchronously").

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::function::{Function, Invocation, InvokeError};
use crate::ids;

/// The most an asynchronous invocation may bring, in bytes (Lambda quotas, 1 MB since October 2025).
pub const MAX_ASYNC_PAYLOAD_LEN: usize = 1024 * 1024;

/// Lambda's queue for asynchronous invocations, with its retries and its on-failure destination.
///
/// Lambda ignores what a function responds here, so a partial batch response changes nothing: only a function error is tried again.
#[derive(Debug)]
pub struct AsyncInvoker {
    function: Arc<Function>,
    max_retries: u32,
    retry_delay: Duration,
    failures: Vec<FailureRecord>,
}

/// What became of an asynchronous invocation.
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

/// What an on-failure destination gets.
#[derive(Clone, Debug)]
pub struct FailureRecord {
    /// The invocation's request id.
    pub request_id: String,
    /// The function's ARN.
    pub function_arn: String,
    /// How often it was tried.
    pub approximate_invoke_count: usize,
    /// What it was invoked with.
    pub request_payload: Bytes,
    /// What the last attempt ended with.
    pub response_payload: Bytes,
}

impl FailureRecord {
    /// The record as the destination gets it, without its timestamp.
    pub fn to_json(&self) -> Value {
        let parse = |bytes: &Bytes| {
            serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
        };
        json!({
            "version": "1.0",
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": format!("{}:$LATEST", self.function_arn),
                "condition": "RetriesExhausted",
                "approximateInvokeCount": self.approximate_invoke_count,
            },
            "requestPayload": parse(&self.request_payload),
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": parse(&self.response_payload),
        })
    }
}

/// An asynchronous invocation that wasn't taken or couldn't be tried.
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
    /// Two retries without a delay between them; in Lambda the delays are one and two minutes.
    pub fn new(function: Arc<Function>) -> Self {
        Self { function, max_retries: 2, retry_delay: Duration::ZERO, failures: Vec::new() }
    }

    /// `MaximumRetryAttempts`: 0 to 2, more counts as 2.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries.min(2);
        self
    }

    /// The delay before a retry.
    #[must_use]
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = delay;
        self
    }

    /// Invokes until the function responds or the retries are used up, and then hands the event to the on-failure destination.
    ///
    /// # Errors
    /// [`AsyncInvokeError`] when the event wasn't taken; nothing reaches the destination then.
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
            if attempts.len() > self.max_retries as usize {
                self.failures.push(FailureRecord {
                    request_id: request_id.clone(),
                    function_arn: self.function.arn().to_owned(),
                    approximate_invoke_count: attempts.len(),
                    request_payload: payload,
                    response_payload,
                });
                break;
            }
            tokio::time::sleep(self.retry_delay).await;
        }
        Ok(AsyncInvocation { request_id, attempts })
    }

    /// What has reached the on-failure destination, in order.
    pub fn on_failure(&self) -> &[FailureRecord] {
        &self.failures
    }
}
