//! Conditions: what holds of which item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_sim::aws::dynamodb::{AttributeValue as Own, Item};
use lambda_sim::{AwsApi, RunningAwsApi};

use super::{b, invalid, ledger, n, put, s, update};

/// Values by their names; each condition gets the ones it names.
fn values() -> Vec<(&'static str, AttributeValue)> {
    vec![
        (":one", n(1)),
        (":uno", n("1.0")),
        (":two", n(2)),
        (":ten", n("1e1")),
        (":minus", n(-3)),
        (":cat", s("cat")),
        (":dog", s("dog")),
        (":digit", s("2")),
        (":low", b(&[0x7f])),
        (":high", b(&[0x80])),
        (":yes", AttributeValue::Bool(true)),
        (":list", AttributeValue::L(vec![n(1)])),
        (":set", AttributeValue::Ss(vec!["b".into(), "a".into()])),
    ]
}

/// Whether a condition holds of the item that [`sample`] puts.
async fn holds(client: &aws_sdk_dynamodb::Client, id: &str, condition: &str) -> bool {
    let names = |name: &str| condition.split(|c: char| !c.is_alphanumeric() && c != ':').any(|part| part == name);
    let values: HashMap<String, AttributeValue> =
        values().into_iter().filter(|(name, _)| names(name)).map(|(name, value)| (name.to_owned(), value)).collect();
    let update = update(client, id).condition_expression(condition);
    let result = update.set_expression_attribute_values(Some(values).filter(|values| !values.is_empty())).send().await;
    match result {
        Ok(_) => true,
        Err(error) => {
            let error = error.into_service_error();
            assert!(error.is_conditional_check_failed_exception(), "{condition}: {error:?}");
            false
        }
    }
}

fn sample(api: &RunningAwsApi) {
    let item = Item::new().with("one", 1_i64).with("two", 2_i64).with("cat", "cat").with("umlaut", "ä");
    let item = item.with("low", vec![0x7f_u8]).with("high", vec![0x80_u8]).with("yes", true);
    let set = ["a", "b"].into_iter().map(str::to_owned).collect();
    put(api, "sample", item.with("numbers", vec![Own::from(1_i64)]).with("letters", Own::Ss(set)));
}

#[tokio::test]
async fn comparisons_go_by_type_and_value() {
    let (api, client) = ledger().await;
    sample(&api);
    // Condition, then whether it holds for each of = <> < <= > >=.
    for (left, right, expected) in [
        ("one", ":one", [true, false, false, true, false, true]),
        ("one", ":uno", [true, false, false, true, false, true]),
        ("one", ":two", [false, true, true, true, false, false]),
        ("two", ":ten", [false, true, true, true, false, false]),
        ("one", ":minus", [false, true, false, false, true, true]),
        ("one", "two", [false, true, true, true, false, false]),
        (":two", "one", [false, true, false, false, true, true]),
        (":one", ":two", [false, true, true, true, false, false]),
        ("cat", ":cat", [true, false, false, true, false, true]),
        ("cat", ":dog", [false, true, true, true, false, false]),
        ("umlaut", ":dog", [false, true, false, false, true, true]),
        // Bytes are unsigned.
        ("low", ":high", [false, true, true, true, false, false]),
        ("high", "low", [false, true, false, false, true, true]),
        // Of two types, or with nothing on a side, only <> holds.
        ("two", ":digit", [false, true, false, false, false, false]),
        ("cat", "low", [false, true, false, false, false, false]),
        ("numbers", ":one", [false, true, false, false, false, false]),
        ("nowhere", ":one", [false, true, false, false, false, false]),
        (":one", "nowhere", [false, true, false, false, false, false]),
        ("nowhere", "lost", [false, true, false, false, false, false]),
        ("numbers", "letters", [false, true, false, false, false, false]),
    ] {
        for (operator, expected) in ["=", "<>", "<", "<=", ">", ">="].into_iter().zip(expected) {
            let condition = format!("{left} {operator} {right}");
            assert_eq!(holds(&client, "sample", &condition).await, expected, "{condition}");
        }
    }
    for (condition, expected) in [
        ("yes = :yes", true),
        ("yes <> :yes", false),
        ("numbers = :list", true),
        ("letters = :set", true),
        ("letters <> :set", false),
    ] {
        assert_eq!(holds(&client, "sample", condition).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn not_binds_before_and_and_and_before_or() {
    let (api, client) = ledger().await;
    sample(&api);
    const TRUE: &str = "one = :one";
    const FALSE: &str = "two = :one";
    for (condition, expected) in [
        ("T", true),
        ("NOT T", false),
        ("not F", true),
        ("NOT NOT T", true),
        ("T AND F", false),
        ("T aNd T", true),
        ("F or T", true),
        ("F OR F", false),
        ("T OR T AND F", true),
        ("(T OR T) AND F", false),
        ("F AND T OR T", true),
        ("F AND (T OR T)", false),
        ("NOT F AND F", false),
        ("NOT (F AND F)", true),
        ("NOT T OR T", true),
        ("NOT (T OR T)", false),
        ("T AND NOT F", true),
        ("(T)", true),
        ("((T) AND F)", false),
        ("(T AND (F OR (T)))", true),
        ("(T) OR (F)", true),
        ("F OR F OR F OR T", true),
        ("T AND T AND T AND F", false),
    ] {
        let whole = condition.replace("AND", "&").replace("aNd", "&").replace("OR", "|").replace("NOT", "!");
        let whole = whole.replace('T', TRUE).replace('F', FALSE);
        let whole = whole.replace('&', if condition.contains("aNd") { "aNd" } else { "AND" });
        let whole = whole.replace('|', "OR").replace('!', "NOT");
        assert_eq!(holds(&client, "sample", &whole).await, expected, "{condition}: {whole}");
    }
}

#[tokio::test]
async fn an_absent_item_has_no_attributes_not_even_its_key() {
    let (api, client) = ledger().await;
    sample(&api);
    for (id, condition, expected) in [
        ("sample", "attribute_exists(one)", true),
        ("sample", "attribute_exists(nowhere)", false),
        ("sample", "attribute_not_exists(one)", false),
        ("sample", "attribute_not_exists ( nowhere )", true),
        ("sample", "attribute_exists(id)", true),
        ("absent", "attribute_exists(id)", false),
        ("absent", "NOT attribute_not_exists(id)", false),
        ("absent", "id = :cat", false),
        ("made", "attribute_not_exists(id)", true),
        ("made", "attribute_not_exists(id)", false),
        ("made-too", "id <> :cat", true),
        ("cat", "id <> :cat", true),
        ("cat", "id <> :cat", false),
    ] {
        assert_eq!(holds(&client, id, condition).await, expected, "{id}: {condition}");
    }
}

#[tokio::test]
async fn the_condition_of_a_ledger_lets_only_what_is_newer_through() {
    let (api, client) = ledger().await;
    let login = |at: u64, event: &'static str| {
        let update = update(&client, "d").update_expression("SET #at = :at, #event = :event REMOVE #gone");
        let newer = "attribute_not_exists(#at) OR #at < :at OR (#at = :at AND (#event = :event OR #event < :event))";
        let update = update.condition_expression(newer).expression_attribute_names("#at", "at");
        let update = update.expression_attribute_names("#event", "event").expression_attribute_names("#gone", "gone");
        update.expression_attribute_values(":at", n(at)).expression_attribute_values(":event", s(event)).send()
    };
    for (at, event, through) in [
        (5, "b", true),
        (4, "z", false),
        (5, "a", false),
        (5, "b", true),
        (5, "c", true),
        (10, "a", true),
        (9, "a", false),
    ] {
        assert_eq!(login(at, event).await.is_ok(), through, "{at} {event}");
    }
    let ledger = api.with_table("ledger", |table| table.get("d").cloned()).unwrap().unwrap();
    assert_eq!((ledger.number("at"), ledger.text("event")), (Some("10"), Some("a")));
}

#[tokio::test]
async fn malformed_conditions_are_refused() {
    let (api, client) = ledger().await;
    let long = format!("{}a = :v", " ".repeat(4091));
    let deep = "(".repeat(4000);
    let operators = |count: usize| vec!["a=:v"; count].join(" OR ");
    for (condition, message) in [
        ("", "The expression can not be empty;"),
        ("  ", "The expression can not be empty;"),
        ("a", "Syntax error; token: \"<EOF>\", near: \"a\""),
        ("a = ", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("a = = :v", "Syntax error; token: \"=\", near: \"= = :v\""),
        ("a == :v", "Syntax error; token: \"=\", near: \"== :v\""),
        ("a = :v b = :v", "Syntax error; token: \"b\", near: \":v b =\""),
        ("AND a = :v", "Syntax error; token: \"AND\", near: \"AND a\""),
        ("a = :v AND", "Syntax error; token: \"<EOF>\", near: \"AND\""),
        ("(a = :v", "Syntax error; token: \"<EOF>\", near: \":v\""),
        ("a = :v)", "Syntax error; token: \")\", near: \":v)\""),
        ("a = 'x'", "Syntax error; token: \"'\", near: \"= 'x'\""),
        ("a = 1", "Syntax error; token: \"1\", near: \"= 1\""),
        ("attribute_exists a", "Syntax error; token: \"a\", near: \"attribute_exists a\""),
        ("a-b = :v", "Syntax error; token: \"-\", near: \"a-b\""),
        ("# = :v", "Syntax error; token: \"#\", near: \"#\""),
        ("((a = :v))", "The expression has redundant parentheses;"),
        ("NOT ((a = :v))", "The expression has redundant parentheses;"),
        (&deep, "The expression has redundant parentheses;"),
        ("exists(a)", "Invalid function name; function: exists"),
        ("a = exists(b)", "Invalid function name; function: exists"),
        (
            "attribute_exists(a) = :v",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        (
            "a = attribute_exists(b)",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        (
            "attribute_exists(a, b)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of \
             operands: 2",
        ),
        (
            "attribute_exists(:v)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        ("a < :list", "Incorrect operand type for operator or function; operator or function: <, operand type: L"),
        (
            "a = a",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, \
             first operand: [a]",
        ),
        ("status = :v", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("#a = :v", "An expression attribute name used in the document path is not defined; attribute name: #a"),
        ("a = :w", "An expression attribute value used in expression is not defined; attribute value: :w"),
        (&long, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
        (&operators(151), "The expression contains too many operators; operator count: 301"),
        // What DynamoDB has and the API doesn't.
        ("begins_with(a, :v)", "lambda-sim doesn't model begins_with"),
        ("a BETWEEN :v AND :v", "lambda-sim doesn't model BETWEEN"),
        ("a IN (:v)", "lambda-sim doesn't model IN"),
        ("size(a) > :v", "lambda-sim doesn't model size"),
        ("a.b = :v", "lambda-sim doesn't model paths into maps and lists"),
        ("a[0] = :v", "lambda-sim doesn't model paths into maps and lists"),
    ] {
        let update = update(&client, "a").condition_expression(condition);
        let update = update.expression_attribute_values(":v", n(1));
        let update = update.expression_attribute_values(":list", AttributeValue::L(vec![]));
        assert_eq!(invalid(update.send().await), format!("Invalid ConditionExpression: {message}"), "{condition}");
    }
    assert!(api.with_table("ledger", |table| table.is_empty()).unwrap(), "a refused update makes nothing");
}

#[tokio::test]
async fn the_longest_condition_and_the_one_with_most_operators_are_taken() {
    let api = AwsApi::start().await.unwrap();
    api.create_table("ledger", "id");
    let client = super::client_with(&api, lambda_sim::Credentials::of_the_sandbox(), 1);
    let longest = format!("{}a <> :v", " ".repeat(4096 - 7));
    let busiest = format!("a<>:v{}", " AND (a<>:v".repeat(149)) + &")".repeat(149);
    for condition in [longest, busiest] {
        assert!(condition.len() <= 4096);
        let update = update(&client, "a").condition_expression(condition).expression_attribute_values(":v", n(1));
        update.send().await.unwrap();
    }
}
