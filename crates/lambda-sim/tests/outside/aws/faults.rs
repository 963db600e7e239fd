//! Faults on request.

use std::time::Duration;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use lambda_sim::{Death, EntryFault, Fault, Operation};

use super::{SHORT, World, client::RequestError, short_timeout};

#[tokio::test]
async fn each_error_has_the_code_and_status_of_its_service_and_comes_once() {
    let world = World::new().await;
    for (fault, dynamodb, secrets, sqs) in [
        (Fault::InternalError, "500 InternalServerError", "500 InternalServiceError", "500 InternalFailure"),
        (
            Fault::ServiceUnavailable,
            "503 ServiceUnavailable",
            "503 ServiceUnavailableException",
            "503 ServiceUnavailable",
        ),
        (Fault::Throttling, "400 ThrottlingException", "400 ThrottlingException", "400 ThrottlingException"),
        (
            Fault::ProvisionedThroughputExceeded,
            "400 ProvisionedThroughputExceededException",
            "400 ThrottlingException",
            "400 ThrottlingException",
        ),
        (Fault::AccessDenied, "400 AccessDeniedException", "400 AccessDeniedException", "403 AccessDenied"),
    ] {
        use Operation::{BatchGetItem, GetSecretValue, SendMessageBatch, UpdateItem};
        for operation in [UpdateItem, BatchGetItem, GetSecretValue, SendMessageBatch] {
            world.api.fail_next(operation, 1, fault);
        }
        let codes = [
            world.raise("a", 1).send().await.unwrap_err().code().map(str::to_owned),
            world.read(&["a"], None).send().await.unwrap_err().code().map(str::to_owned),
            world.secret().send().await.unwrap_err().code().map(str::to_owned),
            world.send(&["m"]).send().await.unwrap_err().code().map(str::to_owned),
        ];
        let requests = world.api.requests();
        let expected = [dynamodb, dynamodb, secrets, sqs];
        for ((request, code), expected) in requests[requests.len() - 4..].iter().zip(codes).zip(expected) {
            let (status, code) = (request.status.unwrap(), code.unwrap());
            assert_eq!(format!("{status} {code}"), expected);
            assert_eq!(request.error, Some(code));
        }
    }
    assert_eq!((world.kept("a"), world.bodies().len()), (None, 0));
    world.raise("a", 1).send().await.unwrap();
    world.secret().send().await.unwrap();
    world.send(&["m"]).send().await.unwrap();
}

#[tokio::test]
async fn faults_come_as_often_as_planned_in_the_order_planned() {
    let world = World::new().await;
    world.api.fail_next(Operation::GetSecretValue, 2, Fault::InternalError);
    world.api.fail_next(Operation::GetSecretValue, usize::MAX, Fault::Throttling);
    for status in [500, 500, 400, 400] {
        world.secret().send().await.unwrap_err();
        assert_eq!(world.api.requests().pop().unwrap().status, Some(status));
    }
    world.api.clear_faults();
    world.secret().send().await.unwrap();
}

#[tokio::test]
async fn a_client_that_retries_recovers_from_a_transient_fault() {
    let world = World::retrying(3).await;
    for fault in [Fault::InternalError, Fault::ServiceUnavailable, Fault::Throttling, Fault::Close] {
        let before = world.api.requests().len();
        world.api.fail_next(Operation::SendMessageBatch, 2, fault);
        world.send(&["m"]).send().await.unwrap();
        world.api.fail_next(Operation::BatchGetItem, 2, fault);
        for _ in 0..2 {
            world.read(&["a"], None).send().await.unwrap_err();
        }
        world.read(&["a"], None).send().await.unwrap();
        assert_eq!(world.api.requests().len() - before, 6, "{fault:?}");
    }
    assert_eq!(world.bodies().len(), 4);
}

#[tokio::test]
async fn a_hanging_request_runs_into_the_clients_timeout_and_is_not_carried_out() {
    let world = World::new().await;
    world.api.fail_next(Operation::UpdateItem, 1, Fault::Hang);
    let arrived = async {
        while world.api.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(SHORT).await;
    };
    tokio::select! {
        answer = world.raise("a", 1).send() => panic!("there must be no answer: {answer:?}"),
        () = arrived => {}
    }
    assert_eq!((world.api.requests()[0].status, world.kept("a")), (None, None));
}

#[tokio::test]
async fn a_closed_connection_is_a_dispatch_failure_before_or_after_the_request_was_carried_out() {
    let world = World::new().await;
    for (fault, kept) in [(Fault::Close, None), (Fault::CloseAfterwards, Some(1))] {
        world.api.fail_next(Operation::UpdateItem, 1, fault);
        let error = world.raise("a", 1).send().await.unwrap_err();
        let RequestError::Connection(error) = error else { panic!("{error:?}") };
        assert!(error.is_request() && !error.is_connect(), "{error:?}");
        assert_eq!((world.kept("a"), world.api.requests().pop().unwrap().status), (kept, None));
    }
}

#[tokio::test]
async fn a_lost_answer_makes_a_retrying_client_act_twice() {
    let world = World::retrying(2).await;
    world.api.fail_next(Operation::SendMessageBatch, 1, Fault::CloseAfterwards);
    world.send(&["m"]).send().await.unwrap();
    assert_eq!(world.bodies(), ["m", "m"]);
    world.api.fail_next(Operation::UpdateItem, 1, Fault::CloseAfterwards);
    world.raise("a", 1).send().await.unwrap_err();
    let again = world.raise("a", 1).send().await.unwrap_err();
    assert_eq!(again.code(), Some("ConditionalCheckFailedException"), "it meets its own write");
    assert_eq!(world.kept("a"), Some(1));
}

#[tokio::test]
async fn chosen_entries_fail_and_the_others_are_sent() {
    let world = World::new().await;
    let wrong_key = EntryFault::body_containing("poison").code("KMS.DisabledException").sender_fault(true);
    world.api.fail_entries_next(1, [EntryFault::at(1), wrong_key]);
    let send = || world.send(&["one", "two", "poisoned", "four"]).send();
    let answer = send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["0", "3"]);
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("1", "InternalError", false), ("2", "KMS.DisabledException", true)]);
    assert_eq!(world.bodies(), ["one", "four"]);
    assert!(send().await.unwrap().failed().is_empty(), "once, as planned");
    world.api.fail_entries_next(1, [EntryFault::at(1).fails_the_call()]);
    assert_eq!(send().await.unwrap_err().code(), Some("InvalidMessageContents"));
    assert_eq!(world.bodies().len(), 6);
}

#[tokio::test]
async fn killed_connections_are_dead_at_their_next_use_and_new_ones_live() {
    let world = World::new().await;
    for death in [Death::Reset, Death::Silence] {
        world.send(&["m"]).send().await.unwrap();
        let carried_out = world.api.requests().len();
        assert!(world.api.kill_connections(death) > 0);
        let patience = aws_sdk_sqs::Config::builder().timeout_config(short_timeout());
        let error = world.send(&["m"]).customize().config_override(patience).send().await.unwrap_err();
        // A reset can be late on a busy machine, so it may show as a timeout, too.
        let timed_out = matches!(error, SdkError::TimeoutError(_));
        assert!(timed_out || death == Death::Reset, "{death:?}: {error:?}");
        assert_eq!(world.api.requests().len(), carried_out, "{death:?}: it never arrived");
        world.send(&["m"]).send().await.unwrap();
    }
}
