//! Bodies that no producer should send, each between two good ones: what is accepted, what is rejected, and why.

use std::collections::BTreeMap;

use lambda_sim::{Message, Outcome, answer::interpret, event::SqsEvent};
use serde_json::{Value, json};

use crate::{
    secrets::{account, assert_no_secrets, secret_in, token},
    stage::Stage,
};

/// A login of the token `odd`, with this text as its account list.
fn login_with(account_list: &str) -> String {
    let token = token("odd");
    format!(
        r#"{{"type":"user.login","occurred_at":"2026-11-22T08:00:02Z","app":"android","token":"{token}","account_list":{account_list}}}"#
    )
}

/// The same with an account of this JSON text.
fn login_as(account: &str) -> String {
    login_with(&format!(r#"[{{"account":{account}}}]"#))
}

/// A good login, with an additional field before all others.
fn login_and(field: &str) -> String {
    let name = account("odd");
    login_as(&format!(r#""{name}""#)).replacen('{', &format!("{{{field},"), 1)
}

/// A good login with another `occurred_at`.
fn login_at(time: &str) -> String {
    let name = account("odd");
    login_as(&format!(r#""{name}""#)).replace(r#""2026-11-22T08:00:02Z""#, time)
}

/// Change is bound to `odd` afterwards, or the reason of the rejection.
type Outcomes = Result<String, &'static str>;

#[rustfmt::skip]
fn rows() -> Vec<(&'static str, String, Outcomes)> {
    let odd = account("odd");
    let accepted = || Ok(odd.clone());
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let family = "👩‍👩‍👧‍👦";
    vec![
        ("a family of emoji",               login_as(&format!(r#""{family}""#)),                    Ok(family.to_owned())),
        ("emoji as escapes",                login_as(r#""\ud83d\ude00""#),                          Ok("😀".to_owned())),
        ("a hundred emoji",                 login_as(&format!(r#""{}""#, "😀".repeat(100))),        Ok("😀".repeat(100))),
        ("a hundred and one",               login_as(&format!(r#""{}""#, "😀".repeat(101))),        Err("invalid_field")),
        ("half of a surrogate pair",        login_as(r#""\ud83d""#),                                Err("malformed_json")),
        ("the halves in the wrong order",   login_as(r#""\ude00\ud83d""#),                          Err("malformed_json")),
        ("an escape that is none",          login_as(r#""\uzzzz""#),                                Err("malformed_json")),
        ("half a pair in the token",        login_as(r#""x""#).replace("vexillumodd", r"\ud800"),   Err("malformed_json")),
        ("an escaped NUL",                  login_as(r#""a\u0000b""#),                              Err("invalid_field")),
        ("a tab as it is",                  login_as("\"a\tb\""),                                   Err("malformed_json")),
        ("a byte order mark",               format!("\u{feff}{}", login_as(&format!(r#""{odd}""#))), accepted()),
        ("a byte order mark in an account",login_as("\"\u{feff}x\""),                             Err("invalid_field")),
        ("a zero-width space",              login_as("\"x\u{200b}\""),                             Err("invalid_field")),
        ("a blank at the end",              login_as(r#""x ""#),                                    Err("invalid_field")),
        ("an accent in the token",          login_as(r#""x""#).replace("vexillumodd", "vexillumödd"), Err("invalid_field")),
        ("a misspelt field",                login_and(r#""accountList":[]"#),                       Err("invalid_field")),
        ("a misspelt field of an account",  login_as(r#""x","accountType":1"#),                     Err("invalid_field")),
        ("null for the app",                login_as(r#""x""#).replace(r#""android""#, "null"),     Err("missing_field")),
        ("JSON in a JSON string",           json!(login_as(r#""x""#)).to_string(),                  Err("malformed_json")),
        ("a time without seconds",          login_at(r#""2026-11-22T08:00Z""#),                     accepted()),
        ("a time without an offset",        login_at(r#""2026-11-22T08:00:00""#),                   Err("invalid_field")),
        ("text behind it",                  format!("{}!", login_as(r#""x""#)),                     Err("malformed_json")),
        ("a field twice",                   login_and(r#""app":"android""#),                        Err("invalid_field")),
        ("the type twice",                  login_and(r#""type":"user.login""#),                    Err("invalid_field")),
        ("an unknown field twice",          login_and(r#""x":1,"x":2"#),                            accepted()),
        ("an account's name twice",         login_with(&format!(r#"[{{"account":"x","account":"{odd}"}}]"#)), Err("invalid_field")),
        ("an account twice",                login_with(&format!(r#"[{{"account":"{odd}"}},{{"account":"{odd}"}}]"#)), accepted()),
        ("two accounts of a type",          login_with(&format!(r#"[{{"account":"x"}},{{"account":"{odd}"}}]"#)), accepted()),
        ("deep nesting, unknown",           login_and(&format!(r#""x":{}"#, nested(100_000))),      accepted()),
        ("deep nesting of accounts",        login_with(&nested(100_000)),                           Err("invalid_field")),
        ("deep nesting without an end",     login_and(&format!(r#""x":{}"#, "[".repeat(100_000))),  Err("malformed_json")),
        ("an account type beyond 32 bits",  login_with(r#"[{"account":"x","account_type":4294967296}]"#), Err("invalid_field")),
        ("one beyond 64 bits",              login_with(r#"[{"account":"x","account_type":18446744073709551616}]"#), Err("invalid_field")),
        ("a negative one",                  login_with(r#"[{"account":"x","account_type":-1}]"#),   Err("invalid_field")),
        ("one with a point",                login_with(r#"[{"account":"x","account_type":1.0}]"#),  Err("invalid_field")),
        ("a time beyond 64 bits",           login_at("18446744073709551616"),                       Err("invalid_field")),
        ("a time beyond all numbers",       login_at("1e999"),                                      Err("malformed_json")),
        ("the greatest time",               login_at("9223372036854775807"),                        Err("in_the_future")),
        ("a time with a point",             login_at("1795334402000.5"),                            Err("invalid_field")),
        ("a time before all time",          login_at("-9223372036854775808"),                       Err("too_old")),
        ("a number as account",             login_as("7"),                                          Err("invalid_field")),
        ("an empty account",                login_as(r#""""#),                                      Err("invalid_field")),
        ("an empty id",                     login_and(r#""id":"""#),                                accepted()),
        ("a number as id",                  login_and(r#""id":18446744073709551616"#),              Err("invalid_field")),
        ("an id of a mebibyte",             login_and(&format!(r#""id":"{}""#, "i".repeat(1 << 20))), Err("invalid_field")),
        ("an unknown field of a mebibyte",  login_and(&format!(r#""x":"{}""#, "x".repeat(1 << 20))), accepted()),
        ("an account of a mebibyte",        login_as(&format!(r#""{}""#, "x".repeat(1 << 20))),     Err("invalid_field")),
        ("ten thousand accounts",           login_with(&format!("[{}]", vec![r#"{"account":"x"}"#; 10_000].join(","))), Err("invalid_field")),
        ("blanks alone",                    " ".repeat(1 << 20),                                    Err("malformed_json")),
    ]
}

#[tokio::test]
async fn an_odd_body_is_accepted_or_rejected_without_effect_on_its_neighbours() {
    let stage = Stage::new().await;
    let good = |n: usize| {
        json!({"type": "user.login", "occurred_at": "2026-11-22T08:00:02Z", "app": "android",
               "token": token(&n.to_string()), "account_list": [{"account": account(&n.to_string())}]})
        .to_string()
    };
    for (name, body, outcome) in rows() {
        stage.tpns.reset();
        let mark = stage.function.output_len().unwrap();
        let failed = stage.batch(&[good(0), body, good(2)]).await;
        let lines = stage.function.lines_since(mark).unwrap();
        let failures: Vec<_> = lines.iter().filter(|line| line.contains("event failed")).collect();
        match outcome {
            Ok(bound) => {
                assert_eq!(failed, [""; 0], "{name}: {failures:?}");
                assert_eq!(stage.bound("android", &token("odd")), [format!("{bound}/0")], "{name}");
            }
            Err(reason) => {
                assert_eq!(failed, ["m1"], "{name}");
                let line: Value = serde_json::from_str(failures[0]).unwrap();
                assert_eq!((&line["outcome"], &line["reason"]), (&json!("rejected"), &json!(reason)), "{name}: {line}");
                assert_eq!(stage.bound("android", &token("odd")), [""; 0], "{name}");
            }
        }
        for n in [0, 2] {
            let bound = stage.bound("android", &token(&n.to_string()));
            assert_eq!(bound, [format!("{}/0", account(&n.to_string()))], "{name}");
        }
    }
    assert_no_secrets(&stage.function);
}

/// Two events of one device with the same time and id: a producer's mistake. The result does not depend on their order.
#[tokio::test]
async fn events_of_one_id_and_time_have_the_same_result_in_any_order() {
    let stage = Stage::new().await;
    let with_id = |name: &str| login_as(&format!(r#""{}""#, account(name))).replacen('{', r#"{"id":"one","#, 1);
    let mut results = Vec::new();
    for bodies in [["a", "b"], ["b", "a"]] {
        stage.tpns.reset();
        assert_eq!(stage.batch(&bodies.map(with_id)).await, [""; 0]);
        results.push(stage.bound("android", &token("odd")));
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0].len(), 1);
}

/// Lambda guarantees that a batch contains each message once. If it does not, the id is reported if one of both failed.
#[tokio::test]
async fn a_message_id_that_appears_twice_is_reported_if_either_failed() {
    let stage = Stage::new().await;
    let good = login_as(&format!(r#""{}""#, account("good")));
    for bodies in [[good.as_str(), "bad"], ["bad", good.as_str()], ["bad", "worse"]] {
        let messages = bodies.map(|body| Message::new("one", body));
        let payload = SqsEvent::of_queue("arn:aws:sqs:us-east-2:123456789012:auth-events").messages(messages);
        let outcome = stage.outcome(payload.to_bytes()).await;
        let verdict = interpret(outcome.response().unwrap(), &["one".to_owned()]);
        assert_eq!(verdict.fails, ["one"], "{bodies:?}");
    }
}

#[tokio::test]
async fn an_unreadable_payload_is_an_error_and_never_an_empty_success() {
    let stage = Stage::new().await;
    let body = json!(login_as(&format!(r#""{}""#, account("good")))).to_string();
    let record = |more: &str| {
        format!(
            r#"{{"messageId":"m0","receiptHandle":"r","body":{body},"attributes":{{}},"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:q"{more}}}"#
        )
    };
    let good = record("");
    let rows = BTreeMap::from([
        ("the records twice", format!(r#"{{"Records":[{good}],"Records":[]}}"#)),
        ("a record's id twice", format!(r#"{{"Records":[{}]}}"#, record(r#","messageId":"m1""#))),
        ("an id that is empty", format!(r#"{{"Records":[{good},{}]}}"#, good.replace("m0", ""))),
        ("an id of half a surrogate pair", format!(r#"{{"Records":[{good},{}]}}"#, good.replace("m0", r"\ud800"))),
        ("an id that is a number", format!(r#"{{"Records":[{good},{}]}}"#, good.replace(r#""m0""#, "1e999"))),
        ("records nested deeply", format!(r#"{{"Records":{}}}"#, "[".repeat(100_000))),
    ]);
    for (name, payload) in rows {
        match stage.outcome(payload).await {
            Outcome::FunctionError { body, .. } => assert_eq!(secret_in(&body), None, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(stage.calls(), [], "nothing of it was applied");
    assert_eq!(stage.function.cold_starts(), 1);
    assert_no_secrets(&stage.function);
}
