//! Whether SQS refuses a call because of one of its messages, or takes none at all.

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::send_message_batch::SendMessageBatchError,
};

use crate::aws::aws_code;

/// Whether the call may go through without one of its messages.
pub(super) fn is_of_a_message(error: &SdkError<SendMessageBatchError, HttpResponse>) -> bool {
    let SdkError::ServiceError(answer) = error else { return false };
    let error = answer.err();
    let of_the_queue = error.is_queue_does_not_exist()
        || error.is_request_throttled()
        || error.is_invalid_address()
        || error.is_invalid_security()
        || error.is_unsupported_operation()
        || error.is_kms_access_denied()
        || error.is_kms_disabled()
        || error.is_kms_invalid_key_usage()
        || error.is_kms_invalid_state()
        || error.is_kms_not_found()
        || error.is_kms_opt_in_required()
        || error.is_kms_throttled();
    error.is_batch_request_too_long() || !of_the_queue && may_be(answer.raw().status().as_u16(), error.code())
}

/// The same of errors that have no type in the SDK: `InvalidMessageContents`, `InvalidParameterValue`, a proxy's 413.
fn may_be(status: u16, code: Option<&str>) -> bool {
    /// Codes of AWS's common errors, which depend on who calls and how often.
    const OF_THE_CALLER: [&str; 9] = [
        "Throttl",
        "AccessDenied",
        "NotAuthorized",
        "UnrecognizedClient",
        "InvalidClientTokenId",
        "Token",
        "Signature",
        "Expired",
        "OptInRequired",
    ];
    // Without an AWS code it is not SQS that answers, but a proxy, which can refuse a message only for its size.
    let Some(code) = code.and_then(aws_code) else { return status == 413 };
    let of_the_caller = OF_THE_CALLER.iter().any(|common| code.contains(common));
    matches!(status, 400..=499) && !matches!(status, 401 | 403 | 404 | 407 | 408 | 429) && !of_the_caller
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_at_fault_for_what_another_call_would_not_meet() {
        for (status, code) in [
            (400, Some("InvalidMessageContents")),
            (400, Some("InvalidParameterValue")),
            (400, Some("AWS.SimpleQueueService.BatchRequestTooLong")),
            (400, Some("MissingParameter")),
            (413, None),
        ] {
            assert!(may_be(status, code), "{status} {code:?}");
        }
        for (status, code) in [
            (400, Some("ThrottlingException")),
            (400, Some("RequestThrottled")),
            (400, Some("AccessDeniedException")),
            (400, Some("UnrecognizedClientException")),
            (400, Some("ExpiredTokenException")),
            (400, Some("IncompleteSignature")),
            (403, Some("AccessDenied")),
            (400, None),
            (400, Some("13711112222")),
            (403, None),
            (404, None),
            (429, None),
            (500, Some("InternalFailure")),
            (503, None),
            (200, None),
        ] {
            assert!(!may_be(status, code), "{status} {code:?}");
        }
    }
}
