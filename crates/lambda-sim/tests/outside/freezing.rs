//! Stopped between invocations, as Lambda does.

use std::time::Duration;

use serde_json::json;

use crate::{act, body, echo, state};

#[tokio::test]
async fn a_frozen_process_is_stopped_between_invocations_and_thawed_for_the_next() {
    let function = echo().freeze(true).build().unwrap();
    for n in 0..3 {
        let invocation = function.invoke(json!({ "n": n }).to_string()).await.unwrap();
        assert_eq!(body(&invocation.outcome), json!({ "n": n }));
        // The kernel stops a process at its next turn, hence not always by now.
        let pid = function.pid().unwrap();
        for _ in 0..100 {
            if state(pid) == Some('T') {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(state(pid), Some('T'));
    }
    assert_eq!((function.cold_starts(), function.violations()), (1, vec![]));
}

#[tokio::test]
async fn a_process_is_not_stopped_unless_told() {
    let function = echo().build().unwrap();
    function.invoke("{}").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(state(function.pid().unwrap()), Some('S'));
}

#[tokio::test]
async fn a_frozen_process_can_be_killed_and_none_is_left_after_a_drop() {
    let function = echo().freeze(true).build().unwrap();
    function.invoke("{}").await.unwrap();
    function.kill();
    assert!(function.invoke("{}").await.unwrap().init.is_some());
    let pid = function.pid().unwrap();
    drop(function);
    assert_eq!(state(pid), None);
}

#[tokio::test]
async fn a_process_that_ends_after_its_answer_is_not_waited_for() {
    let function = echo().freeze(true).timeout(Duration::from_millis(400)).build().unwrap();
    assert_eq!(body(&act(&function, "answer and exit", json!({})).await), json!("last words"));
    assert!(function.invoke("{}").await.unwrap().init.is_some());
}
