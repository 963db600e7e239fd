//! A transient failure of AWS costs no delivery, even after many earlier failures.

use std::time::Duration;

use lambda_sim::{AwsApi, Fault as AwsFault, Operation, Queue, RunningAwsApi};
use tpns_sim::Fault;

use crate::{
    ledger::{NONE, World},
    stage::{SECRETS, Stage, login, secret_function},
};

/// Transient failures.
const TRANSIENT: [AwsFault; 6] = [
    AwsFault::Throttling,
    AwsFault::ProvisionedThroughputExceeded,
    AwsFault::InternalError,
    AwsFault::ServiceUnavailable,
    AwsFault::Close,
    AwsFault::CloseAfterwards,
];

fn logins(second: u32, devices: usize) -> Vec<String> {
    (0..devices).map(|n| login(second, &format!("t{n}"), &[&format!("a{n}")])).collect()
}

async fn parking() -> (RunningAwsApi, Stage) {
    let aws = AwsApi::start().await.unwrap();
    let url = aws.create_queue(Queue::builder("parked").build().unwrap());
    let settings =
        [("PARKING_QUEUE_URL", url.as_str()), ("AWS_ENDPOINT_URL", &aws.url()), ("DEADLINE_RESERVE_MS", "9000")];
    (aws, Stage::with(&settings).await)
}

fn bad(messages: usize) -> Vec<String> {
    (0..messages).map(|n| format!("bad {n}")).collect()
}

#[tokio::test]
async fn a_transient_failure_of_the_table_is_retried_within_the_invocation() {
    let world = World::new().await;
    for (second, operation) in [(1, Operation::UpdateItem), (2, Operation::BatchGetItem)] {
        for (n, fault) in TRANSIENT.into_iter().enumerate() {
            world.aws.fail_next(operation, 4, fault);
            let token = format!("{second}-{n}");
            assert_eq!(world.batch(&[login(second, &token, &["a"])]).await, NONE, "{operation} {fault:?}");
            assert_eq!(world.stage.bound("android", &token), ["a/0"], "{operation} {fault:?}");
        }
    }
}

#[tokio::test]
async fn after_many_throttled_requests_to_the_table_further_ones_are_still_retried() {
    let world = World::new().await;
    world.aws.fail_next(Operation::UpdateItem, usize::MAX, AwsFault::Throttling);
    assert_eq!(world.batch(&logins(1, 64)).await.len(), 64);
    world.aws.clear_faults();
    for operation in [Operation::UpdateItem, Operation::BatchGetItem] {
        world.aws.fail_next(operation, 1, AwsFault::Throttling);
        assert_eq!(world.batch(&logins(1, 1)).await, NONE, "{operation}");
    }
}

/// Events whose rows were never requested are reported as such, and no event is reported as if the table did not
/// answer.
#[tokio::test]
async fn throttling_until_the_deadline_is_the_reason_of_every_event_that_was_started() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("ledger", "pk");
    let endpoint = aws.url();
    let settings = [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &endpoint), ("DEADLINE_RESERVE_MS", "4000")];
    let stage = Stage::within(Duration::from_secs(10), &settings).await;
    assert_eq!(stage.batch(&logins(1, 1)).await, NONE);
    let before = aws.requests().len();
    aws.fail_next(Operation::UpdateItem, usize::MAX, AwsFault::Throttling);
    assert_eq!(stage.batch(&logins(2, 2000)).await.len(), 2000);
    let lines = stage.lines("event failed");
    let count = |reason: &str| lines.iter().filter(|line| line["reason"] == reason).count();
    let (throttled, not_begun) = (count("ledger_throttled"), count("not_attempted") + count("deadline"));
    // How many are started depends on the machine.
    assert!(throttled > 0 && throttled + not_begun == 2000, "{throttled}, {not_begun}: {}", stage.printed());
    let requests = aws.requests().len() - before;
    assert!(requests < 5 * 2000, "{requests}: there was time for every try, so nothing is seen here");
}

#[tokio::test]
async fn after_many_throttled_requests_parking_is_still_retried() {
    let (aws, stage) = parking().await;
    aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::Throttling);
    assert_eq!(stage.batch(&bad(600)).await.len(), 600);
    aws.clear_faults();
    aws.fail_next(Operation::SendMessageBatch, 1, AwsFault::Throttling);
    assert_eq!(stage.batch(&bad(1)).await, [""; 0], "{}", stage.printed());
}

#[tokio::test]
async fn reading_the_secret_again_is_attempted_twice_however_often_it_failed_before() {
    const ID: &str = "tpns/apps";
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    let good = stage.tpns.apps_document();
    aws.put_secret(ID, good.as_str()).unwrap();
    let stage = Stage { function: secret_function(ID, &aws.url()), tpns: stage.tpns };
    assert_eq!(stage.batch(&logins(1, 1)).await, [""; 0]);
    for _ in 0..60 {
        aws.fail_next(Operation::GetSecretValue, usize::MAX, AwsFault::Throttling);
        stage.tpns.fault(Fault::ret_code(1_008_003));
        assert_eq!(stage.batch(&logins(1, 1)).await, ["m0"]);
        aws.clear_faults();
    }
    let before = aws.requests().len();
    aws.fail_next(Operation::GetSecretValue, 1, AwsFault::Throttling);
    stage.tpns.fault(Fault::ret_code(1_008_003));
    aws.put_secret(ID, good.replace(SECRETS[1], "another-key")).unwrap();
    assert_eq!(stage.batch(&logins(1, 1)).await, [""; 0], "the document read again is tried");
    assert_eq!(aws.requests().len() - before, 2);
}

#[tokio::test]
async fn a_permanent_error_is_not_retried() {
    let world = World::new().await;
    for (operation, body) in
        [(Operation::UpdateItem, login(1, "t", &["a"])), (Operation::BatchGetItem, login(1, "u", &["a"]))]
    {
        let before = world.requests(operation);
        world.aws.fail_next(operation, usize::MAX, AwsFault::AccessDenied);
        assert_eq!(world.batch(&[body]).await, ["m0"], "{operation}");
        assert_eq!(world.requests(operation) - before, 1, "{operation}");
        world.aws.clear_faults();
    }
    let (aws, stage) = parking().await;
    aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::AccessDenied);
    assert_eq!(stage.batch(&bad(1)).await, ["m0"]);
    assert_eq!(aws.requests().len(), 1);
}

#[tokio::test]
async fn a_failed_condition_is_an_answer_and_no_failure() {
    let world = World::new().await;
    for writes in 1..=2 {
        assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE);
        assert_eq!(world.requests(Operation::UpdateItem), writes);
    }
}

/// The function does not wait for a hanging request until the end of the invocation, and does not need its answer.
#[tokio::test]
async fn a_hanging_request_times_out_and_is_sent_again() {
    let world = World::new().await;
    world.aws.fail_next(Operation::UpdateItem, 1, AwsFault::Hang);
    world.aws.fail_next(Operation::BatchGetItem, 1, AwsFault::Hang);
    assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE, "{}", world.stage.printed());
    let (aws, stage) = parking().await;
    aws.fail_next(Operation::SendMessageBatch, 1, AwsFault::Hang);
    assert_eq!(stage.batch(&bad(1)).await, [""; 0], "{}", stage.printed());
    assert_eq!(aws.with_queue("parked", |queue| queue.messages().count()), Some(1));
}
