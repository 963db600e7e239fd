//! Faults of DynamoDB on request.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use lambda_sim::{Credentials, Fault, Operation, Service};

use super::super::{config, parking};
use super::{client_with, item, ledger, n, s, update};

#[tokio::test]
async fn each_error_has_the_name_and_status_dynamodb_gives_it() {
    let (api, client) = ledger().await;
    for (fault, status, code) in [
        (Fault::InternalError, 500, "InternalServerError"),
        (Fault::ServiceUnavailable, 503, "ServiceUnavailable"),
        (Fault::Throttling, 400, "ThrottlingException"),
        (Fault::ProvisionedThroughputExceeded, 400, "ProvisionedThroughputExceededException"),
        (Fault::AccessDenied, 400, "AccessDeniedException"),
    ] {
        api.fail_next(Operation::UpdateItem, 1, fault);
        let error = update(&client, "a").send().await.unwrap_err();
        assert_eq!(error.raw_response().map(|response| response.status().as_u16()), Some(status), "{fault:?}");
        assert_eq!(error.code(), Some(code));
        let request = api.requests().pop().unwrap();
        assert_eq!((request.status, request.error.as_deref(), request.entries), (Some(status), Some(code), 1));
    }
    assert_eq!(item(&api, "a"), None);
    api.fail_next(Operation::GetItem, 1, Fault::ProvisionedThroughputExceeded);
    let get = client.get_item().table_name("ledger").key("id", s("a"));
    let error = get.clone().send().await.unwrap_err().into_service_error();
    assert!(error.is_provisioned_throughput_exceeded_exception());
    get.send().await.unwrap();

    let (api, url, client) = parking().await;
    api.fail_next(Operation::SendMessage, 1, Fault::ProvisionedThroughputExceeded);
    let error = client.send_message().queue_url(url).message_body("m").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"), "elsewhere there is no such error");
}

#[tokio::test]
async fn every_operation_fails_as_planned_and_only_that_one() {
    let (api, client) = ledger().await;
    let keys = [("id".to_owned(), s("a"))].into();
    let keys = KeysAndAttributes::builder().keys(keys).build().unwrap();
    let operations =
        [Operation::UpdateItem, Operation::PutItem, Operation::DeleteItem, Operation::GetItem, Operation::BatchGetItem];
    for failing in operations {
        assert_eq!(failing.service(), Service::DynamoDb);
        api.fail_next(failing, 1, Fault::ProvisionedThroughputExceeded);
        let get = client.get_item().table_name("ledger").key("id", s("a")).send().await;
        let batch = client.batch_get_item().request_items("ledger", keys.clone()).send().await;
        let put = client.put_item().table_name("ledger").item("id", s("a")).send().await;
        let delete = client.delete_item().table_name("ledger").key("id", s("a")).send().await;
        let codes = [
            update(&client, "a").send().await.err().and_then(|error| error.code().map(str::to_owned)),
            put.err().and_then(|error| error.code().map(str::to_owned)),
            delete.err().and_then(|error| error.code().map(str::to_owned)),
            get.err().and_then(|error| error.code().map(str::to_owned)),
            batch.err().and_then(|error| error.code().map(str::to_owned)),
        ];
        for (operation, code) in operations.into_iter().zip(codes) {
            let expected = (operation == failing).then_some("ProvisionedThroughputExceededException");
            assert_eq!(code.as_deref(), expected, "{failing}: {operation}");
        }
    }
}

#[tokio::test]
async fn a_client_that_retries_gets_over_what_passes() {
    let (api, _) = ledger().await;
    let client = client_with(&api, Credentials::of_the_sandbox(), 3);
    for fault in [
        Fault::InternalError,
        Fault::ServiceUnavailable,
        Fault::Throttling,
        Fault::ProvisionedThroughputExceeded,
        Fault::Close,
    ] {
        api.fail_next(Operation::UpdateItem, 2, fault);
        let before = api.requests().len();
        update(&client, "a").send().await.unwrap();
        assert_eq!(api.requests().len() - before, 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_hanging_update_runs_into_the_clients_timeout_and_is_not_carried_out() {
    let (api, _) = ledger().await;
    let patience = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200)).build();
    let config = config(&api, Credentials::of_the_sandbox(), 1).into_builder().timeout_config(patience).build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    api.fail_next(Operation::UpdateItem, 1, Fault::Hang);
    let error = update(&client, "a").send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    assert_eq!((api.requests()[0].status, item(&api, "a")), (None, None));
}

#[tokio::test]
async fn a_closed_connection_is_a_dispatch_failure_before_or_after_the_write() {
    let (api, client) = ledger().await;
    for (fault, written) in [(Fault::Close, false), (Fault::CloseAfterwards, true)] {
        api.fail_next(Operation::UpdateItem, 1, fault);
        let error = update(&client, "a").send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
        assert_eq!(item(&api, "a").is_some(), written);
    }
}

#[tokio::test]
async fn a_lost_answer_makes_a_retrying_client_meet_its_own_write() {
    let (api, _) = ledger().await;
    let client = client_with(&api, Credentials::of_the_sandbox(), 2);
    api.fail_next(Operation::UpdateItem, 1, Fault::CloseAfterwards);
    let set = update(&client, "a").update_expression("SET version = :v");
    let set = set.condition_expression("attribute_not_exists(version) OR version < :v");
    let error = set.expression_attribute_values(":v", n(1)).send().await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception());
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("1"));
    assert_eq!(api.requests().len(), 2);
}

#[tokio::test]
async fn dynamodb_checks_signatures_too() {
    let (api, _) = ledger().await;
    let wrong = Credentials { secret_access_key: "wrong".into(), ..Credentials::of_the_sandbox() };
    let error = update(&client_with(&api, wrong, 1), "a").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
    assert_eq!(item(&api, "a"), None);
}
