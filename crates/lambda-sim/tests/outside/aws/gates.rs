//! Requests that are held or slow.

use std::time::{Duration, Instant};

use lambda_sim::aws::dynamodb::Item;
use lambda_sim::{Operation, Service};
use tokio::time::{sleep, timeout};

use super::dynamodb::{item, ledger, n, put, s, update};
use super::parking;

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_held_request_waits_before_it_is_carried_out_and_others_pass_it() {
    let (api, client) = ledger().await;
    let gate = api.hold(Operation::UpdateItem, 2);
    let set = |value: i64| {
        let set = update(&client, "a").update_expression("SET version = :v");
        set.expression_attribute_values(":v", n(value)).send()
    };
    set(1).await.unwrap();
    assert!(!gate.is_reached());
    let held = tokio::spawn(set(2));
    timeout(PATIENCE, gate.reached()).await.unwrap();
    assert!(gate.is_reached() && !held.is_finished());
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("1"), "not carried out yet");
    assert_eq!(api.requests().len(), 1);
    set(3).await.unwrap();
    client.get_item().table_name("ledger").key("id", s("a")).send().await.unwrap();
    gate.release();
    held.await.unwrap().unwrap();
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("2"), "carried out after the third");
}

#[tokio::test]
async fn a_held_answer_waits_after_its_request_was_carried_out() {
    let (api, client) = ledger().await;
    put(&api, "a", Item::new().with("version", 1_i64));
    let gate = api.hold_answer(Operation::GetItem, 1);
    let held = tokio::spawn(client.get_item().table_name("ledger").key("id", s("a")).consistent_read(true).send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    put(&api, "a", Item::new().with("version", 2_i64));
    assert_eq!(api.requests().len(), 1);
    gate.release();
    assert_eq!(held.await.unwrap().unwrap().item().unwrap()["version"], n(1), "as it was when it was read");
}

#[tokio::test]
async fn a_request_whose_sender_is_gone_is_carried_out_all_the_same() {
    let (api, client) = ledger().await;
    let gate = api.hold(Operation::UpdateItem, 1);
    let sender = tokio::spawn(update(&client, "a").send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    sender.abort();
    assert!(sender.await.unwrap_err().is_cancelled());
    assert_eq!(item(&api, "a"), None);
    gate.release();
    let carried_out = async {
        while item(&api, "a").is_none() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, carried_out).await.unwrap();
}

#[tokio::test]
async fn gates_of_several_operations_and_places_hold_their_own_requests() {
    let (api, client) = ledger().await;
    let (first, second) = (api.hold(Operation::UpdateItem, 1), api.hold_answer(Operation::UpdateItem, 1));
    let other = api.hold(Operation::GetItem, 1);
    let held = tokio::spawn(update(&client, "a").send());
    timeout(PATIENCE, first.reached()).await.unwrap();
    assert!(!second.is_reached() && !other.is_reached());
    first.release();
    timeout(PATIENCE, second.reached()).await.unwrap();
    assert!(item(&api, "a").is_some() && !held.is_finished());
    second.release();
    held.await.unwrap().unwrap();
    assert!(!other.is_reached());
    other.release();
    client.get_item().table_name("ledger").key("id", s("a")).send().await.unwrap();
}

#[tokio::test]
async fn a_dropped_gate_holds_nothing() {
    let (api, client) = ledger().await;
    drop(api.hold(Operation::UpdateItem, 1));
    timeout(PATIENCE, update(&client, "a").send()).await.unwrap().unwrap();
    let gate = api.hold(Operation::UpdateItem, 1);
    let held = tokio::spawn(update(&client, "b").send());
    timeout(PATIENCE, gate.reached()).await.unwrap();
    drop(gate);
    timeout(PATIENCE, held).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn slow_requests_wait_side_by_side_and_only_those_of_their_service() {
    let (api, client) = ledger().await;
    let latency = Duration::from_millis(200);
    api.latency(Service::DynamoDb, latency);
    let begun = Instant::now();
    let requests: Vec<_> = (0..20).map(|n| tokio::spawn(update(&client, &n.to_string()).send())).collect();
    for request in requests {
        request.await.unwrap().unwrap();
    }
    let took = begun.elapsed();
    assert!(took >= latency && took < latency * 10, "{took:?}");
    api.latency(Service::DynamoDb, Duration::ZERO);
    let begun = Instant::now();
    update(&client, "a").send().await.unwrap();
    assert!(begun.elapsed() < latency);

    let (api, url, client) = parking().await;
    api.latency(Service::DynamoDb, Duration::from_secs(60));
    timeout(PATIENCE, client.send_message().queue_url(url).message_body("m").send()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_operation_is_slow_on_top_of_its_service_and_arrives_before_it_is_carried_out() {
    let (api, client) = ledger().await;
    let latency = Duration::from_millis(200);
    api.latency(Service::DynamoDb, latency);
    api.latency_of(Operation::GetItem, Duration::from_secs(60));
    api.latency_of(Operation::UpdateItem, latency);
    let begun = Instant::now();
    timeout(PATIENCE, update(&client, "a").send()).await.unwrap().unwrap();
    assert!(begun.elapsed() >= latency * 2, "{:?}", begun.elapsed());
    let arrived = api.requests()[0].arrived.duration_since(begun);
    assert!(arrived + latency * 2 <= begun.elapsed(), "{arrived:?}");
}
