//! A batch that does not fit into the time of an invocation: it gets on, and it ends in time. What makes it slow is the
//! table, which leaves the machine idle for most of the time: how fast that is decides nothing.

use std::time::Duration;

use lambda_sim::{Operation, Outcome, Service};

use super::{Scene, delivery};
use crate::stage::{at, failures, login};

const TIME: Duration = Duration::from_secs(16);
/// The deadline less a tenth of the reserve of a second.
const ANSWERED: Duration = Duration::from_millis(15_900);

/// Delivers until everything is applied, and gives how many failed in each delivery.
async fn deliver(scene: &Scene, mut bodies: Vec<String>, most: usize) -> Vec<usize> {
    let mut failed = Vec::new();
    while !bodies.is_empty() && failed.len() < most {
        let count = u32::try_from(failed.len()).unwrap() + 1;
        let invocation = scene.stage.function.invoke(delivery(count.min(2), &bodies)).await.unwrap();
        let Outcome::Response { body } = invocation.outcome else { panic!("{:?}", invocation.outcome) };
        assert!(invocation.duration <= ANSWERED, "answered after {:?}", invocation.duration);
        let ids = failures(&serde_json::from_slice(&body).unwrap());
        let left = bodies.len();
        bodies = ids.iter().map(|id| bodies[id[1..].parse::<usize>().unwrap()].clone()).collect();
        assert!(bodies.len() < left, "no progress in delivery {count}: {left} left");
        failed.push(bodies.len());
    }
    failed
}

#[tokio::test]
async fn many_large_deletions_get_on_with_each_delivery() {
    let scene = Scene::new(true, TIME, &[]).await;
    scene.aws.as_ref().unwrap().latency(Service::DynamoDb, Duration::from_millis(1200));
    let deletion = |n| {
        let list: Vec<_> = (0..10).map(|m| serde_json::json!({"account": format!("account{n}.{m}")})).collect();
        serde_json::json!({"type": "account.deleted", "occurred_at": at(1), "account_list": list}).to_string()
    };
    let failed = deliver(&scene, (0..30).map(deletion).collect(), 5).await;
    assert_eq!(failed.last(), Some(&0), "{failed:?}");
    assert!(failed.len() > 1, "it does not fit into one invocation");
    assert!(!scene.stage.printed().contains("ledger_unreachable"));
}

#[tokio::test]
async fn many_logins_with_a_slow_table_get_on_with_each_delivery() {
    let scene = Scene::new(true, TIME, &[]).await;
    let aws = scene.aws.as_ref().unwrap();
    aws.latency(Service::DynamoDb, Duration::from_millis(1200));
    let logins = (0..1000).map(|n| login(1, &format!("t{n}"), &["x"])).collect();
    let failed = deliver(&scene, logins, 5).await;
    assert!(failed[0] > 0, "it does not fit into one invocation: {failed:?}");
    let before = aws.requests().iter().filter(|request| request.operation == Some(Operation::UpdateItem)).count();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let after = aws.requests().iter().filter(|request| request.operation == Some(Operation::UpdateItem)).count();
    assert_eq!(before, after, "nothing is sent after the answer");
}
