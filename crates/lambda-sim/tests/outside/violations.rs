//! Every rule of the Runtime API that a process can break: the status of the reply, the record of the violation, and
//! how the invocation ends.

use lambda_sim::{Function, MAX_PAYLOAD_LEN, Outcome, Violation};
use serde_json::json;

use crate::{act, echo};

/// What the last invocation printed.
fn printed(function: &Function, mark: u64) -> String {
    function.lines_since(mark).unwrap().join("\n")
}

#[tokio::test]
async fn violations_beside_a_valid_answer_are_recorded_and_the_answer_counts() {
    let function = echo().build().unwrap();
    for (what, print, violation) in [
        ("answer twice", "second answer: 403", "answered the invocation <id> again"),
        (
            "answer another",
            "another: 400",
            "answered the invocation 8476a536-e9f4-11e8-9739-2dfe598c3fcd, which it never received",
        ),
        ("next first", "next: 403", "asked for the next invocation without answering <id>"),
        ("init error", "init error: 403", "reported an Init error after Init was over"),
        (
            "wrong path",
            "path: 404",
            "called GET /2018-06-01/runtime/invocation/previous, which the Runtime API doesn't have",
        ),
    ] {
        let mark = function.output_len().unwrap();
        let before = function.violations().len();
        let invocation = function.invoke(json!({ "do": what }).to_string()).await.unwrap();
        assert!(invocation.outcome.response().is_some(), "{what}: {:?}", invocation.outcome);
        // A second answer comes after the first one has ended the invocation. The next invocation starts after both.
        function.invoke("{}").await.unwrap();
        assert_eq!(printed(&function, mark), print);
        let found: Vec<String> = function.violations()[before..].iter().map(ToString::to_string).collect();
        assert_eq!(found, [violation.replace("<id>", &invocation.request_id)]);
    }
    assert_eq!(function.cold_starts(), 1);
}

#[tokio::test]
async fn the_first_of_two_answers_counts() {
    let function = echo().build().unwrap();
    let outcome = act(&function, "answer twice", json!({})).await;
    assert!(outcome.response().is_some_and(|body| body == "1"));
}

#[tokio::test]
async fn a_response_that_is_not_json_fails_the_invocation() {
    let function = echo().build().unwrap();
    for text in ["{", "ok", "{'a':1}", "[1] [2]"] {
        let mark = function.output_len().unwrap();
        let before = function.violations().len();
        let outcome = act(&function, "answer", json!({ "text": text })).await;
        let Outcome::FunctionError { error_type, .. } = outcome else { panic!("{text}: {outcome:?}") };
        assert_eq!(error_type, "Runtime.InvalidResponse");
        function.invoke("{}").await.unwrap();
        assert_eq!(printed(&function, mark), "answer: 400");
        assert!(matches!(function.violations()[before..], [Violation::InvalidJson { .. }]));
    }
    assert_eq!(function.cold_starts(), 1);
}

#[tokio::test]
async fn every_json_text_and_an_empty_one_are_responses() {
    let function = echo().build().unwrap();
    for text in ["", "null", "1", "\"ok\"", " [] ", "{\"a\":{}}"] {
        let outcome = act(&function, "answer", json!({ "text": text })).await;
        assert!(outcome.response().is_some_and(|body| body == text), "{text}: {outcome:?}");
    }
    assert_eq!(function.violations(), []);
}

#[tokio::test]
async fn a_response_over_6_mb_fails_the_invocation() {
    let function = echo().timeout(std::time::Duration::from_secs(5)).build().unwrap();
    let fits = act(&function, "large", json!({"bytes": MAX_PAYLOAD_LEN - 2})).await;
    assert_eq!(fits.response().map(bytes::Bytes::len), Some(MAX_PAYLOAD_LEN));
    assert_eq!(function.violations(), []);

    // The function prints after it has answered, and before it asks for the next invocation.
    function.invoke("{}").await.unwrap();
    let mark = function.output_len().unwrap();
    let outcome = act(&function, "large", json!({"bytes": MAX_PAYLOAD_LEN - 1})).await;
    assert_eq!(outcome.error_type(), Some("Function.ResponseSizeTooLarge"));
    function.invoke("{}").await.unwrap();
    assert_eq!(printed(&function, mark), "large: 413");
    assert!(
        matches!(function.violations()[..], [Violation::ResponseTooLarge { bytes, .. }] if bytes == MAX_PAYLOAD_LEN + 1)
    );
}
