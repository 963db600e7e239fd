//! The sample files under `events/`, each as the payload of an invocation.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::stage::Stage;

const ENVELOPES: [&str; 5] = ["sqs-bare", "sqs-eventbridge", "sqs-sns", "eventbridge", "eventbridge-array"];

fn sample(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("events").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn every_sample_of_every_envelope_makes_the_call_of_its_kind() {
    let stage = Stage::new().await;
    for envelope in ENVELOPES {
        let success = if envelope.starts_with("sqs") { json!({"batchItemFailures": []}) } else { Value::Null };
        for (kind, calls) in [
            ("login", vec![("android", 2)]),
            ("logout", vec![("android", 3)]),
            ("logout-all", vec![("ios", 4)]),
            // Without `app`: every app.
            ("deletion", vec![("android", 5), ("ios", 5)]),
        ] {
            stage.tpns.reset();
            let path = format!("{envelope}/{kind}.json");
            assert_eq!(stage.invoke(sample(&path)).await, success, "{path}");
            let mut seen: Vec<_> =
                stage.calls().into_iter().map(|(app, operator_type, _)| (app, operator_type)).collect();
            seen.sort();
            assert_eq!(
                seen,
                calls.iter().map(|(app, operator)| ((*app).to_owned(), *operator)).collect::<Vec<_>>(),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn the_mixed_samples_end_in_version_order() {
    for path in ["sqs-bare/mixed.json", "eventbridge-array/mixed.json"] {
        let stage = Stage::new().await;
        stage.invoke(sample(path)).await;
        assert_eq!(stage.bound("android", "05da87c0ae5973bd2dfa9e08d884aada5bb2"), [""; 0], "{path}");
        assert_eq!(stage.calls().len(), 4, "{path}: deletions in two apps, and one call for each device");
    }
}

#[tokio::test]
async fn a_login_binds_its_accounts() {
    let stage = Stage::new().await;
    stage.invoke(sample("sqs-eventbridge/login.json")).await;
    let bound = stage.bound("android", "05da87c0ae5973bd2dfa9e08d884aada5bb2");
    assert_eq!(bound, ["1527000000/0", "926@126.com/1005"]);
}

#[tokio::test]
async fn the_sample_stream_has_the_documented_result() {
    let stage = Stage::new().await;
    let stream = sample("stream.jsonl");
    let lines: Vec<_> = stream.lines().collect();
    // Delivered in one batch, since SQS bodies may have any of the envelopes.
    let failed = stage.batch(&lines).await;
    assert_eq!(
        failed,
        ["m10", "m11", "m12", "m13", "m14"],
        "no app, unknown app, unknown type, no JSON, in the future"
    );
    assert_eq!(stage.bound("android", "a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58"), ["10004/0"]);
    assert_eq!(stage.bound("android", "b7e2d9184c6f4a03b1d5f8e6a2c7093d4f61"), ["bob@example.com/1005"]);
    assert_eq!(stage.bound("android", "c3d8f15a7e924b60c9a4d2e8f1b7365a0c94"), ["carol@example.com/1005"]);
    assert_eq!(stage.bound("ios", "d94e0b6c2f8a4157d3e9b5c1a7f2860e4b3d"), ["10006/0"]);
}

#[tokio::test]
async fn eventbridge_is_answered_with_an_error_until_all_is_applied() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(tpns_sim::Fault::status(503));
    let mut invoker = lambda_sim::AsyncInvoker::new(stage.function.clone());
    let invocation = invoker.invoke(sample("eventbridge/login.json")).await.unwrap();
    assert!(invocation.succeeded());
    assert_eq!(invocation.attempts.len(), 2, "Lambda retried after the function error");
    let bad = sample("eventbridge/login.json").replace("android", "windows");
    let invocation = invoker.invoke(bad).await.unwrap();
    assert!(!invocation.succeeded());
    assert_eq!(invocation.attempts.len(), 3);
    let record = invoker.on_failure()[0].to_json().to_string();
    assert!(record.contains("EventsNotApplied") && record.contains("unknown_app"), "{record}");
}

#[tokio::test]
async fn an_unknown_invocation_is_a_function_error() {
    let stage = Stage::new().await;
    for payload in ["{}", r#"{"Records":[{"eventSource":"aws:s3"}]}"#, r#"{"type":"user.login"}"#, "5"] {
        let outcome = stage.outcome(payload).await;
        let lambda_sim::Outcome::FunctionError { body, .. } = &outcome else { panic!("{payload}: {outcome:?}") };
        let error: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(error["errorType"], "UnrecognisedInvocation", "{payload}");
    }
    assert_eq!(stage.function.cold_starts(), 1, "the process is still alive");
    assert_eq!(stage.calls(), []);
}
