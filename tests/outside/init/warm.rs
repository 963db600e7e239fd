//! What Init opens for the first event (docs/decisions/0052-connections-are-opened-in-init.md).

use lambda_sim::{AwsApi, Fault, Operation, Queue};

use crate::stage::{Stage, login};

/// Handles nothing, so that what is seen was done in Init.
const EMPTY: &str = r#"{"Records":[]}"#;

async fn world() -> (lambda_sim::RunningAwsApi, Stage) {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("ledger", "pk");
    let checks = aws.create_queue(Queue::builder("checks").build().unwrap());
    let settings = [("LEDGER_TABLE", "ledger"), ("CHECK_QUEUE_URL", checks.as_str()), ("AWS_ENDPOINT_URL", &aws.url())];
    let stage = Stage::with(&settings).await;
    (aws, stage)
}

#[tokio::test]
async fn connections_for_the_first_event_are_opened_and_tpns_gets_no_request() {
    let (aws, stage) = world().await;
    stage.invoke(EMPTY).await;
    // The row of the apps does not exist yet, so it is written.
    let requests: Vec<_> = aws.requests().into_iter().filter_map(|request| request.operation).collect();
    assert_eq!(requests, [Operation::BatchGetItem, Operation::BatchGetItem, Operation::UpdateItem]);
    assert_eq!((aws.open_connections(), stage.tpns.open_connections()), (3, 1));
    assert_eq!(stage.calls(), []);
    // The event's own: its row, the row of its account, its check, and the verification.
    assert_eq!(stage.batch(&[login(1, "token", &["ann"])]).await, [""; 0]);
    let own = |operation| aws.requests()[3..].iter().filter(|request| request.operation == Some(operation)).count();
    let own = [Operation::UpdateItem, Operation::BatchGetItem, Operation::SendMessageBatch].map(own);
    assert_eq!(own, [1, 2, 1]);
    assert_eq!((aws.open_connections(), stage.tpns.open_connections()), (3, 1), "none was opened for it");
    assert_eq!(stage.bound("android", "token"), ["ann/0"]);
}

#[tokio::test]
async fn without_ledger_and_checks_only_tpns_is_connected_to() {
    let stage = Stage::new().await;
    stage.invoke(EMPTY).await;
    assert_eq!((stage.tpns.open_connections(), stage.calls()), (1, vec![]));
}

#[tokio::test]
async fn what_fails_is_logged_and_done_for_the_first_event() {
    let (aws, stage) = world().await;
    aws.fail_next(Operation::BatchGetItem, 2, Fault::AccessDenied);
    assert_eq!(stage.batch(&[login(1, "token", &["ann"])]).await, [""; 0]);
    let printed = stage.printed();
    assert!(
        printed.contains("LEDGER_TABLE: not read in Init: AccessDeniedException; the first event tries again"),
        "{printed}"
    );
    assert!(!printed.contains("its events are redelivered"), "{printed}");
    assert_eq!(stage.bound("android", "token"), ["ann/0"]);
}
