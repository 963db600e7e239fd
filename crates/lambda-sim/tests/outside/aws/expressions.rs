//! Expressions: which condition holds of which item, and what is refused.

use lambda_sim::aws::dynamodb::Item;
use serde_json::{Value, json};

use super::{TABLE, World, n, s};

/// The error code of an update of the item `sample` with these expressions, if it fails. Each placeholder that they
/// contain is defined: `#cat` and so on by its name, and the values below.
async fn error(world: &World, update: &str, condition: &str) -> Option<String> {
    let item = Item::new().with("one", 1_i64).with("two", 2_i64).with("cat", "cat").with("umlaut", "ä");
    world.api.with_table(TABLE, |table| table.put("sample", item)).unwrap();
    let expressions = format!("{update} {condition}");
    let has = |placeholder: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '#' || c == ':';
        expressions.split(|c| !is_part(c)).any(|part| part == placeholder)
    };
    let names: Value = ["one", "two", "cat", "umlaut", "nowhere", "set", "pk"]
        .into_iter()
        .map(|name| (format!("#{name}"), Value::from(name)))
        .filter(|(placeholder, _)| has(placeholder))
        .collect();
    let values: Value =
        [(":one", n(1)), (":two", n(2)), (":ten", n(10)), (":cat", s("cat")), (":dog", s("dog")), (":digit", s("2"))]
            .into_iter()
            .filter(|(placeholder, _)| has(placeholder))
            .collect();
    let input = json!({
        "TableName": TABLE,
        "Key": {"pk": s("sample")},
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    });
    let result = world.dynamodb.request("UpdateItem", input).send().await;
    result.err().map(|error| error.code().unwrap().to_owned())
}

async fn holds(world: &World, condition: &str) -> bool {
    match error(world, "SET #set = :one", condition).await.as_deref() {
        None => true,
        Some("ConditionalCheckFailedException") => false,
        Some(other) => panic!("{condition}: {other}"),
    }
}

#[tokio::test]
async fn comparisons_go_by_type_and_value() {
    let world = World::new().await;
    for (condition, expected) in
        [("#one = #one", true), ("#one = #two", false), ("#one = #cat", false), ("#nowhere = #nowhere", false)]
    {
        assert_eq!(holds(&world, condition).await, expected, "{condition}");
    }
    for (name, value, equal, less) in [
        ("#one", ":one", true, false),
        ("#one", ":two", false, true),
        ("#two", ":ten", false, true),
        ("#two", ":one", false, false),
        ("#cat", ":cat", true, false),
        ("#cat", ":dog", false, true),
        ("#umlaut", ":dog", false, false),
        // Values of two types, and absent ones.
        ("#two", ":digit", false, false),
        ("#cat", ":one", false, false),
        ("#nowhere", ":one", false, false),
    ] {
        assert_eq!(holds(&world, &format!("{name} = {value}")).await, equal, "{name} = {value}");
        assert_eq!(holds(&world, &format!("{name}<{value}")).await, less, "{name}<{value}");
    }
    assert!(holds(&world, "attribute_not_exists(#nowhere)").await);
    assert!(!holds(&world, "attribute_not_exists ( #one )").await);
}

#[tokio::test]
async fn and_binds_before_or() {
    let world = World::new().await;
    for (condition, expected) in [
        ("T AND F", false),
        ("F OR T", true),
        ("F OR F", false),
        ("T OR T AND F", true),
        ("(T OR T) AND F", false),
        ("F AND T OR T", true),
        ("F AND (T OR T)", false),
        ("(T)", true),
        ("(T AND (F OR (T)))", true),
        ("(T) AND (T OR F) AND (F OR T)", true),
    ] {
        let whole = condition.replace("AND", "&").replace("OR", "|").replace('T', "#one = :one");
        let whole = whole.replace('F', "#two = :one").replace('&', "AND").replace('|', "OR");
        assert_eq!(holds(&world, &whole).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn what_dynamodb_refuses_is_refused() {
    let world = World::new().await;
    let fits = format!("#one = :one{}", " ".repeat(4096 - 11));
    let most_operators = vec!["#one=:one"; 150].join(" OR ");
    for (update, condition, code) in [
        ("SET #set = :one, #set = :two", "#one = :one", "ValidationException"),
        ("REMOVE #cat, #cat", "#one = :one", "ValidationException"),
        ("SET #pk = :cat", "#one = :one", "ValidationException"),
        ("SET #unknown = :one", "#one = :one", "ValidationException"),
        ("SET #set = :unknown", "#one = :one", "ValidationException"),
        ("SET #set = :one", "((#one = :one))", "ValidationException"),
        ("SET #set = :one", "#two = :two AND ((#one = :one))", "ValidationException"),
        ("SET #set = :one", &format!("{fits} "), "ValidationException"),
        ("SET #set = :one", &format!("{most_operators} OR #one=:one"), "ValidationException"),
        ("SET #set = :one", &fits, ""),
        ("SET #set = :one", &most_operators, ""),
        ("SET #set = :one REMOVE #cat", &fits, ""),
    ] {
        assert_eq!(error(&world, update, condition).await.unwrap_or_default(), code, "{update}, {condition}");
    }
    for (name, value) in [("#more", ":one"), ("#v", ":more")] {
        let raise = world.raise("a", 1).set(["ExpressionAttributeNames", name], "version");
        let error = raise.set(["ExpressionAttributeValues", value], n(1)).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{name} or {value} is not used");
    }
    assert_eq!(world.kept("a"), None);
}

#[tokio::test]
async fn what_the_function_does_not_send_is_not_modelled() {
    let world = World::new().await;
    for update in [
        "",
        "SET",
        "set #set = :one",
        "SET set = :one",
        "SET #set = #one",
        "SET #set = :one + :two",
        "SET #set = if_not_exists(#set, :one)",
        "SET #set.#one = :one",
        "REMOVE #cat SET #set = :one",
        "SET #set = :one REMOVE",
        "SET #set = :one,",
        "ADD #set :one",
    ] {
        assert_eq!(error(&world, update, "#one = :one").await.as_deref(), Some("NotModelled"), "{update}");
    }
    for condition in [
        "",
        "one = :one",
        "#one <= :one",
        "#one <> :one",
        "#one > :one",
        ":one = #one",
        "#one = 1",
        "NOT #one = :one",
        "#one = :one and #two = :two",
        "#one = :one #two",
        "(#one = :one",
        "attribute_exists(#one)",
        "attribute_not_exists(#one, #two)",
        "begins_with(#cat, :cat)",
        "#one BETWEEN :one AND :two",
        "#one = :one ä",
    ] {
        let code = error(&world, "SET #set = :one", condition).await;
        assert_eq!(code.as_deref(), Some("NotModelled"), "{condition}");
    }
    let [first, .., last] = &world.api.take_not_modelled()[..] else { panic!() };
    assert_eq!(first, r#"not modelled: the expression "" from byte 0 on"#);
    assert_eq!(last, r##"not modelled: the expression "#one = :one ä" from byte 12 on"##);
}
