//! Faults on request.

use std::time::{Duration, Instant};

use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use lambda_sim::{AwsApi, Credentials, Death, EntryFault, Fault, Operation};

use super::{bodies, config, entry, parking, secrets, secrets_with, sqs_with};

#[tokio::test]
async fn error_answers_come_as_often_as_asked_and_in_order() {
    let api = AwsApi::start().await.unwrap();
    api.put_secret("apps", "one").unwrap();
    let client = secrets(&api);
    api.fail_next(Operation::GetSecretValue, 2, Fault::InternalError);
    api.fail_next(Operation::GetSecretValue, 1, Fault::ServiceUnavailable);
    api.fail_next(Operation::GetSecretValue, 1, Fault::Throttling);
    api.fail_next(Operation::GetSecretValue, 1, Fault::AccessDenied);
    for (status, code) in [
        (500, "InternalServiceError"),
        (500, "InternalServiceError"),
        (503, "ServiceUnavailableException"),
        (400, "ThrottlingException"),
        (400, "AccessDeniedException"),
    ] {
        let error = client.get_secret_value().secret_id("apps").send().await.unwrap_err();
        assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(status));
        assert_eq!(error.code(), Some(code));
        let request = api.requests().pop().unwrap();
        assert_eq!((request.status, request.error.as_deref()), (Some(status), Some(code)));
    }
    client.get_secret_value().secret_id("apps").send().await.unwrap();
}

#[tokio::test]
async fn errors_of_sqs_bear_the_codes_of_its_query_protocol() {
    let (api, url, client) = parking().await;
    for (fault, status, code) in [
        (Fault::InternalError, 500, "InternalFailure"),
        (Fault::ServiceUnavailable, 503, "ServiceUnavailable"),
        (Fault::Throttling, 400, "ThrottlingException"),
        (Fault::AccessDenied, 403, "AccessDenied"),
    ] {
        api.fail_next(Operation::SendMessage, 1, fault);
        let error = client.send_message().queue_url(&url).message_body("m").send().await.unwrap_err();
        assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(status));
        assert_eq!(error.code(), Some(code));
    }
    assert!(bodies(&api, "parked").is_empty());
}

#[tokio::test]
async fn a_client_that_retries_gets_over_what_passes() {
    let (api, url, _) = parking().await;
    let client = sqs_with(&api, Credentials::of_the_sandbox(), 3);
    for fault in [Fault::InternalError, Fault::ServiceUnavailable, Fault::Throttling, Fault::Close] {
        api.fail_next(Operation::SendMessageBatch, 2, fault);
        let before = api.requests().len();
        client.send_message_batch().queue_url(&url).entries(entry("a", "m")).send().await.unwrap();
        let statuses: Vec<_> = api.requests()[before..].iter().map(|request| request.status).collect();
        assert_eq!((statuses.len(), statuses[2]), (3, Some(200)), "{fault:?}");
    }
    assert_eq!(bodies(&api, "parked").len(), 4);
}

#[tokio::test]
async fn a_hanging_request_runs_into_the_clients_timeout_and_is_not_carried_out() {
    let (api, url, _) = parking().await;
    let patience = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200)).build();
    let config = config(&api, Credentials::of_the_sandbox(), 1).into_builder().timeout_config(patience).build();
    let client = aws_sdk_sqs::Client::new(&config);
    api.fail_next(Operation::SendMessage, 1, Fault::Hang);
    let begun = Instant::now();
    let error = client.send_message().queue_url(url).message_body("m").send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let [request] = &api.requests()[..] else { panic!("{:?}", api.requests()) };
    assert_eq!((request.status, bodies(&api, "parked").len()), (None, 0));
}

#[tokio::test]
async fn a_closed_connection_is_a_dispatch_failure_before_or_after_the_deed() {
    let (api, url, client) = parking().await;
    for (fault, stored) in [(Fault::Close, 0), (Fault::CloseAfterwards, 1)] {
        api.fail_next(Operation::SendMessage, 1, fault);
        let error = client.send_message().queue_url(&url).message_body("m").send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
        assert_eq!(bodies(&api, "parked").len(), stored);
        assert_eq!(api.requests().pop().unwrap().status, None);
    }
}

#[tokio::test]
async fn a_lost_answer_makes_a_retrying_client_send_twice() {
    let (api, url, _) = parking().await;
    let client = sqs_with(&api, Credentials::of_the_sandbox(), 2);
    api.fail_next(Operation::SendMessageBatch, 1, Fault::CloseAfterwards);
    client.send_message_batch().queue_url(url).entries(entry("a", "m")).send().await.unwrap();
    assert_eq!(bodies(&api, "parked"), ["m", "m"]);
}

#[tokio::test]
async fn chosen_entries_fail_and_the_others_are_sent() {
    let (api, url, client) = parking().await;
    let wrong_key = EntryFault::body_containing("poison").code("KMS.DisabledException").sender_fault(true);
    api.fail_entries_next(1, [EntryFault::at(1), wrong_key]);
    let send = || {
        let batch = client.send_message_batch().queue_url(&url);
        let batch = batch.entries(entry("a", "one")).entries(entry("b", "two"));
        batch.entries(entry("c", "poisoned")).entries(entry("d", "four")).send()
    };
    let answer = send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a", "d"]);
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("b", "InternalError", false), ("c", "KMS.DisabledException", true)]);
    assert_eq!(bodies(&api, "parked"), ["one", "four"]);
    assert!(send().await.unwrap().failed().is_empty(), "once, as asked");
}

#[tokio::test]
async fn faults_without_end_stop_when_cleared() {
    let api = AwsApi::start().await.unwrap();
    api.put_secret("apps", "one").unwrap();
    let client = secrets_with(&api, Credentials::of_the_sandbox(), 2);
    api.fail_next(Operation::GetSecretValue, usize::MAX, Fault::Throttling);
    for _ in 0..2 {
        client.get_secret_value().secret_id("apps").send().await.unwrap_err();
    }
    assert_eq!(api.requests().len(), 4, "each try of the client is a request");
    api.clear_faults();
    client.get_secret_value().secret_id("apps").send().await.unwrap();
}

#[tokio::test]
async fn killed_connections_are_dead_at_their_next_use_and_new_ones_live() {
    let (api, url, _) = parking().await;
    for (death, patience) in [(Death::Reset, 30_000), (Death::Silence, 200)] {
        let client = sqs_with(&api, Credentials::of_the_sandbox(), 1);
        let patience = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(patience)).build();
        let send = || client.send_message().queue_url(&url).message_body("m");
        send().send().await.unwrap();
        let carried_out = api.requests().len();
        assert!(api.kill_connections(death) > 0);
        let config = aws_sdk_sqs::config::Config::builder().timeout_config(patience);
        let error = send().customize().config_override(config).send().await.unwrap_err();
        assert_eq!(matches!(error, SdkError::TimeoutError(_)), death == Death::Silence, "{death:?}: {error:?}");
        assert_eq!(api.requests().len(), carried_out, "{death:?}: it never arrived");
        send().send().await.unwrap();
    }
}
