//! What the AWS SDK says when something fails, in one line with the mend. SQS's own messages may quote a body: only their
//! codes are kept.

use std::error::Error;

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use tpns_account_sync::aws::AwsError;

/// SQS could not be asked, or said no.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}; {mend}")]
pub(crate) struct Trouble {
    what: String,
    mend: String,
    /// Whether it may well be gone in a moment.
    pub(crate) passing: bool,
    /// SQS's complaint is about a message, not about the call.
    pub(crate) of_a_message: bool,
    /// Nobody answered.
    pub(crate) silent: bool,
}

impl Trouble {
    /// SQS answers, and takes some messages only "later", for too long.
    pub(super) fn busy(option: &str) -> Self {
        let what = format!("SQS does not take the messages now ({option})");
        let mend = "run the command again later".into();
        Self { what, mend, passing: true, of_a_message: false, silent: false }
    }

    /// An answer in which everything that was asked for is missing.
    pub(super) fn empty_answer() -> Self {
        garbled(&AwsError::Unreadable(200), 200)
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }
}

/// Tells what failed. `action` is what the caller must be allowed to do, and `option` names the queue.
pub(crate) fn trouble<E>(error: &SdkError<E, HttpResponse>, action: &str, option: &str) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let failure = AwsError::of(error);
    match &failure {
        AwsError::Code(code) => return answered(code, status, action, option),
        AwsError::NoCode(_) | AwsError::ForeignCode(_) | AwsError::Unreadable(_) => return garbled(&failure, status),
        _ => {}
    }
    let mend = match failure {
        AwsError::Credentials(_) => "set up AWS credentials, e.g. AWS_PROFILE or `aws sso login`",
        AwsError::Region => "set AWS_REGION to the queue's region",
        _ => "check the network, AWS_REGION and AWS_ENDPOINT_URL",
    };
    Trouble {
        what: format!("SQS could not be reached ({failure})"),
        mend: mend.into(),
        passing: matches!(failure, AwsError::Credentials(_) | AwsError::Timeout | AwsError::Connection(_)),
        of_a_message: false,
        silent: true,
    }
}

/// An answer that SQS does not give: something else has answered, or the answer was damaged on its way.
fn garbled(failure: &AwsError, status: u16) -> Trouble {
    Trouble {
        what: format!("SQS's address gave {failure}"),
        mend: "check AWS_ENDPOINT_URL, and what is between here and SQS, such as a proxy".into(),
        passing: status >= 500 || matches!(failure, AwsError::Unreadable(_)),
        of_a_message: false,
        silent: status < 500,
    }
}

fn answered(code: &str, status: u16, action: &str, option: &str) -> Trouble {
    let (_, short) = code.rsplit_once('.').unwrap_or(("", code));
    let passing = status >= 500 || status == 429 || short.contains("Throttl") || short == "RequestThrottled";
    let mend = match short {
        "NonExistentQueue" | "QueueDoesNotExist" => format!("check {option} and AWS_REGION"),
        "AccessDenied" | "AccessDeniedException" => {
            format!("allow {action} on that queue, in IAM and in the queue's policy")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "InvalidAccessKeyId" => {
            "check the AWS credentials".into()
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => "sign in again, e.g. `aws sso login`".into(),
        "OverLimit" => "too many of its messages are in hand; wait until they are visible again".into(),
        _ if passing => "run the command again later".into(),
        _ => format!("see {short} in SQS's API reference, {}", action.trim_start_matches("sqs:")),
    };
    let of_a_message = matches!(short, "InvalidMessageContents" | "InvalidParameterValue" | "BatchRequestTooLong");
    Trouble { what: format!("SQS answered {short}"), mend, passing, of_a_message, silent: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, status: u16) -> Trouble {
        answered(code, status, "sqs:SendMessage", "--queue-url")
    }

    #[test]
    fn each_refusal_names_its_mend() {
        let mend = |code: &str| said(code, 400).to_string();
        assert_eq!(
            mend("AWS.SimpleQueueService.NonExistentQueue"),
            "SQS answered NonExistentQueue; check --queue-url and AWS_REGION"
        );
        assert!(mend("AccessDenied").contains("allow sqs:SendMessage"));
        assert!(mend("ExpiredToken").contains("sign in again"));
        assert!(mend("SomethingNew").contains("SomethingNew in SQS's API reference, SendMessage"));
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        assert!(said("ServiceUnavailable", 503).passing && said("ThrottlingException", 400).passing);
        assert!(!said("AccessDenied", 403).passing && !said("InvalidMessageContents", 400).passing);
        assert!(said("InvalidMessageContents", 400).of_a_message && !said("AccessDenied", 403).of_a_message);
    }
}
