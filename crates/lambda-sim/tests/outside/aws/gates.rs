//! Requests that are held or slow.

use std::time::{Duration, Instant};

use lambda_sim::{Operation, Service};
use tokio::time::{sleep, timeout};

use super::{PATIENCE, World, items, n};

#[tokio::test]
async fn a_held_request_waits_before_it_is_carried_out_and_others_overtake_it() {
    let world = World::new().await;
    let gate = world.api.hold(Operation::UpdateItem, 2);
    world.raise("a", 1).send().await.unwrap();
    assert!(!gate.is_reached());
    let held = tokio::spawn(world.raise("a", 3).send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    assert!(gate.is_reached() && !held.is_finished());
    assert_eq!((world.kept("a"), world.api.requests().len()), (Some(1), 1), "not carried out yet");
    world.raise("a", 2).send().await.unwrap();
    assert_eq!(world.version(None).await, Some(n(2)));
    gate.release();
    held.await.unwrap().unwrap();
    assert_eq!(world.kept("a"), Some(3), "carried out last");
}

#[tokio::test]
async fn a_held_answer_waits_after_its_request_was_carried_out() {
    let world = World::new().await;
    world.put("a", 1);
    let gate = world.api.hold_answer(Operation::BatchGetItem, 1);
    let held = tokio::spawn(world.read(&["a"], Some(true)).send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    world.put("a", 2);
    assert_eq!(world.api.requests().len(), 1);
    gate.release();
    let answer = held.await.unwrap().unwrap();
    assert_eq!(items(&answer)[0]["version"], n(1), "as it was when it was read");
}

#[tokio::test]
async fn a_request_whose_sender_is_gone_is_carried_out_all_the_same() {
    let world = World::new().await;
    let gate = world.api.hold(Operation::UpdateItem, 1);
    let sender = tokio::spawn(world.raise("a", 1).send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    assert_eq!(world.kept("a"), None);
    gate.release();
    let carried_out = async {
        while world.kept("a").is_none() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, carried_out).await.unwrap();
}

#[tokio::test]
async fn gates_of_several_operations_and_stages_hold_their_own_requests() {
    let world = World::new().await;
    let (first, second) = (world.api.hold(Operation::UpdateItem, 1), world.api.hold_answer(Operation::UpdateItem, 1));
    let other = world.api.hold(Operation::BatchGetItem, 1);
    let held = tokio::spawn(world.raise("a", 1).send());
    timeout(PATIENCE, first.reached()).await.unwrap();
    assert!(!second.is_reached() && !other.is_reached());
    first.release();
    timeout(PATIENCE, second.reached()).await.unwrap();
    assert!(world.kept("a").is_some() && !held.is_finished());
    second.release();
    held.await.unwrap().unwrap();
    assert!(!other.is_reached());
    other.release();
    world.read(&["a"], None).send().await.unwrap();
}

#[tokio::test]
async fn a_dropped_gate_holds_nothing() {
    let world = World::new().await;
    drop(world.api.hold(Operation::UpdateItem, 1));
    timeout(PATIENCE, world.raise("a", 1).send()).await.unwrap().unwrap();
    let gate = world.api.hold(Operation::UpdateItem, 1);
    let held = tokio::spawn(world.raise("b", 1).send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    drop(gate);
    timeout(PATIENCE, held).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn slow_requests_wait_side_by_side_and_only_those_of_their_service() {
    let world = World::new().await;
    let latency = Duration::from_secs(2);
    world.api.latency(Service::DynamoDb, latency);
    let begun = Instant::now();
    let requests: Vec<_> = (0..20).map(|n| tokio::spawn(world.raise(&n.to_string(), 1).send())).collect();
    for request in requests {
        request.await.unwrap().unwrap();
    }
    let took = begun.elapsed();
    assert!(took >= latency && took < latency * 10, "{took:?}");
    world.api.latency(Service::DynamoDb, Duration::from_secs(60));
    timeout(PATIENCE, world.send(&["m"]).send()).await.unwrap().unwrap();
    world.api.latency(Service::DynamoDb, Duration::ZERO);
    timeout(PATIENCE, world.raise("a", 1).send()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_operation_adds_to_its_service_and_its_arrival_is_before_it_is_carried_out() {
    let world = World::new().await;
    let latency = Duration::from_millis(200);
    world.api.latency(Service::DynamoDb, latency);
    world.api.latency_of(Operation::BatchGetItem, Duration::from_secs(60));
    world.api.latency_of(Operation::UpdateItem, latency);
    let begun = Instant::now();
    timeout(PATIENCE, world.raise("a", 1).send()).await.unwrap().unwrap();
    assert!(begun.elapsed() >= latency * 2, "{:?}", begun.elapsed());
    let arrived = world.api.requests()[0].arrived.duration_since(begun);
    assert!(arrived + latency * 2 <= begun.elapsed(), "{arrived:?}");
}
