//! Requests to AWS are retried here, not in the SDK. There all requests of a client draw their retries from one quota,
//! which is empty after a storm of throttling: nothing is retried any more, and a batch fails at its first 503.

use std::time::{Duration, SystemTime};

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use tokio::time::{Instant, sleep, timeout_at};

use aws_failure::is_throttling;

/// AWS's services answer within milliseconds.
const LONGEST_TRY: Duration = Duration::from_secs(2);
/// The longest pause after the first try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// AWS refuses signatures that are five minutes off; for the SDK a clock is wrong from four minutes on.
const SKEW: Duration = Duration::from_secs(240);

/// How often a request is tried, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    pub(crate) most: u32,
    /// No request is made after this, and none is waited for.
    pub(crate) until: Instant,
}

impl Tries {
    /// For what events depend on: with their pauses these tries take about a second.
    pub(crate) fn until(until: Instant) -> Self {
        Self { most: 5, until }
    }

    /// For what has little time, and is done again later.
    pub(crate) fn few(until: Instant) -> Self {
        Self { most: 2, until }
    }

    /// For what no event depends on.
    pub(crate) fn one(until: Instant) -> Self {
        Self { most: 1, until }
    }
}

/// There was no time for a first try.
#[derive(Debug, thiserror::Error)]
#[error("no time for a request")]
struct NoTime;

/// Makes a request and sends it, and does so again while the failure is transient. It must be a request that may be
/// carried out twice.
///
/// # Errors
/// That of the last try that was answered or broke; a timeout if there was none.
pub(crate) async fn send<T, E, F>(tries: Tries, request: impl Fn() -> F) -> Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let mut failure = None;
    for retry in 0..tries.most {
        if retry > 0 {
            let pause = longest_pause(retry).mul_f64(fastrand::f64());
            if Instant::now() + pause >= tries.until {
                break;
            }
            sleep(pause).await;
        }
        let now = Instant::now();
        if now >= tries.until {
            break;
        }
        match timeout_at(tries.until.min(now + LONGEST_TRY), request()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if !is_transient(&error) => return Err(error),
            Ok(Err(error)) => failure = Some(error),
            Err(elapsed) => _ = failure.get_or_insert_with(|| SdkError::timeout_error(elapsed)),
        }
    }
    Err(failure.unwrap_or_else(|| SdkError::timeout_error(NoTime)))
}

fn longest_pause(retry: u32) -> Duration {
    FIRST_PAUSE * 2_u32.saturating_pow(retry.saturating_sub(1))
}

/// Whether the same request may succeed a moment later. What the SDK's standard retries count as such, and any 5xx.
fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout() || failure.is_io(),
        SdkError::ServiceError(refusal) => {
            let code = refusal.err().code().unwrap_or_default();
            refusal.raw().status().as_u16() >= 500
                || is_throttling(code)
                || matches!(code, "RequestTimeout" | "RequestTimeoutException" | "ReplicatedWriteConflictException")
                || is_of_the_signature(code) && is_skewed(refusal.raw(), SystemTime::now())
        }
        _ => false,
    }
}

pub(super) fn is_of_the_signature(code: &str) -> bool {
    matches!(code, "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed")
}

/// Whether the clock here is wrong. From an answer's date the SDK learns to sign the client's next request by AWS's
/// clock.
fn is_skewed(answer: &HttpResponse, now: SystemTime) -> bool {
    let Some(date) = answer.headers().get("date").and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return false;
    };
    let skew = now.duration_since(date).unwrap_or_else(|error| error.duration());
    skew > SKEW
}

#[cfg(test)]
mod tests;
