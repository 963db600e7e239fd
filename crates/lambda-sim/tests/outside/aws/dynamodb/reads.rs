//! What DynamoDB gives back, and when.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_sim::aws::dynamodb::Item;
use lambda_sim::{Operation, RunningAwsApi};

use super::{invalid, item, ledger, n, put, s, update};

fn keys<T: Into<String>>(ids: impl IntoIterator<Item = T>, consistent: Option<bool>) -> KeysAndAttributes {
    let keys = ids.into_iter().map(|id| HashMap::from([("id".to_owned(), s(id))])).collect();
    KeysAndAttributes::builder().set_keys(Some(keys)).set_consistent_read(consistent).build().unwrap()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("id-{n:03}")).collect()
}

/// The ids of a table in an answer, sorted.
fn ids(answer: &BatchGetItemOutput, table: &str) -> Vec<String> {
    let id = |item: &HashMap<String, AttributeValue>| item["id"].as_s().unwrap().clone();
    let mut ids: Vec<String> = answer.responses().unwrap()[table].iter().map(id).collect();
    ids.sort();
    ids
}

fn put_all(api: &RunningAwsApi, ids: &[String]) {
    for id in ids {
        put(api, id, Item::new().with("version", 1_i64));
    }
}

#[tokio::test]
async fn a_batch_gives_the_items_there_are_of_up_to_a_hundred_keys_of_several_tables() {
    let (api, client) = ledger().await;
    api.create_table("other", "id");
    put_all(&api, &numbered(60));
    api.with_table("other", |table| table.put("x", Item::new())).unwrap();
    let batch = client.batch_get_item().request_items("ledger", keys(numbered(70), None));
    let others = (0..29).map(|n| format!("absent-{n}")).chain(["x".to_owned()]);
    let answer = batch.request_items("other", keys(others, Some(true))).send().await.unwrap();
    assert_eq!(ids(&answer, "ledger"), numbered(60));
    assert_eq!(ids(&answer, "other"), ["x"]);
    assert!(answer.unprocessed_keys().is_some_and(HashMap::is_empty));
    let [request] = &api.requests()[..] else { panic!("{:?}", api.requests()) };
    assert_eq!((request.operation, request.entries), (Some(Operation::BatchGetItem), 100));

    let nothing = client.batch_get_item().request_items("ledger", keys(["none"], None)).send().await.unwrap();
    assert!(nothing.responses().unwrap()["ledger"].is_empty());
}

#[tokio::test]
async fn the_items_of_a_batch_are_not_in_the_order_of_its_keys() {
    let (api, client) = ledger().await;
    put_all(&api, &numbered(3));
    let answer = client.batch_get_item().request_items("ledger", keys(numbered(3), None)).send().await.unwrap();
    assert_ne!(answer.responses().unwrap()["ledger"][0]["id"], s("id-000"));
}

#[tokio::test]
async fn malformed_batches_are_refused() {
    let (api, client) = ledger().await;
    api.create_table("other", "id");
    let batch = |tables: Vec<(&'static str, KeysAndAttributes)>| {
        let tables = tables.into_iter().map(|(name, keys)| (name.to_owned(), keys)).collect();
        client.batch_get_item().set_request_items(Some(tables)).send()
    };
    let constraint =
        |at: &str, rest: &str| format!("1 validation error detected: Value {at} failed to satisfy constraint: {rest}");
    for (tables, message) in [
        (vec![], constraint("'{}' at 'requestItems'", "Member must have length greater than or equal to 1")),
        (
            vec![("ledger", keys(numbered(0), None))],
            constraint(
                "'[]' at 'requestItems.ledger.member.keys'",
                "Member must have length greater than or equal to 1",
            ),
        ),
        (
            vec![("ledger", keys(numbered(101), None))],
            constraint(
                "'[...]' at 'requestItems.ledger.member.keys'",
                "Member must have length less than or equal to 100",
            ),
        ),
        (
            vec![("ledger", keys(numbered(50), None)), ("other", keys(numbered(51), None))],
            "Too many items requested for the BatchGetItem call".to_owned(),
        ),
        (vec![("ledger", keys(["a", "b", "a"], None))], "Provided list of item keys contains duplicates".to_owned()),
        (
            vec![("ledger", keys([""], None))],
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             string value. Key: id"
                .to_owned(),
        ),
    ] {
        assert_eq!(invalid(batch(tables).await), message);
    }
    let error = batch(vec![("ledger", keys(["a"], None)), ("gone", keys(["a"], None))]).await.unwrap_err();
    assert!(error.into_service_error().is_resource_not_found_exception(), "one unknown table fails the batch");
    assert_eq!(api.requests().pop().unwrap().entries, 2);
}

#[tokio::test]
async fn keys_left_over_come_back_as_the_request_for_them() {
    let (api, client) = ledger().await;
    put_all(&api, &numbered(5));
    api.unprocessed_next(1, 2);
    let batch = |keys: KeysAndAttributes| client.batch_get_item().request_items("ledger", keys).send();
    let answer = batch(keys(numbered(5), Some(true))).await.unwrap();
    assert_eq!(ids(&answer, "ledger"), numbered(3));
    let left = answer.unprocessed_keys().unwrap();
    assert_eq!(left["ledger"], keys(numbered(5).split_off(3), Some(true)));
    let rest = client.batch_get_item().set_request_items(answer.unprocessed_keys).send().await.unwrap();
    assert_eq!(ids(&rest, "ledger"), numbered(5).split_off(3));
    assert!(rest.unprocessed_keys().is_some_and(HashMap::is_empty));
    assert_eq!(api.requests().iter().map(|request| request.entries).collect::<Vec<_>>(), [5, 2]);
}

#[tokio::test]
async fn a_batch_of_which_nothing_could_be_read_fails() {
    let (api, client) = ledger().await;
    api.create_table("other", "id");
    put_all(&api, &numbered(2));
    api.unprocessed_next(usize::MAX, 3);
    let batch = |ids: Vec<String>, others: Vec<String>| {
        let batch = client.batch_get_item().request_items("ledger", keys(ids, None));
        batch.request_items("other", keys(others, None)).send()
    };
    let error = batch(numbered(2), numbered(1)).await.unwrap_err();
    assert_eq!(error.code(), Some("ProvisionedThroughputExceededException"));
    let answer = batch(numbered(2), numbered(2)).await.unwrap();
    assert_eq!(ids(&answer, "ledger"), ["id-000"]);
    let left = answer.unprocessed_keys().unwrap();
    assert_eq!((left["ledger"].keys().len(), left["other"].keys().len()), (1, 2));
    assert_eq!(left["ledger"].consistent_read(), None);
    api.clear_faults();
    assert_eq!(ids(&batch(numbered(2), numbered(1)).await.unwrap(), "ledger"), numbered(2));
}

/// The version of `a` in `ledger`, read by `GetItem` and by `BatchGetItem`.
async fn version(client: &Client, consistent: Option<bool>) -> Option<AttributeValue> {
    let get = client.get_item().table_name("ledger").key("id", s("a")).set_consistent_read(consistent);
    let single = get.send().await.unwrap().item.map(|item| item["version"].clone());
    let batch = client.batch_get_item().request_items("ledger", keys(["a"], consistent)).send().await.unwrap();
    let batched = batch.responses().unwrap()["ledger"].first().map(|item| item["version"].clone());
    assert_eq!(single, batched);
    single
}

#[tokio::test]
async fn a_read_that_is_not_consistent_may_see_what_was_before_the_last_write() {
    let (api, client) = ledger().await;
    let set = |value: i64| {
        let set = update(&client, "a").update_expression("SET version = :v").condition_expression("version <> :v");
        set.expression_attribute_values(":v", n(value)).send()
    };
    api.stale_reads(true);
    set(1).await.unwrap();
    for (consistent, seen) in [(Some(true), Some(n(1))), (Some(false), None), (None, None)] {
        assert_eq!(version(&client, consistent).await, seen);
    }
    set(2).await.unwrap();
    set(2).await.unwrap_err();
    assert_eq!(version(&client, None).await, Some(n(1)), "a failed condition is no write");
    assert_eq!(version(&client, Some(true)).await, Some(n(2)));
    client.delete_item().table_name("ledger").key("id", s("a")).send().await.unwrap();
    assert_eq!((version(&client, None).await, version(&client, Some(true)).await), (Some(n(2)), None));
    put(&api, "a", Item::new().with("version", 3_i64));
    assert_eq!((version(&client, None).await, version(&client, Some(true)).await), (None, Some(n(3))));
    api.stale_reads(false);
    assert_eq!(version(&client, None).await, Some(n(3)));
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("3"));
}
