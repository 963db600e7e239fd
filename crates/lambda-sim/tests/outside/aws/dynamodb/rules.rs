//! What DynamoDB refuses.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use lambda_sim::aws::dynamodb::Item;

use super::{b, invalid, item, ledger, n, put, s, update};

const LIMIT: usize = 400 * 1024;

#[tokio::test]
async fn malformed_updates_are_refused() {
    let (api, client) = ledger().await;
    let long = format!("SET a = :v{}", " ".repeat(4087));
    for (expression, message) in [
        ("", "The expression can not be empty;"),
        ("a = :v", "Syntax error; token: \"a\", near: \"a =\""),
        ("SET", "Syntax error; token: \"<EOF>\", near: \"SET\""),
        ("SET a", "Syntax error; token: \"<EOF>\", near: \"a\""),
        ("SET a :v", "Syntax error; token: \":v\", near: \"a :v\""),
        ("SET a = :v,", "Syntax error; token: \"<EOF>\", near: \",\""),
        ("SET a = :v, REMOVE b", "Syntax error; token: \"REMOVE\", near: \", REMOVE b\""),
        ("SET a = SET", "Syntax error; token: \"SET\", near: \"= SET\""),
        ("SET :v = a", "Syntax error; token: \":v\", near: \"SET :v =\""),
        ("SET a = 1", "Syntax error; token: \"1\", near: \"= 1\""),
        ("REMOVE a b", "Syntax error; token: \"b\", near: \"a b\""),
        ("REMOVE :v", "Syntax error; token: \":v\", near: \"REMOVE :v\""),
        ("SET a = :v; REMOVE b", "Syntax error; token: \";\", near: \":v;\""),
        ("SET a = :v SET b = :v", "The \"SET\" section can only be used once in an update expression;"),
        ("REMOVE a REMOVE b", "The \"REMOVE\" section can only be used once in an update expression;"),
        ("SET a = :v, a = :v", OVERLAP),
        ("SET a = :v REMOVE a", OVERLAP),
        ("REMOVE a SET a = :v", OVERLAP),
        ("REMOVE a, a", OVERLAP),
        ("REMOVE a, #a", OVERLAP),
        ("SET Name = :v", "Attribute name is a reserved keyword; reserved keyword: Name"),
        ("REMOVE ttl", "Attribute name is a reserved keyword; reserved keyword: ttl"),
        ("SET #b = :v", "An expression attribute name used in the document path is not defined; attribute name: #b"),
        ("SET a = :w", "An expression attribute value used in expression is not defined; attribute value: :w"),
        ("SET a = f(:v)", "Invalid function name; function: f"),
        (&long, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
        // What DynamoDB has and the API doesn't.
        ("ADD a :v", "lambda-sim doesn't model ADD and DELETE"),
        ("SET a = if_not_exists(a, :v)", "lambda-sim doesn't model if_not_exists"),
        ("SET a = :v + :v", "lambda-sim doesn't model arithmetic in SET"),
        ("SET a = b", "lambda-sim doesn't model attributes on the right of SET"),
        ("SET a = (:v)", "lambda-sim doesn't model parentheses in SET"),
        ("SET a.b = :v", "lambda-sim doesn't model paths into maps and lists"),
    ] {
        let update = update(&client, "a").update_expression(expression).expression_attribute_names("#a", "a");
        let update = update.expression_attribute_values(":v", n(1));
        assert_eq!(invalid(update.send().await), format!("Invalid UpdateExpression: {message}"), "{expression}");
    }
    assert!(api.with_table("ledger", |table| table.is_empty()).unwrap(), "a refused update makes nothing");
}

const OVERLAP: &str = "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: \
                       [a], path two: [a]";

#[tokio::test]
async fn placeholders_are_well_formed_and_all_of_them_used() {
    let (_api, client) = ledger().await;
    let update = |names: &[&str], values: &[&str], expression: Option<&str>, condition: Option<&str>| {
        let mut update = update(&client, "a").set_update_expression(expression.map(str::to_owned));
        for name in names {
            update = update.expression_attribute_names(*name, "a");
        }
        for value in values {
            update = update.expression_attribute_values(*value, n(1));
        }
        update.set_condition_expression(condition.map(str::to_owned)).send()
    };
    let set = Some("SET a = :v");
    for (names, values, expression, condition, message) in [
        (
            &["#a", "#b"][..],
            &[":v"][..],
            set,
            Some("attribute_exists(b)"),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}",
        ),
        (
            &["#a"],
            &[":v", ":w"],
            set,
            Some("attribute_exists(#a)"),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (&["#a"], &[], None, None, "ExpressionAttributeNames can only be specified when using expressions"),
        (
            &[],
            &[":v"],
            None,
            None,
            "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and \
             ConditionExpression are null",
        ),
        (&["a"], &[":v"], set, None, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\""),
        (&["#a-b"], &[":v"], set, None, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\""),
        (&[], &["v"], set, None, "ExpressionAttributeValues contains invalid key: Syntax error; key: \"v\""),
        (&[], &[":"], set, None, "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\""),
    ] {
        assert_eq!(invalid(update(names, values, expression, condition).await), message);
    }
    update(&["#a"], &[":v"], set, Some("#a <> :v OR attribute_not_exists(#a)")).await.unwrap();
    let delete = client.delete_item().table_name("ledger").key("id", s("a"));
    let message = "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null";
    assert_eq!(invalid(delete.expression_attribute_values(":v", n(1)).send().await), message);
    let none =
        super::update(&client, "a").update_expression("REMOVE a").set_expression_attribute_names(Some([].into()));
    assert_eq!(invalid(none.send().await), "ExpressionAttributeNames must not be empty");
}

#[tokio::test]
async fn the_key_is_one_text_of_1_to_2048_bytes() {
    let (api, client) = ledger().await;
    let mismatch = "The provided key element does not match the schema";
    let empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty string value. Key: id";
    let long =
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes";
    for (key, message) in [
        (vec![], mismatch),
        (vec![("other", s("a"))], mismatch),
        (vec![("id", n(1))], mismatch),
        (vec![("id", b(b"a"))], mismatch),
        (vec![("id", s("a")), ("other", s("a"))], mismatch),
        (vec![("id", s(""))], empty),
        (vec![("id", s("x".repeat(2049)))], long),
    ] {
        let key: std::collections::HashMap<_, _> =
            key.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let key = Some(key);
        let update = client.update_item().table_name("ledger").set_key(key.clone()).send().await;
        assert_eq!(invalid(update), message);
        assert_eq!(invalid(client.get_item().table_name("ledger").set_key(key.clone()).send().await), message);
        assert_eq!(invalid(client.delete_item().table_name("ledger").set_key(key).send().await), message);
    }
    let missing =
        "1 validation error detected: Value null at 'key' failed to satisfy constraint: Member must not be null";
    assert_eq!(invalid(client.update_item().table_name("ledger").send().await), missing);
    assert!(api.with_table("ledger", |table| table.is_empty()).unwrap());
    update(&client, &"x".repeat(2048)).send().await.unwrap();

    let put = || client.put_item().table_name("ledger").item("a", n(1));
    let message = "One or more parameter values were invalid: Missing the key id in the item";
    assert_eq!(invalid(put().send().await), message);
    let message = "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N";
    assert_eq!(invalid(put().item("id", n(1)).send().await), message);
    assert_eq!(invalid(put().item("id", s("")).send().await), empty);
}

#[tokio::test]
async fn a_key_attribute_is_not_updated() {
    let (api, client) = ledger().await;
    let message =
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key";
    for expression in ["SET id = :v", "SET a = :v REMOVE id"] {
        let update = update(&client, "a").update_expression(expression).expression_attribute_values(":v", s("a"));
        assert_eq!(invalid(update.send().await), message, "{expression}");
    }
    assert_eq!(item(&api, "a"), None);
}

#[tokio::test]
async fn an_item_has_400_kilobytes_with_its_names() {
    let (api, client) = ledger().await;
    // `id`, its value and the name `a` count, too.
    let fits = LIMIT - 2 - 1 - 1;
    let set = |len: usize| {
        let set = update(&client, "x").update_expression("SET a = :v");
        set.expression_attribute_values(":v", s("x".repeat(len))).send()
    };
    let put_one =
        |len: usize| client.put_item().table_name("ledger").item("id", s("x")).item("a", s("x".repeat(len))).send();
    assert_eq!(invalid(set(fits + 1).await), "Item size to update has exceeded the maximum allowed size");
    assert_eq!(invalid(put_one(fits + 1).await), "Item size has exceeded the maximum allowed size");
    assert_eq!(item(&api, "x"), None);
    set(fits).await.unwrap();
    put_one(fits).await.unwrap();
    assert_eq!(item(&api, "x").unwrap().size(), LIMIT);
    let grown = update(&client, "x").update_expression("SET b = :v").expression_attribute_values(":v", s(""));
    assert_eq!(invalid(grown.send().await), "Item size to update has exceeded the maximum allowed size");
}

#[tokio::test]
async fn values_that_dynamodb_cannot_store_are_refused() {
    let (api, client) = ledger().await;
    for (value, message) in [
        (n("abc"), "The parameter cannot be converted to a numeric value: abc"),
        (n(""), "The parameter cannot be converted to a numeric value"),
        (n("1e126"), "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        (n("1".repeat(39)), "Attempting to store more than 38 significant digits in a Number"),
        (AttributeValue::Ss(vec![]), "One or more parameter values were invalid: An string set  may not be empty"),
        (
            AttributeValue::Ns(vec!["1".into(), "1.0".into()]),
            "One or more parameter values were invalid: Input collection contains duplicates.",
        ),
        (
            AttributeValue::Null(false),
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
    ] {
        let put = client.put_item().table_name("ledger").item("id", s("a")).item("v", value.clone());
        assert_eq!(invalid(put.send().await), message);
        let set = update(&client, "a").update_expression("SET v = :v").expression_attribute_values(":v", value);
        let message = format!("ExpressionAttributeValues contains invalid value: {message} for key :v");
        assert_eq!(invalid(set.send().await), message);
    }
    assert_eq!(item(&api, "a"), None);
}

#[tokio::test]
async fn an_unknown_table_is_not_found_by_any_operation() {
    let (api, client) = ledger().await;
    let update = client.update_item().table_name("other").key("id", s("a")).send().await.unwrap_err();
    assert!(update.as_service_error().unwrap().is_resource_not_found_exception());
    assert_eq!(update.message(), Some("Requested resource not found"));
    let get = client.get_item().table_name("other").key("id", s("a")).send().await.unwrap_err();
    assert!(get.into_service_error().is_resource_not_found_exception());
    let put = client.put_item().table_name("other").item("id", s("a")).send().await.unwrap_err();
    assert!(put.into_service_error().is_resource_not_found_exception());
    let delete = client.delete_item().table_name("other").key("id", s("a")).send().await.unwrap_err();
    assert!(delete.into_service_error().is_resource_not_found_exception());
    let errors: Vec<_> = api.requests().into_iter().filter_map(|request| request.error).collect();
    assert_eq!(errors, ["ResourceNotFoundException"; 4]);
}

#[tokio::test]
async fn parameters_out_of_their_sets_and_those_that_are_not_modelled_are_refused() {
    let (api, client) = ledger().await;
    put(&api, "a", Item::new());
    let message = "1 validation error detected: Value 'ALL' at 'returnValues' failed to satisfy constraint: Member must \
                   satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]";
    assert_eq!(invalid(update(&client, "a").return_values("ALL".into()).send().await), message);
    let message = "1 validation error detected: Value 'ALL_NEW' at 'returnValuesOnConditionCheckFailure' failed to satisfy \
                   constraint: Member must satisfy enum value set: [ALL_OLD, NONE]";
    let update_failing = update(&client, "a").return_values_on_condition_check_failure("ALL_NEW".into());
    assert_eq!(invalid(update_failing.send().await), message);
    let put = client.put_item().table_name("ledger").item("id", s("a")).return_values(ReturnValue::AllNew);
    assert_eq!(invalid(put.send().await), "ReturnValues can only be ALL_OLD or NONE");

    let updated = update(&client, "a").return_values(ReturnValue::UpdatedNew);
    assert_eq!(invalid(updated.send().await), "lambda-sim doesn't model UPDATED_NEW");
    let capacity = update(&client, "a").return_consumed_capacity(ReturnConsumedCapacity::Total);
    assert_eq!(invalid(capacity.send().await), "lambda-sim doesn't model ReturnConsumedCapacity");
    update(&client, "a").return_consumed_capacity(ReturnConsumedCapacity::None).send().await.unwrap();
    let projected = client.get_item().table_name("ledger").key("id", s("a")).projection_expression("a");
    assert_eq!(invalid(projected.send().await), "lambda-sim doesn't model ProjectionExpression");
}
