//! Init, invocation, deadline, environment, output, numbers.

use std::time::{Duration, Instant};

use lambda_sim::{Function, InitFailure, InvokeError, MAX_PAYLOAD_LEN, Outcome, function::FunctionConfigError};
use serde_json::json;

use crate::{act, body, echo};

#[tokio::test]
async fn a_process_starts_with_the_first_invocation_and_stays_for_the_next() {
    let function = echo().build().unwrap();
    assert_eq!((function.pid(), function.cold_starts()), (None, 0));
    let first = function.invoke(r#"{"n":1}"#).await.unwrap();
    let pid = function.pid().unwrap();
    let second = function.invoke(r#"{"n":2}"#).await.unwrap();
    assert!(first.init.unwrap() > Duration::ZERO && second.init.is_none());
    assert_eq!(body(&first.outcome), json!({"n": 1}));
    assert_eq!(body(&second.outcome), json!({"n": 2}));
    assert_eq!((function.pid(), function.cold_starts()), (Some(pid), 1));
    assert_ne!(first.request_id, second.request_id);
    assert_eq!(function.violations(), []);
}

#[tokio::test]
async fn init_is_timed_apart_from_the_invocation() {
    let function = echo().env("ECHO_INIT", "slow").build().unwrap();
    let first = function.invoke("{}").await.unwrap();
    let init = first.init.unwrap();
    assert!(init >= Duration::from_secs(2) && first.duration < init, "{init:?}, {:?}", first.duration);
}

#[tokio::test]
async fn the_deadline_is_the_functions_timeout_from_now() {
    let function = echo().timeout(Duration::from_secs(7)).build().unwrap();
    for _ in 0..2 {
        let description = body(&act(&function, "describe", json!({})).await);
        let deadline = description["headers"]["lambda-runtime-deadline-ms"].as_str().unwrap();
        let left = deadline.parse::<u64>().unwrap() - description["now"].as_u64().unwrap();
        assert!((1..=7_000).contains(&left), "{left} ms left");
    }
}

#[tokio::test]
async fn a_process_has_lambdas_environment_and_its_own_and_nothing_else() {
    let function = echo().env("APPS", "a=b").env("AWS_SESSION_TOKEN", "another").build().unwrap();
    let description = body(&act(&function, "describe", json!({})).await);
    let env = description["env"].as_object().unwrap();
    for (name, value) in [
        ("APPS", "a=b"),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "us-east-2"),
        ("AWS_SESSION_TOKEN", "another"),
        ("_HANDLER", "bootstrap"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(env[name], value, "{name}");
    }
    assert_eq!(env["LAMBDA_TASK_ROOT"], description["cwd"]);
    assert!(env.contains_key("AWS_LAMBDA_LOG_STREAM_NAME") && env.contains_key("PATH"));
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !env.contains_key("CARGO_MANIFEST_DIR"));
    assert_eq!(env.len(), 19, "{:?}", env.keys());
    let headers = &description["headers"];
    let arn = "arn:aws:lambda:us-east-2:123456789012:function:function";
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], arn);
    assert!(headers["lambda-runtime-trace-id"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn a_failed_init_reports_how_it_failed() {
    let function = |how: &str| echo().env("ECHO_INIT", how);

    let reporting = function("error").build().unwrap();
    let outcome = reporting.invoke("{}").await.unwrap().outcome;
    let Outcome::InitFailed(InitFailure::Reported(report)) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((report.error_type.as_str(), report.message.as_str()), ("Config", "no apps"));
    assert_eq!(outcome.error_type(), Some("Config"));

    let exiting = function("exit").build().unwrap();
    let outcome = exiting.invoke("{}").await.unwrap().outcome;
    let Outcome::InitFailed(InitFailure::Exited { status }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(status.code(), Some(3));
    exiting.invoke("{}").await.unwrap();
    assert_eq!(exiting.cold_starts(), 2, "each invocation starts a new process");

    let hanging = function("hang").init_timeout(Duration::from_millis(300)).build().unwrap();
    let begun = Instant::now();
    let outcome = hanging.invoke("{}").await.unwrap().outcome;
    assert!(matches!(outcome, Outcome::InitFailed(InitFailure::TimedOut { .. })), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(hanging.pid(), None);
}

#[tokio::test]
async fn a_reported_error_is_a_function_error_with_or_without_the_header() {
    let function = echo().build().unwrap();
    for (request, expected) in [(json!({"type": "FromHeader"}), "FromHeader"), (json!({}), "FromBody")] {
        let outcome = act(&function, "error", request).await;
        let Outcome::FunctionError { error_type, message, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((error_type.as_str(), message.as_str()), (expected, "as asked"));
    }
    assert_eq!((function.cold_starts(), function.violations()), (1, vec![]));
}

#[tokio::test]
async fn everything_printed_is_kept_in_order_over_all_processes() {
    let function = echo().build().unwrap();
    act(&function, "print", json!({"text": "one"})).await;
    let mark = function.output_len().unwrap();
    assert_eq!(function.lines_since(0).unwrap(), [r#"to stdout: "one""#, r#"to stderr: "one""#]);
    act(&function, "exit", json!({})).await;
    act(&function, "print", json!({"text": "two"})).await;
    assert_eq!(function.cold_starts(), 2);
    assert_eq!(function.lines_since(mark).unwrap(), [r#"to stdout: "two""#, r#"to stderr: "two""#]);
    let all = String::from_utf8(function.output().unwrap()).unwrap();
    assert!(all.find("one").unwrap() < all.find("two").unwrap());
}

#[tokio::test]
async fn a_payload_of_6_mb_is_delivered_and_a_larger_one_is_refused() {
    let function = echo().timeout(Duration::from_secs(5)).build().unwrap();
    let largest = format!("\"{}\"", "x".repeat(MAX_PAYLOAD_LEN - 2));
    let outcome = function.invoke(largest.clone()).await.unwrap().outcome;
    assert!(outcome.response().is_some_and(|body| body == largest.as_bytes()));
    let refused = function.invoke(format!("{largest} ")).await;
    assert!(matches!(refused, Err(InvokeError::PayloadTooLarge(len)) if len == MAX_PAYLOAD_LEN + 1));
}

#[tokio::test]
async fn memory_is_that_of_the_process() {
    let function = echo().build().unwrap();
    assert_eq!(function.peak_rss_bytes(), None);
    function.invoke("{}").await.unwrap();
    let before = function.peak_rss_bytes().unwrap();
    act(&function, "fill", json!({"bytes": 32 << 20})).await;
    assert!(function.peak_rss_bytes().unwrap() >= before + (30 << 20));
}

#[tokio::test]
async fn a_configuration_that_lambda_refuses_is_refused() {
    let refused = |builder: lambda_sim::FunctionBuilder| builder.build().unwrap_err();
    assert!(matches!(refused(Function::builder("/nowhere/bootstrap")), FunctionConfigError::NoBinary(_)));
    assert!(matches!(refused(echo().env("AWS_REGION", "x")), FunctionConfigError::ReservedVariable(_)));
    assert!(matches!(refused(echo().env("_APPS", "x")), FunctionConfigError::InvalidVariable(_)));
    assert!(matches!(refused(echo().env("A", "x".repeat(4096))), FunctionConfigError::EnvironmentTooLarge(4097)));
    assert!(matches!(refused(echo().timeout(Duration::ZERO)), FunctionConfigError::Timeout));
}
