//! Timeout, exit, kill, drop: how a process ends, and that none is left behind.

use std::{
    os::unix::process::ExitStatusExt,
    time::{Duration, Instant},
};

use lambda_sim::{Outcome, Violation};
use serde_json::json;

use crate::{act, body, echo, shared, state};

#[tokio::test]
async fn a_process_is_killed_at_the_timeout_and_the_next_invocation_has_a_new_one() {
    let function = echo().timeout(Duration::from_secs(3)).build().unwrap();
    function.invoke("{}").await.unwrap();
    let pid = function.pid().unwrap();
    let begun = Instant::now();
    let outcome = act(&function, "sleep", json!({"ms": 60_000})).await;
    let took = begun.elapsed();
    assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
    assert_eq!(outcome.error_type(), Some("Sandbox.Timedout"));
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(60), "{took:?}");
    assert_eq!(state(pid), None, "killed and reaped");

    let next = function.invoke(r#"{"n":1}"#).await.unwrap();
    assert_eq!(body(&next.outcome), json!({"n": 1}));
    assert!(next.init.is_some() && function.pid() != Some(pid));
    assert_eq!(function.violations(), []);
}

#[tokio::test]
async fn an_exit_without_an_answer_is_an_exit_error_and_the_next_invocation_starts_a_new_process() {
    let function = echo().build().unwrap();
    let outcome = act(&function, "exit", json!({})).await;
    let Outcome::Exited { status } = outcome else { panic!("{outcome:?}") };
    assert_eq!((status.code(), outcome.error_type()), (Some(7), Some("Runtime.ExitError")));
    let payload = outcome.error_payload("r1").unwrap();
    assert!(
        String::from_utf8_lossy(&payload).contains("RequestId: r1 Error: Runtime exited with error: exit status: 7")
    );
    assert!(function.invoke("{}").await.unwrap().outcome.response().is_some());
    assert_eq!(function.cold_starts(), 2);
}

#[tokio::test]
async fn an_answer_counts_even_when_the_process_ends_right_after_it() {
    let function = echo().build().unwrap();
    for _ in 0..5 {
        assert_eq!(body(&act(&function, "answer and exit", json!({})).await), json!("last words"));
    }
    for _ in 0..5 {
        // Large enough to be still on its way, in the kernel's buffers, when the process has ended.
        let outcome = act(&function, "answer blindly and exit", json!({"bytes": 2_000_000})).await;
        assert_eq!(outcome.response().map(bytes::Bytes::len), Some(2_000_002), "{outcome:?}");
    }
    assert_eq!((function.cold_starts(), function.violations()), (10, vec![]));
}

#[tokio::test]
async fn a_process_that_answers_and_never_asks_again_is_replaced() {
    let function = echo().timeout(Duration::from_secs(3)).build().unwrap();
    assert_eq!(body(&act(&function, "answer and hang", json!({})).await), json!("hanging"));
    let pid = function.pid().unwrap();
    assert!(function.invoke("{}").await.unwrap().outcome.response().is_some());
    assert_eq!(function.violations(), [Violation::NeverAskedForNext]);
    assert_eq!((function.cold_starts(), state(pid)), (2, None));
}

#[tokio::test]
async fn a_kill_during_an_invocation_shows_as_the_signal() {
    let function = shared(echo().timeout(Duration::from_secs(30)));
    function.invoke("{}").await.unwrap();
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(act(&function, "sleep", json!({"ms": 20_000})), async {
        while function.lines_since(0).unwrap() != ["sleeping"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        function.kill();
    });
    let Outcome::Exited { status } = outcome else { panic!("{outcome:?}") };
    assert_eq!(status.signal(), Some(9));
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(function.invoke("{}").await.unwrap().outcome.response().is_some());
}

#[tokio::test]
async fn a_kill_between_invocations_shows_as_a_cold_start_only() {
    let function = echo().build().unwrap();
    function.invoke("{}").await.unwrap();
    function.kill();
    let next = function.invoke("{}").await.unwrap();
    assert!(next.outcome.response().is_some() && next.init.is_some());
    assert_eq!(function.cold_starts(), 2);
}

#[tokio::test]
async fn no_process_is_left_when_an_invocation_is_given_up() {
    let function = echo().timeout(Duration::from_secs(30)).build().unwrap();
    function.invoke("{}").await.unwrap();
    let pid = function.pid().unwrap();
    let given_up =
        tokio::time::timeout(Duration::from_millis(50), act(&function, "sleep", json!({"ms": 20_000}))).await;
    assert!(given_up.is_err());
    assert_eq!(state(pid), None);
    assert_eq!(body(&function.invoke("[2]").await.unwrap().outcome), json!([2]), "no late answer");
}

#[test]
fn no_process_is_left_when_a_test_panics_or_its_runtime_is_dropped_first() {
    let started = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let function = echo().build().unwrap();
        runtime.block_on(function.invoke("{}")).unwrap();
        let pid = function.pid().unwrap();
        (runtime, function, pid)
    };
    let (runtime, function, pid) = started();
    drop(runtime);
    drop(function);
    assert_eq!(state(pid), None);

    let (runtime, function, pid) = started();
    let panicked = std::thread::spawn(move || {
        let _held = (function, runtime);
        std::panic::resume_unwind(Box::new("a test that fails"));
    });
    assert!(panicked.join().is_err());
    assert_eq!(state(pid), None);
}

#[tokio::test]
async fn invocations_of_one_function_wait_for_each_other() {
    let function = shared(echo());
    function.invoke("{}").await.unwrap();
    let begun = Instant::now();
    let (one, two) = tokio::join!(
        act(&function, "sleep", json!({"ms": 100, "n": 1})),
        act(&function, "sleep", json!({"ms": 100, "n": 2})),
    );
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!((&body(&one)["n"], &body(&two)["n"]), (&json!(1), &json!(2)));
    assert_eq!((function.cold_starts(), function.violations()), (1, vec![]));
}
