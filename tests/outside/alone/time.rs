//! Completed calls are settled at once, and what does not fit into an invocation is left for the next one.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use lambda_sim::{Operation, aws::Service};
use tpns_sim::Fault;

use super::{Delivery, Ledger, World, deletion_of, in_app};
use crate::stage::login;

/// One call hangs to the end: no call starts in the last two seconds, and no row is read in the last second. Reading
/// takes longer than the time in between.
async fn slow_reader() -> World {
    let settings = [("TPNS_TIMEOUT_MS", "60000"), ("DEADLINE_RESERVE_MS", "2000")];
    let world = World::within(Duration::from_secs(12), Ledger::On, &settings).await;
    world.aws.latency_of(Operation::BatchGetItem, Duration::from_millis(1200));
    world
}

fn logins(app: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| in_app(app, &login(1, &format!("t{n}"), &[&format!("a{n}")]))).collect()
}

#[tokio::test]
async fn an_app_with_completed_calls_does_not_wait_for_one_whose_call_hangs() {
    let world = slow_reader().await;
    world.stage.tpns.fault(Fault::hang().app("android").forever());
    let mut bodies = logins("ios", 60);
    bodies.extend(logins("android", 5));
    let delivery = world.batch(&bodies).await;
    assert_eq!(delivery.counts(), [("applied", 60), ("retry tpns_timeout", 5)].into());
}

#[tokio::test]
async fn only_the_events_of_a_hanging_call_are_reported() {
    let world = slow_reader().await;
    world.stage.tpns.fault(Fault::hang().token("t33").forever());
    let delivery = world.batch(&logins("android", 120)).await;
    assert_eq!(delivery.counts(), [("applied", 100), ("retry tpns_timeout", 20)].into());
    assert!(delivery.reported.contains(&"m33".to_owned()));
}

/// Each deletion is recorded as accepted in its own row.
#[tokio::test]
async fn accepted_deletions_are_recorded_while_a_call_of_another_app_hangs() {
    let settings = [("TPNS_TIMEOUT_MS", "60000"), ("DEADLINE_RESERVE_MS", "3000")];
    let world = World::within(Duration::from_secs(10), Ledger::On, &settings).await;
    world.aws.latency_of(Operation::UpdateItem, Duration::from_millis(400));
    world.stage.tpns.fault(Fault::hang().app("android").forever());
    let accounts = |n: usize| (0..20).map(|m| format!("a{n}-{m}")).collect::<Vec<_>>();
    let mut bodies: Vec<_> = (0..4).map(|n| in_app("ios", &deletion_of(1, &accounts(n)))).collect();
    bodies.push(in_app("android", &deletion_of(1, &accounts(9))));
    let delivery = world.batch(&bodies).await;
    assert_eq!(delivery.reported, ["m4"], "{:?}", delivery.counts());
}

/// Delivers a batch and checks that the response is in time, and that nothing is written afterwards.
async fn in_time(
    world: &World,
    timeout: Duration,
    reserve: Duration,
    deliver: impl Future<Output = Delivery>,
) -> Delivery {
    let begun = Instant::now();
    let delivery = deliver.await;
    let latest = timeout - reserve / 10;
    assert!(delivery.took < latest, "answered after {:?} of {timeout:?}", delivery.took);
    tokio::time::sleep_until((begun + timeout + Duration::from_millis(300)).into()).await;
    // The invocation started a little later than `begun`, the first one after the start of the process.
    let deadline = begun + timeout;
    let late = world.aws.requests().iter().filter(|request| request.arrived > deadline).count();
    assert_eq!(late, 0, "requests to DynamoDB after the deadline");
    delivery
}

/// 600 rows to write twice, while about 700 writes are possible in the available time: about half in each delivery.
#[tokio::test]
async fn deletions_of_more_accounts_than_fit_into_an_invocation_take_several() {
    let (timeout, reserve) = (Duration::from_secs(16), Duration::from_millis(1500));
    let world = World::within(timeout, Ledger::On, &[("DEADLINE_RESERVE_MS", "1500")]).await;
    assert_eq!(world.batch(&[login(1, "t", &["before"])]).await.reported, [""; 0]);
    world.aws.latency(Service::DynamoDb, Duration::from_millis(1200));
    let accounts = |n: usize| (0..10).map(|m| format!("a{n}-{m}")).collect::<Vec<_>>();
    let bodies: Vec<_> = (0..30).map(|n| deletion_of(1, &accounts(n))).collect();
    let mut delivery = in_time(&world, timeout, reserve, world.batch(&bodies)).await;
    let mut left = bodies.len();
    for receive_count in 2.. {
        assert!(delivery.reported.len() < left, "delivery {}: {:?}", receive_count - 1, delivery.counts());
        left = delivery.reported.len();
        if left == 0 {
            break;
        }
        delivery = in_time(&world, timeout, reserve, world.again(receive_count, &bodies, &delivery)).await;
    }
}

#[tokio::test]
async fn of_two_hundred_deletions_of_a_hundred_accounts_some_are_applied_and_the_others_reported_in_time() {
    let (timeout, reserve) = (Duration::from_secs(10), Duration::from_secs(3));
    let world = World::within(timeout, Ledger::On, &[("DEADLINE_RESERVE_MS", "3000")]).await;
    assert_eq!(world.batch(&[login(1, "t", &["before"])]).await.reported, [""; 0]);
    world.aws.latency(Service::DynamoDb, Duration::from_millis(150));
    let accounts = |n: usize| (0..100).map(|m| format!("a{n}-{m}")).collect::<Vec<_>>();
    let bodies: Vec<_> = (0..200).map(|n| deletion_of(1, &accounts(n))).collect();
    let delivery = in_time(&world, timeout, reserve, world.batch(&bodies)).await;
    assert!(delivery.reported.len() < 200, "{:?}", delivery.counts());
    assert!(world.stage.calls().iter().any(|call| call.1 == 5));
}

#[tokio::test]
async fn of_thousands_of_logins_with_a_slow_table_some_are_applied_and_the_others_reported_in_time() {
    let (timeout, reserve) = (Duration::from_secs(10), Duration::from_secs(4));
    // Writing thousands of log lines takes time and is not the subject of this test.
    let settings = [("DEADLINE_RESERVE_MS", "4000"), ("AWS_LAMBDA_LOG_LEVEL", "ERROR")];
    let world = World::within(timeout, Ledger::On, &settings).await;
    assert_eq!(world.batch(&[login(1, "warm", &["x"])]).await.reported, [""; 0]);
    world.aws.latency(Service::DynamoDb, Duration::from_millis(500));
    // Small bodies: with larger ones, this number does not fit into the 6 MB of a payload.
    let body = |n: usize| {
        format!(r#"{{"type":"user.login","token":"t{n}","app":"ios","account_list":[{{"account":"a{n}"}}]}}"#)
    };
    let bodies: Vec<_> = (0..4000).map(body).collect();
    let delivery = in_time(&world, timeout, reserve, world.batch(&bodies)).await;
    assert!(delivery.reported.len() < bodies.len(), "nothing is applied");
    let reported: HashSet<_> = delivery.reported.iter().collect();
    let bound = world.stage.tpns.bindings().remove("ios").unwrap_or_default();
    let lost = (0..bodies.len()).filter(|n| !reported.contains(&format!("m{n}")));
    let lost = lost.filter(|n| !bound.contains_key(&format!("t{n}"))).count();
    assert_eq!(lost, 0, "acknowledged, but not bound");
}
