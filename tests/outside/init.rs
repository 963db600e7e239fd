//! How the binary starts, or doesn't.

use std::process::Command;

use lambda_sim::{InitFailure, Outcome};

use crate::stage::{Stage, function, login, numbered};

const BINARY: &str = env!("CARGO_BIN_EXE_tpns-account-sync");

#[test]
fn without_a_lambda_runtime_it_says_what_it_is_and_what_to_do() {
    let output = Command::new(BINARY).env_clear().output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    for needed in ["AWS Lambda function", "Tencent Push Notification Service", "make run"] {
        assert!(told.contains(needed), "{told}");
    }
}

#[tokio::test]
async fn a_bad_setting_stops_init_with_one_line() {
    let stage = Stage::new().await;
    let apps = stage.tpns.apps_document();
    for (settings, told) in [
        (vec![("TPNS_CONCURRENCY", "many")], "TPNS_CONCURRENCY: must be a whole number from 1 to 1000"),
        (vec![("LEDGER_TABLE", "a ledger")], "LEDGER_TABLE: must be the name or the ARN of a DynamoDB table"),
        (
            vec![("TPNS_APPS", r#"{"android":{"access_id":"topsecret"}}"#)],
            "TPNS_APPS: android.access_id is of the wrong type",
        ),
    ] {
        let function = function(&apps, &settings);
        let outcome = function.invoke(numbered(&[login(1, "t1", &["x"])])).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{outcome:?}");
        let printed = String::from_utf8(function.output().unwrap()).unwrap();
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(printed.contains(told) && printed.contains("ERROR") && !printed.contains("topsecret"), "{printed}");
    }
}
