use std::{cell::Cell, future::pending, io};

use aws_sdk_sqs::{
    error::{ConnectorError, ErrorMetadata},
    operation::send_message_batch::SendMessageBatchError,
};

use super::*;

type Failure = SdkError<SendMessageBatchError, HttpResponse>;

/// Far away.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn refusal(status: u16, code: &str, date: Option<SystemTime>) -> Failure {
    let metadata = ErrorMetadata::builder().code(code).build();
    let mut answer = HttpResponse::new(status.try_into().unwrap(), "".into());
    if let Some(date) = date {
        answer.headers_mut().insert("date", httpdate::fmt_http_date(date));
    }
    SdkError::service_error(SendMessageBatchError::generic(metadata), answer)
}

fn throttled() -> Failure {
    refusal(400, "ThrottlingException", None)
}

/// What comes of a request that fails like this at first, and how often it was made.
async fn sent(tries: Tries, failures: Vec<Failure>) -> (Result<(), Option<String>>, usize) {
    let (made, failures) = (Cell::new(0), Cell::new(failures));
    let request = || {
        made.set(made.get() + 1);
        let mut left = failures.take();
        let failure = if left.is_empty() { None } else { Some(left.remove(0)) };
        failures.set(left);
        async { failure.map_or(Ok(()), Err) }
    };
    let result = send(tries, request).await.map_err(|error| error.code().map(str::to_owned));
    (result, made.get())
}

#[tokio::test]
async fn a_transient_failure_is_retried_and_another_is_not() {
    let denied = || refusal(400, "AccessDeniedException", None);
    for (failures, result, made) in [
        (vec![], Ok(()), 1),
        (vec![throttled()], Ok(()), 2),
        (vec![throttled(), throttled(), throttled(), throttled()], Ok(()), 5),
        (vec![throttled(), denied()], Err(Some("AccessDeniedException".to_owned())), 2),
        (vec![denied()], Err(Some("AccessDeniedException".to_owned())), 1),
    ] {
        assert_eq!(sent(Tries::until(later()), failures).await, (result, made));
    }
    let failures = std::iter::repeat_with(throttled).take(9).collect();
    assert_eq!(sent(Tries::few(later()), failures).await, (Err(Some("ThrottlingException".to_owned())), 2));
}

#[tokio::test]
async fn after_its_time_no_request_is_made() {
    assert_eq!(sent(Tries::until(Instant::now()), vec![]).await, (Err(None), 0));
}

#[tokio::test]
async fn a_pause_that_would_outlast_the_time_is_not_waited_for() {
    let begun = Instant::now();
    let failures = std::iter::repeat_with(throttled).take(100).collect();
    let tries = Tries { most: 40, until: begun + Duration::from_secs(3) };
    let (result, made) = sent(tries, failures).await;
    assert_eq!(result, Err(Some("ThrottlingException".to_owned())));
    assert!(made < 40, "the pauses double");
}

/// A try that the end of the time cuts off says less than the answer before it.
#[tokio::test]
async fn of_an_answer_and_a_timeout_after_it_the_answer_is_reported() {
    let answers = Cell::new(1);
    let request = || async { if answers.replace(0) == 0 { pending().await } else { Err::<(), _>(throttled()) } };
    let error = send(Tries::until(Instant::now() + Duration::from_secs(1)), request).await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"));
    let never = || pending::<Result<(), Failure>>();
    let error = send(Tries::until(Instant::now() + Duration::from_millis(10)), never).await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
}

#[test]
fn only_what_may_be_over_a_moment_later_is_transient() {
    let io = || io::Error::from(io::ErrorKind::ConnectionReset);
    for (failure, transient) in [
        (SdkError::timeout_error(NoTime), true),
        (SdkError::response_error(NoTime, HttpResponse::new(200.try_into().unwrap(), "".into())), true),
        (SdkError::dispatch_failure(ConnectorError::io(io().into())), true),
        (SdkError::dispatch_failure(ConnectorError::timeout(io().into())), true),
        (SdkError::dispatch_failure(ConnectorError::other(io().into(), None)), false),
        (SdkError::construction_failure(NoTime), false),
        (refusal(500, "InternalServerError", None), true),
        (refusal(503, "", None), true),
        (refusal(400, "ProvisionedThroughputExceededException", None), true),
        (refusal(400, "RequestThrottled", None), true),
        (refusal(400, "ReplicatedWriteConflictException", None), true),
        (refusal(400, "ConditionalCheckFailedException", None), false),
        (refusal(400, "ValidationException", None), false),
        (refusal(403, "AccessDenied", None), false),
        (refusal(400, "ResourceNotFoundException", None), false),
        (refusal(302, "", None), false),
    ] {
        assert_eq!(is_transient(&failure), transient, "{failure:?}");
    }
}

/// The SDK signs a client's next request by the clock that it saw in an answer.
#[test]
fn a_signature_by_a_wrong_clock_is_tried_again() {
    let now = SystemTime::now();
    let hour = Duration::from_secs(3600);
    for (code, date, transient) in [
        ("InvalidSignatureException", Some(now + hour), true),
        ("SignatureDoesNotMatch", Some(now - hour), true),
        ("InvalidSignatureException", Some(now), false),
        ("InvalidSignatureException", None, false),
        ("AccessDeniedException", Some(now + hour), false),
    ] {
        assert_eq!(is_transient(&refusal(403, code, date)), transient, "{code} {date:?}");
    }
}
