//! Reads, writes and limits of DynamoDB.

use lambda_sim::{Operation, aws::dynamodb::Item};
use serde_json::{Value, json};

use super::{TABLE, World, client::RequestError, items, keys_of, n, s};

#[tokio::test]
async fn an_update_creates_or_changes_the_item_and_returns_it() {
    let world = World::new().await;
    for version in [1, 2] {
        let answer = world.raise("a", version).send().await.unwrap();
        assert_eq!(answer, json!({"Attributes": {"pk": s("a"), "version": n(version)}}));
    }
    let answer = world.raise("a", 3).without("ReturnValues").send().await.unwrap();
    assert_eq!((answer, world.kept("a")), (json!({}), Some(3)));
    let request = &world.api.requests()[0];
    assert_eq!((request.operation, request.entries), (Some(Operation::UpdateItem), 1));
    assert_eq!((request.status, request.error.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn a_failed_condition_changes_nothing_and_shows_the_item_on_request() {
    let world = World::new().await;
    world.put("a", 9);
    let shown = json!({"pk": s("a"), "version": n(9)});
    for (asked, hidden, shown) in [(true, false, shown), (false, false, Value::Null), (true, true, Value::Null)] {
        world.api.failed_conditions_hide_items(hidden);
        let mut raise = world.raise("a", 9);
        if !asked {
            raise = raise.without("ReturnValuesOnConditionCheckFailure");
        }
        let error = raise.send().await.unwrap_err();
        assert_eq!(error.code(), Some("ConditionalCheckFailedException"));
        let RequestError::Service(_, error) = error else { panic!("{error:?}") };
        assert_eq!(error["Item"], shown);
        let code = world.api.requests().pop().unwrap().error;
        assert_eq!(code.as_deref(), Some("ConditionalCheckFailedException"));
    }
    assert_eq!(world.kept("a"), Some(9));
}

#[tokio::test]
async fn a_remove_of_attributes_creates_no_item() {
    let world = World::new().await;
    let item = Item::new().with("out", "5").with("version", 1_i64);
    world.api.with_table(TABLE, |table| table.put("a", item)).unwrap();
    let remove = |pk: &str, condition: &str| {
        let input = json!({
            "TableName": TABLE,
            "Key": {"pk": s(pk)},
            "UpdateExpression": "REMOVE #out",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#out": "out"},
            "ExpressionAttributeValues": {":out": s("5")},
        });
        world.dynamodb.request("UpdateItem", input).send()
    };
    remove("a", "#out = :out").await.unwrap();
    let left = world.api.with_table(TABLE, |table| table.items().cloned().collect::<Vec<_>>());
    assert_eq!(left, Some(vec![Item::new().with("pk", "a").with("version", 1_i64)]));
    remove("b", "attribute_not_exists(#out) OR #out = :out").await.unwrap();
    assert_eq!(world.api.with_table(TABLE, |table| table.len()), Some(1));
}

#[tokio::test]
async fn a_batch_returns_the_items_that_exist_and_in_another_order_than_its_keys() {
    let world = World::new().await;
    let keys: Vec<String> = (0..100).map(|n| format!("key-{n:03}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    keys[..60].iter().for_each(|key| world.put(key, 1));
    let answer = world.read(&keys, None).send().await.unwrap();
    let mut found: Vec<_> = items(&answer).iter().map(|item| item["pk"]["S"].as_str().unwrap()).collect();
    assert_ne!(found, keys[..60]);
    found.sort();
    assert_eq!(found, keys[..60]);
    assert_eq!(answer["UnprocessedKeys"], json!({}));
    let [request] = &world.api.requests()[..] else { panic!("{:?}", world.api.requests()) };
    assert_eq!((request.operation, request.entries), (Some(Operation::BatchGetItem), 100));
}

#[tokio::test]
async fn unprocessed_keys_come_back_as_a_request_for_them() {
    let world = World::new().await;
    ["a", "b", "c"].iter().for_each(|key| world.put(key, 1));
    world.api.unprocessed_next(1, 2);
    let answer = world.read(&["a", "b", "c"], Some(true)).send().await.unwrap();
    assert_eq!(items(&answer).len(), 1);
    assert_eq!(answer["UnprocessedKeys"], json!({TABLE: keys_of(&["b", "c"], Some(true))}));
    let rest = json!({"RequestItems": answer["UnprocessedKeys"]});
    let rest = world.dynamodb.request("BatchGetItem", rest).send().await.unwrap();
    assert_eq!(items(&rest).len(), 2);
    world.api.unprocessed_next(1, 2);
    let error = world.read(&["a", "b"], None).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ProvisionedThroughputExceededException"), "of a batch with nothing read");
}

#[tokio::test]
async fn a_read_that_is_not_consistent_may_return_the_item_before_its_last_write() {
    let world = World::new().await;
    world.api.stale_reads(true);
    world.raise("a", 1).send().await.unwrap();
    for (consistent, version) in [(Some(true), Some(n(1))), (Some(false), None), (None, None)] {
        assert_eq!(world.version(consistent).await, version);
    }
    world.raise("a", 2).send().await.unwrap();
    world.raise("a", 2).send().await.unwrap_err();
    assert_eq!(world.version(None).await, Some(n(1)), "a failed condition is no write");
    world.put("a", 3);
    assert_eq!((world.version(None).await, world.version(Some(true)).await), (Some(n(2)), Some(n(3))));
    world.api.with_table(TABLE, |table| table.remove("a")).unwrap();
    assert_eq!((world.version(None).await, world.version(Some(true)).await), (Some(n(3)), None));
    world.api.stale_reads(false);
    assert_eq!(world.version(None).await, None);
}

#[tokio::test]
async fn a_batch_has_1_to_100_different_keys() {
    let world = World::new().await;
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for keys in [&[][..], &many, &["a", "b", "a"]] {
        let error = world.read(keys, None).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{} keys", keys.len());
    }
}

#[tokio::test]
async fn a_key_has_1_to_2048_bytes_and_nothing_but_the_partition_key() {
    let world = World::new().await;
    world.raise(&"x".repeat(2048), 1).send().await.unwrap();
    for key in [String::new(), "x".repeat(2049)] {
        assert_eq!(world.raise(&key, 1).send().await.unwrap_err().code(), Some("ValidationException"));
        assert_eq!(world.read(&[&key], None).send().await.unwrap_err().code(), Some("ValidationException"));
    }
    for (name, value) in [("sk", s("a")), ("pk", n(1))] {
        let error = world.raise("a", 1).set(["Key", name], value).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{name}");
    }
}

#[tokio::test]
async fn an_item_has_at_most_400_kilobytes_with_its_names() {
    let world = World::new().await;
    let set = |len: usize| {
        let input = json!({
            "TableName": TABLE,
            "Key": {"pk": s("x")},
            "UpdateExpression": "SET #a = :a",
            "ConditionExpression": "attribute_not_exists(#b)",
            "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
            "ExpressionAttributeValues": {":a": s("x".repeat(len))},
        });
        world.dynamodb.request("UpdateItem", input).send()
    };
    // `pk`, its value and the name `a` count as well.
    let fits = 400 * 1024 - 4;
    assert_eq!(set(fits + 1).await.unwrap_err().code(), Some("ValidationException"));
    assert_eq!(world.api.with_table(TABLE, |table| table.is_empty()), Some(true));
    set(fits).await.unwrap();
    assert_eq!(world.api.with_table(TABLE, |table| table.get("x").unwrap().size()), Some(400 * 1024));
}

#[tokio::test]
async fn an_unknown_table_is_not_found() {
    let world = World::new().await;
    let update = world.raise("a", 1).set(["TableName"], "other").send().await.unwrap_err();
    assert_eq!(update.code(), Some("ResourceNotFoundException"));
    let read = json!({"RequestItems": {"other": keys_of(&["a"], None)}});
    let read = world.dynamodb.request("BatchGetItem", read).send().await.unwrap_err();
    assert_eq!(read.code(), Some("ResourceNotFoundException"));
}
