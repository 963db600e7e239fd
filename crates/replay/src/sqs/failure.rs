//! Errors of the AWS SDK, as one line that says what to do. SQS's own messages may quote a body: only their codes are
//! kept.

use std::error::Error;

use aws_failure::AwsError;
use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

/// SQS could not be reached, or answered with an error.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}; {remedy}")]
pub(crate) struct SqsFailure {
    what: String,
    remedy: String,
    /// Whether a retry may succeed.
    pub(crate) transient: bool,
    /// Whether SQS refuses a message, not the call.
    pub(crate) concerns_a_message: bool,
    /// Whether SQS has answered at all.
    pub(crate) answered: bool,
}

impl SqsFailure {
    /// SQS answers, but has asked for too long to send some messages later.
    pub(super) fn busy(option: &str) -> Self {
        let what = format!("{option}: SQS does not accept the messages now");
        let remedy = "run the command again later".into();
        Self { what, remedy, transient: true, concerns_a_message: false, answered: true }
    }

    /// An answer in which everything that was requested is missing.
    pub(super) fn empty_answer() -> Self {
        garbled(&AwsError::Unreadable(200), 200)
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }
}

/// Describes the failure. `action` is the permission that the caller needs, and `option` names the queue.
pub(crate) fn failure<E>(error: &SdkError<E, HttpResponse>, action: &str, option: &str) -> SqsFailure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let error = AwsError::of(error);
    match &error {
        AwsError::Code(code) => return of_code(code, status, action, option),
        AwsError::NoCode(_) | AwsError::ForeignCode(_) | AwsError::Unreadable(_) => return garbled(&error, status),
        _ => {}
    }
    let remedy = match error {
        AwsError::Credentials(_) => "set up AWS credentials, e.g. AWS_PROFILE or `aws sso login`",
        AwsError::Region => "set AWS_REGION to the queue's region",
        _ => "check the network, AWS_REGION and AWS_ENDPOINT_URL",
    };
    SqsFailure {
        what: format!("SQS could not be reached ({error})"),
        remedy: remedy.into(),
        transient: matches!(error, AwsError::Credentials(_) | AwsError::Timeout | AwsError::Connection(_)),
        concerns_a_message: false,
        answered: false,
    }
}

/// An answer that SQS never gives: something else has answered, or the answer was damaged in transit.
fn garbled(error: &AwsError, status: u16) -> SqsFailure {
    SqsFailure {
        what: format!("the endpoint of SQS returned {error}"),
        remedy: "check AWS_ENDPOINT_URL, and anything between this machine and SQS, such as a proxy".into(),
        transient: status >= 500 || matches!(error, AwsError::Unreadable(_)),
        concerns_a_message: false,
        answered: status >= 500,
    }
}

fn of_code(code: &str, status: u16, action: &str, option: &str) -> SqsFailure {
    let (_, short) = code.rsplit_once('.').unwrap_or(("", code));
    let transient = status >= 500 || status == 429 || short.contains("Throttl") || short == "RequestThrottled";
    let remedy = match short {
        "NonExistentQueue" | "QueueDoesNotExist" => format!("check {option} and AWS_REGION"),
        "AccessDenied" | "AccessDeniedException" => {
            format!("allow {action} on that queue, in IAM and in the queue's policy")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "InvalidAccessKeyId" => {
            "check the AWS credentials".into()
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => "sign in again, e.g. `aws sso login`".into(),
        "OverLimit" => "too many of its messages are in flight; wait until they are visible again".into(),
        _ if transient => "run the command again later".into(),
        _ => format!("look up {short} in the SQS API reference, {}", action.trim_start_matches("sqs:")),
    };
    let concerns_a_message =
        matches!(short, "InvalidMessageContents" | "InvalidParameterValue" | "BatchRequestTooLong");
    SqsFailure { what: format!("SQS answered {short}"), remedy, transient, concerns_a_message, answered: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure_of(code: &str, status: u16) -> SqsFailure {
        of_code(code, status, "sqs:SendMessage", "--queue-url")
    }

    #[test]
    fn each_error_says_what_to_do() {
        let text = |code: &str| failure_of(code, 400).to_string();
        assert_eq!(
            text("AWS.SimpleQueueService.NonExistentQueue"),
            "SQS answered NonExistentQueue; check --queue-url and AWS_REGION"
        );
        assert!(text("AccessDenied").contains("allow sqs:SendMessage"));
        assert!(text("ExpiredToken").contains("sign in again"));
        assert!(text("SomethingNew").contains("SomethingNew in the SQS API reference, SendMessage"));
    }

    #[test]
    fn transient_failures_are_distinguished_from_lasting_ones() {
        assert!(failure_of("ServiceUnavailable", 503).transient && failure_of("ThrottlingException", 400).transient);
        assert!(!failure_of("AccessDenied", 403).transient && !failure_of("InvalidMessageContents", 400).transient);
        assert!(
            failure_of("InvalidMessageContents", 400).concerns_a_message
                && !failure_of("AccessDenied", 403).concerns_a_message
        );
    }
}
