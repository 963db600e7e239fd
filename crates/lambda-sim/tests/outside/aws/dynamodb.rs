//! Reads, writes and limits of DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, operation::update_item::UpdateItemError};
use lambda_sim::{Operation, aws::dynamodb::Item};

use super::{TABLE, World, keys_of, n, s};

#[tokio::test]
async fn an_update_creates_or_changes_the_item_and_returns_it() {
    let world = World::new().await;
    for version in [1, 2] {
        let answer = world.raise("a", version).send().await.unwrap();
        let whole = HashMap::from([("pk".to_owned(), s("a")), ("version".to_owned(), n(version))]);
        assert_eq!(answer.attributes, Some(whole));
    }
    let answer = world.raise("a", 3).set_return_values(None).send().await.unwrap();
    assert_eq!((answer.attributes, world.kept("a")), (None, Some(3)));
    let request = &world.api.requests()[0];
    assert_eq!((request.operation, request.entries), (Some(Operation::UpdateItem), 1));
    assert_eq!((request.status, request.error.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn a_failed_condition_changes_nothing_and_shows_the_item_on_request() {
    let world = World::new().await;
    world.put("a", 9);
    let shown = Some(HashMap::from([("pk".to_owned(), s("a")), ("version".to_owned(), n(9))]));
    for (asked, hidden, shown) in [(true, false, shown), (false, false, None), (true, true, None)] {
        world.api.failed_conditions_hide_items(hidden);
        let mut raise = world.raise("a", 9);
        if !asked {
            raise = raise.set_return_values_on_condition_check_failure(None);
        }
        let error = raise.send().await.unwrap_err().into_service_error();
        let UpdateItemError::ConditionalCheckFailedException(error) = error else { panic!("{error:?}") };
        assert_eq!(error.item, shown);
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
        let remove = world.dynamodb.update_item().table_name(TABLE).key("pk", s(pk));
        let remove = remove.update_expression("REMOVE #out").condition_expression(condition);
        remove.expression_attribute_names("#out", "out")
    };
    remove("a", "#out = :out").expression_attribute_values(":out", s("5")).send().await.unwrap();
    let left = world.api.with_table(TABLE, |table| table.items().cloned().collect::<Vec<_>>());
    assert_eq!(left, Some(vec![Item::new().with("pk", "a").with("version", 1_i64)]));
    remove("b", "attribute_not_exists(#out) OR #out = :out")
        .expression_attribute_values(":out", s("5"))
        .send()
        .await
        .unwrap();
    assert_eq!(world.api.with_table(TABLE, |table| table.len()), Some(1));
}

#[tokio::test]
async fn a_batch_returns_the_items_that_exist_and_in_another_order_than_its_keys() {
    let world = World::new().await;
    let keys: Vec<String> = (0..100).map(|n| format!("key-{n:03}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    keys[..60].iter().for_each(|key| world.put(key, 1));
    let answer = world.read(&keys, None).send().await.unwrap();
    let mut found: Vec<_> = answer.responses().unwrap()[TABLE].iter().map(|item| item["pk"].as_s().unwrap()).collect();
    assert_ne!(found, keys[..60]);
    found.sort();
    assert_eq!(found, keys[..60]);
    assert!(answer.unprocessed_keys().is_some_and(HashMap::is_empty));
    let [request] = &world.api.requests()[..] else { panic!("{:?}", world.api.requests()) };
    assert_eq!((request.operation, request.entries), (Some(Operation::BatchGetItem), 100));
}

#[tokio::test]
async fn unprocessed_keys_come_back_as_a_request_for_them() {
    let world = World::new().await;
    ["a", "b", "c"].iter().for_each(|key| world.put(key, 1));
    world.api.unprocessed_next(1, 2);
    let answer = world.read(&["a", "b", "c"], Some(true)).send().await.unwrap();
    assert_eq!(answer.responses().unwrap()[TABLE].len(), 1);
    assert_eq!(answer.unprocessed_keys().unwrap()[TABLE], keys_of(&["b", "c"], Some(true)));
    let rest = world.dynamodb.batch_get_item().set_request_items(answer.unprocessed_keys).send().await.unwrap();
    assert_eq!(rest.responses().unwrap()[TABLE].len(), 2);
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
        let error = world.raise("a", 1).key(name, value).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{name}");
    }
}

#[tokio::test]
async fn an_item_has_at_most_400_kilobytes_with_its_names() {
    let world = World::new().await;
    let set = |len: usize| {
        let set = world.dynamodb.update_item().table_name(TABLE).key("pk", s("x")).update_expression("SET #a = :a");
        let set = set.condition_expression("attribute_not_exists(#b)").expression_attribute_names("#b", "b");
        set.expression_attribute_names("#a", "a").expression_attribute_values(":a", s("x".repeat(len))).send()
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
    let update = world.raise("a", 1).table_name("other").send().await.unwrap_err();
    assert!(update.into_service_error().is_resource_not_found_exception());
    let read = world.dynamodb.batch_get_item().request_items("other", keys_of(&["a"], None)).send().await.unwrap_err();
    assert!(read.into_service_error().is_resource_not_found_exception());
}
