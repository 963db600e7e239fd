use std::fmt;

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ConnectorError, ErrorMetadata},
    operation::send_message_batch::SendMessageBatchError,
};

use super::*;

const SECRET: &str = "android-secret-1452fcebae9f3115";

/// An error of no type that is known here.
#[derive(Debug)]
struct Revealing;

impl fmt::Display for Revealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET)
    }
}

impl Error for Revealing {}

fn response(status: u16) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SECRET.into())
}

fn refused(code: Option<&str>, status: u16) -> AwsError {
    let mut metadata = ErrorMetadata::builder().message(SECRET);
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    AwsError::of(&SdkError::service_error(SendMessageBatchError::generic(metadata.build()), response(status)))
}

#[test]
fn an_answer_shows_its_code_or_else_its_kind_and_status() {
    let unreadable: SdkError<SendMessageBatchError, _> = SdkError::response_error(Revealing, response(200));
    for (error, text) in [
        (refused(Some("AccessDenied"), 403), "AccessDenied"),
        (refused(Some(SECRET), 400), "an error whose code is not an AWS code, HTTP 400"),
        (refused(None, 403), "an error without a code, HTTP 403"),
        (refused(None, 302), "an error without a code, HTTP 302"),
        (refused(None, 200), "an answer that could not be read, HTTP 200"),
        (AwsError::of(&unreadable), "an answer that could not be read, HTTP 200"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_failed_connection_shows_the_innermost_text_that_is_known_to_be_safe() {
    let of_io = |error| {
        let failure: SdkError<SendMessageBatchError> = SdkError::dispatch_failure(ConnectorError::io(error));
        AwsError::of(&failure).to_string()
    };
    let invalid = |inner: Box<dyn Error + Send + Sync>| Box::new(io::Error::new(io::ErrorKind::InvalidData, inner));
    let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let unknown = "failed to lookup address information: Name or service not known";
    assert_eq!(of_io(Box::new(io::Error::from_raw_os_error(111))), "Connection refused (os error 111)");
    assert_eq!(of_io(invalid(untrusted.into())), "invalid peer certificate: UnknownIssuer");
    assert_eq!(of_io(Box::new(io::Error::other(unknown))), unknown);
    assert_eq!(of_io(invalid(Revealing.into())), "invalid data");
    assert_eq!(of_io(Box::new(Revealing)), "the connection failed");
}

#[test]
fn missing_credentials_show_their_kind_and_nothing_of_what_was_answered() {
    let missing = CredentialsError::unhandled(Revealing);
    let failure: SdkError<SendMessageBatchError> =
        SdkError::dispatch_failure(ConnectorError::other(missing.into(), None));
    assert_eq!(AwsError::of(&failure).to_string(), "no AWS credentials: unexpected credentials error");
}

#[test]
fn a_request_that_was_not_sent_shows_no_part_of_it() {
    let failure: SdkError<SendMessageBatchError> = SdkError::construction_failure(Revealing);
    assert_eq!(AwsError::of(&failure), AwsError::Unsendable);
    let failure: SdkError<SendMessageBatchError> = SdkError::timeout_error(Revealing);
    assert_eq!(AwsError::of(&failure), AwsError::Timeout);
}

#[test]
fn codes_of_aws_are_shown() {
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "ConditionalCheckFailedException",
        "ExpiredToken",
        "DecryptionFailure",
        "IncompleteSignature",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InvalidClientTokenId",
        "InvalidMessageContents",
        "ItemCollectionSizeLimitExceededException",
        "KMS.OptInRequired",
        "KMS.DisabledException",
        "MalformedQueryString",
        "MessageNotInflight",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "QueueDoesNotExist",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ResourceNotFoundException",
        "ServiceUnavailable",
        "ThrottlingException",
        "SignatureDoesNotMatch",
        "Throttling",
        "UnrecognizedClientException",
        "UnsupportedOperation",
        "ValidationException",
    ] {
        assert_eq!(aws_code(code), Some(code));
    }
}

#[test]
fn what_only_looks_like_a_code_is_not_shown() {
    for code in [
        "",
        ".",
        "AWS",
        "AWS.",
        "Exception.",
        "AnnaSmith",
        "anna",
        "8613711112222",
        "05da87c0ae5973bd2dfa9e08d884aada5bb2",
        "tokenvkxjqz0123456789",
        "ann@example.com",
        "AccessDenied for ann",
        "AccessDenied: ann",
        "Error-ann",
        "Error.ann",
        "Error7",
        "<html>Error</html>",
        "Error\nann",
        "Größe.Exception",
        "errorException",
        SECRET,
        &"Error".repeat(13),
    ] {
        assert_eq!(aws_code(code), None, "{code}");
    }
}
