//! Why a request to AWS failed, in words that are safe to log.
//!
//! An error of the SDK holds the raw answer and prints it: where the answer can't be read, that is the secret, or the
//! rows of devices. A proxy's answer may also repeat the request. So of both nothing is shown but the status, and a
//! code that has the form of one of AWS's.

use std::{error::Error, io};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// The text of an error, if it is of a type that the caller knows to be safe to log.
pub type Own = fn(&(dyn Error + 'static)) -> Option<String>;

/// Why a request to AWS failed. Its text is for the log and holds nothing of the request or the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AwsError {
    /// AWS refused the request with this code.
    #[error("{0}")]
    Code(String),
    /// An error answer without a code: a proxy's, most likely.
    #[error("an error without a code, HTTP {0}")]
    NoCode(u16),
    /// An error answer whose code does not have the form of an AWS code, so it could hold anything.
    #[error("an error whose code is not an AWS code, HTTP {0}")]
    ForeignCode(u16),
    /// An answer that is not one of the operation.
    #[error("an answer that could not be read, HTTP {0}")]
    Unreadable(u16),
    /// No connection or no whole answer within the limits.
    #[error("no answer in time")]
    Timeout,
    /// There are no credentials to sign the request with.
    #[error("no AWS credentials: {0}")]
    Credentials(String),
    /// There is no region to send the request to.
    #[error("no AWS region is set")]
    Region,
    /// No connection, or one that broke.
    #[error("{0}")]
    Connection(String),
    /// The request was not sent.
    #[error("the SDK could not make the request")]
    Unsendable,
}

impl AwsError {
    /// Of an SDK error of any operation.
    #[must_use]
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        Self::over_own_connections(error, |_| None)
    }

    /// The same where the caller makes the SDK's connections: `own` is the text of one of its errors, if it is one.
    #[must_use]
    pub fn over_own_connections<E>(error: &SdkError<E, HttpResponse>, own: Own) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status());
        match (error, status) {
            (SdkError::ServiceError(_), Some(status)) => match error.code() {
                Some(code) => Self::of_code(code, status.as_u16()),
                None if status.is_success() => Self::Unreadable(status.as_u16()),
                None => Self::NoCode(status.as_u16()),
            },
            (_, Some(status)) => Self::Unreadable(status.as_u16()),
            (SdkError::TimeoutError(_), None) => Self::Timeout,
            (SdkError::DispatchFailure(failure), None) => Self::before_the_answer(error, own).unwrap_or_else(|| {
                if failure.is_timeout() { Self::Timeout } else { Self::Connection("the connection failed".to_owned()) }
            }),
            (_, None) => match Self::before_the_answer(error, own) {
                None | Some(Self::Connection(_)) => Self::Unsendable,
                Some(other) => other,
            },
        }
    }

    /// The code that AWS refused the request with.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if let Self::Code(code) = self { Some(code) } else { None }
    }

    /// Whether AWS refused the request because there are too many.
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        self.code().is_some_and(is_throttling)
    }

    fn of_code(code: &str, status: u16) -> Self {
        aws_code(code).map_or(Self::ForeignCode(status), |code| Self::Code(code.to_owned()))
    }

    /// What the chain of sources says, as far as it is known to hold no text from outside.
    fn before_the_answer(error: &(dyn Error + 'static), own: Own) -> Option<Self> {
        let mut innermost = None;
        let mut next = error.source();
        while let Some(error) = next {
            if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
                // Its source may be the answer that should have held the credentials.
                return Some(Self::Credentials(credentials.to_string()));
            }
            // Only this is searched for in the SDK's text, which is not shown.
            if error.to_string().contains("Missing Region") {
                return Some(Self::Region);
            }
            innermost = own(error).or_else(|| shown(error)).or(innermost);
            next = error.source();
        }
        innermost.map(Self::Connection)
    }
}

/// The text of an error of these types: none of them quotes a request, an answer or a URL.
fn shown(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return Some(shown_io(error));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error.to_string());
    }
    error.downcast_ref::<hyper::Error>().map(ToString::to_string)
}

/// The system's own text, or that of the error inside, which is not among the sources.
fn shown_io(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let text = error.to_string();
    match tls {
        Some(tls) => tls.to_string(),
        None if error.raw_os_error().is_some() || text.starts_with("failed to lookup address") => text,
        None => error.kind().to_string(),
    }
}

/// Whether a code is of those that say "too many requests": the list of the SDK's retries, as far as these services may
/// send them.
#[must_use]
pub fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "TooManyRequestsException"
    )
}

/// The longest code that the SDKs know has 51 characters.
const LONGEST_CODE: usize = 64;

/// Each code of these services holds one of them (API references of SQS, DynamoDB and Secrets Manager, and their common
/// errors).
#[rustfmt::skip]
const WORDS: [&str; 24] = [
    "AWS.", "KMS.", "Kms", "Exception", "Error", "Failure", "Invalid", "Denied", "uthorized", "Expired", "Unavailable",
    "Unsupported", "NotFound", "NotInflight", "Throttl", "Exceeded", "Missing", "Malformed", "NotMatch", "Signature",
    "OverLimit", "OptInRequired", "Queue", "Batch",
];

/// The code, if it has the form of one of AWS's. A proxy may have put anything in its place, and tokens, account names
/// and keys are letters and digits too: so a code has no digits, and at least one word that AWS uses in codes.
#[must_use]
pub fn aws_code(code: &str) -> Option<&str> {
    let of_letters = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase()) && part.chars().all(|c| c.is_ascii_alphabetic())
    };
    let like_a_code = code.len() <= LONGEST_CODE && code.split('.').all(of_letters);
    (like_a_code && WORDS.iter().any(|word| code.contains(word))).then_some(code)
}

#[cfg(test)]
mod tests;
