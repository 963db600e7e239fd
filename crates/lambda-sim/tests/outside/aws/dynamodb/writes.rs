//! What DynamoDB takes.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use lambda_sim::Operation;
use lambda_sim::aws::dynamodb::{AttributeValue as Own, Item};

use super::{b, item, ledger, n, put, s, update};

#[tokio::test]
async fn an_update_makes_the_item_sets_and_removes_attributes_and_leaves_the_others() {
    let (api, client) = ledger().await;
    let made = update(&client, "a").update_expression("SET account = :a, version = :v");
    made.expression_attribute_values(":a", s("1")).expression_attribute_values(":v", n(7)).send().await.unwrap();
    assert_eq!(item(&api, "a"), Some(Item::new().with("id", "a").with("account", "1").with("version", 7_i64)));

    for (expression, left) in [
        ("SET #v = :v REMOVE account, nothing", Item::new().with("id", "a").with("version", 8_i64)),
        ("remove #v set account = :v", Item::new().with("id", "a").with("account", 8_i64)),
        ("SET\taccount=:v,\r\n #v=:v", Item::new().with("id", "a").with("account", 8_i64).with("version", 8_i64)),
    ] {
        let changed = update(&client, "a").update_expression(expression).expression_attribute_names("#v", "version");
        changed.expression_attribute_values(":v", n("8.0")).send().await.unwrap();
        assert_eq!(item(&api, "a"), Some(left), "{expression}");
    }
    let request = &api.requests()[0];
    assert_eq!((request.operation, request.entries), (Some(Operation::UpdateItem), 1));
    assert_eq!((request.status, request.error.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn an_update_of_an_absent_item_makes_it_unless_it_only_removes() {
    let (api, client) = ledger().await;
    update(&client, "a").send().await.unwrap();
    assert_eq!(item(&api, "a"), Some(Item::new().with("id", "a")));
    let removed = update(&client, "b").update_expression("REMOVE account").return_values(ReturnValue::AllNew);
    assert_eq!(removed.send().await.unwrap().attributes(), None);
    assert_eq!(item(&api, "b"), None);
}

#[tokio::test]
async fn an_update_returns_the_old_item_or_the_new_one_or_neither() {
    let (_api, client) = ledger().await;
    let set = |value: i64, returned: ReturnValue| {
        let set = update(&client, "a").update_expression("SET version = :v").return_values(returned);
        set.expression_attribute_values(":v", n(value)).send()
    };
    let whole = |value: i64| HashMap::from([("id".to_owned(), s("a")), ("version".to_owned(), n(value))]);
    assert_eq!(set(1, ReturnValue::AllOld).await.unwrap().attributes, None);
    assert_eq!(set(2, ReturnValue::AllOld).await.unwrap().attributes, Some(whole(1)));
    assert_eq!(set(3, ReturnValue::AllNew).await.unwrap().attributes, Some(whole(3)));
    assert_eq!(set(4, ReturnValue::None).await.unwrap().attributes, None);
}

#[tokio::test]
async fn a_failed_condition_changes_nothing_and_shows_the_item_when_asked() {
    let (api, client) = ledger().await;
    let set = |id: &str, returned: Option<ReturnValuesOnConditionCheckFailure>| {
        let set = update(&client, id).update_expression("SET version = :new").condition_expression("version < :new");
        let set = set.expression_attribute_values(":new", n(5));
        set.set_return_values_on_condition_check_failure(returned).send()
    };
    let all_old = || Some(ReturnValuesOnConditionCheckFailure::AllOld);
    put(&api, "a", Item::new().with("version", 9_i64));
    for (id, returned, shown) in [
        ("a", all_old(), Some(HashMap::from([("id".to_owned(), s("a")), ("version".to_owned(), n(9))]))),
        ("a", Some(ReturnValuesOnConditionCheckFailure::None), None),
        ("a", None, None),
        ("absent", all_old(), None),
    ] {
        let error = set(id, returned).await.unwrap_err().into_service_error();
        let UpdateItemError::ConditionalCheckFailedException(error) = error else { panic!("{error:?}") };
        assert_eq!((error.message(), error.item()), (Some("The conditional request failed"), shown.as_ref()));
        let request = api.requests().pop().unwrap();
        assert_eq!(request.error.as_deref(), Some("ConditionalCheckFailedException"));
    }
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("9"));
    assert_eq!(item(&api, "absent"), None);
    for hide in [true, false] {
        api.failed_conditions_hide_items(hide);
        let error = set("a", all_old()).await.unwrap_err().into_service_error();
        let UpdateItemError::ConditionalCheckFailedException(error) = error else { panic!("{error:?}") };
        assert_eq!(error.item().is_none(), hide);
    }
}

#[tokio::test]
async fn a_put_replaces_the_whole_item_and_a_delete_takes_it_away() {
    let (api, client) = ledger().await;
    let put_one = |name: &str| {
        let put = client.put_item().table_name("ledger").item("id", s("a")).item(name, n(1));
        put.return_values(ReturnValue::AllOld).send()
    };
    assert_eq!(put_one("x").await.unwrap().attributes, None);
    let old = put_one("y").await.unwrap().attributes.unwrap();
    assert!(old.contains_key("x") && !old.contains_key("y"), "{old:?}");
    assert_eq!(item(&api, "a"), Some(Item::new().with("id", "a").with("y", 1_i64)));

    let delete = || client.delete_item().table_name("ledger").key("id", s("a"));
    let kept = delete().condition_expression("attribute_exists(x)").send().await.unwrap_err().into_service_error();
    assert!(kept.is_conditional_check_failed_exception());
    let kept = client.put_item().table_name("ledger").item("id", s("a"));
    let kept = kept.condition_expression("attribute_not_exists(id)").send().await.unwrap_err().into_service_error();
    assert!(kept.is_conditional_check_failed_exception());
    let deleted = delete().return_values(ReturnValue::AllOld).condition_expression("attribute_exists(y)");
    assert_eq!(deleted.send().await.unwrap().attributes.unwrap()["y"], n(1));
    assert!(api.with_table("ledger", |table| table.is_empty()).unwrap());
    delete().send().await.unwrap();
    assert!(api.requests().iter().all(|request| request.entries == 1));
}

#[tokio::test]
async fn values_of_every_type_come_back_as_they_were() {
    let (api, client) = ledger().await;
    let nested = HashMap::from([("list".to_owned(), AttributeValue::L(vec![n(1), AttributeValue::Null(true)]))]);
    let values = HashMap::from([
        ("id".to_owned(), s("a")),
        ("text".to_owned(), s("Grüße, 世界")),
        ("empty".to_owned(), s("")),
        ("number".to_owned(), n("-12.5")),
        ("bytes".to_owned(), b(&[0, 128, 255])),
        ("yes".to_owned(), AttributeValue::Bool(true)),
        ("null".to_owned(), AttributeValue::Null(true)),
        ("map".to_owned(), AttributeValue::M(nested)),
        ("texts".to_owned(), AttributeValue::Ss(vec!["a".into(), "b".into()])),
        ("numbers".to_owned(), AttributeValue::Ns(vec!["1".into(), "2".into()])),
    ]);
    client.put_item().table_name("ledger").set_item(Some(values.clone())).send().await.unwrap();
    let get = client.get_item().table_name("ledger").key("id", s("a")).consistent_read(true);
    assert_eq!(get.send().await.unwrap().item, Some(values));
    let kept = item(&api, "a").unwrap();
    assert_eq!((kept.text("text"), kept.number("number")), (Some("Grüße, 世界"), Some("-12.5")));
    assert_eq!((kept.text("number"), kept.number("text")), (None, None));
    assert_eq!(Item::from_json(&kept.to_json()), Ok(kept));
}

#[tokio::test]
async fn numbers_come_back_in_one_form() {
    let (_api, client) = ledger().await;
    for (written, form) in [("1.50", "1.5"), ("007", "7"), ("1e3", "1000"), ("-0", "0"), ("1E-3", "0.001")] {
        let set = update(&client, "a").update_expression("SET v = :v").expression_attribute_values(":v", n(written));
        let set = set.return_values(ReturnValue::AllNew).send().await.unwrap();
        assert_eq!(set.attributes().unwrap()["v"], n(form), "{written}");
    }
}

#[tokio::test]
async fn a_test_puts_looks_at_and_deletes_items_directly() {
    let (api, client) = ledger().await;
    put(&api, "b", Item::new().with("version", Own::N("no number".into())));
    put(&api, "a", [("list", vec![1_i64.into(), Own::Null])].into_iter().collect());
    let (ids, key, len) = api
        .with_table("ledger", |table| {
            let ids: Vec<String> = table.items().filter_map(|item| item.text("id")).map(str::to_owned).collect();
            (ids, table.partition_key().to_owned(), table.len())
        })
        .unwrap();
    assert_eq!((ids, key.as_str(), len), (vec!["a".to_owned(), "b".to_owned()], "id", 2));
    let malformed = client.get_item().table_name("ledger").key("id", s("b")).send().await.unwrap();
    assert_eq!(malformed.item().unwrap()["version"], n("no number"));
    assert!(api.with_table("ledger", |table| table.remove("b")).unwrap().is_some());
    assert_eq!(client.get_item().table_name("ledger").key("id", s("b")).send().await.unwrap().item, None);
    assert_eq!(api.with_table("other", |table| table.len()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_conditional_updates_at_once_the_newest_wins_whatever_their_order() {
    let (api, client) = ledger().await;
    let mut versions: Vec<u64> = (1..=50).collect();
    versions.sort_by_key(|version| version * 37 % 101);
    let tasks: Vec<_> = versions
        .into_iter()
        .map(|version| {
            let set = update(&client, "a").update_expression("SET version = :v");
            let set = set.condition_expression("attribute_not_exists(version) OR version < :v");
            tokio::spawn(set.expression_attribute_values(":v", n(version)).send())
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(error.into_service_error().is_conditional_check_failed_exception()),
        }
    }
    assert_eq!(item(&api, "a").unwrap().number("version"), Some("50"));
    assert!((1..=50).contains(&done));
}
