//! The sim serves AWS's own Rust runtime, so its strictness is that of the protocol and not that of its own test function.

use std::path::PathBuf;

use lambda_sim::{Function, Outcome};
use serde_json::json;

use crate::body;

/// Examples have no path variable in tests, but a place beside the tests: `target/debug/examples`.
pub(crate) fn official() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let binary = tests.parent().unwrap().with_file_name("examples").join("official_runtime");
    assert!(binary.is_file(), "{} is missing: cargo build -p lambda-sim --examples", binary.display());
    binary
}

#[tokio::test]
async fn the_official_rust_runtime_is_served_without_a_violation() {
    let function = Function::builder(official()).freeze(true).build().unwrap();
    for n in 0..3 {
        let invocation = function.invoke(json!(n).to_string()).await.unwrap();
        let answer = body(&invocation.outcome);
        assert_eq!(answer["payload"], n);
        assert_eq!(answer["request_id"], invocation.request_id);
        assert_eq!(answer["arn"], "arn:aws:lambda:us-east-2:123456789012:function:function");
    }
    for (payload, message) in [("\"fail\"", "as asked"), ("\"panic\"", "Lambda panicked: as asked")] {
        let outcome = function.invoke(payload).await.unwrap().outcome;
        let Outcome::FunctionError { message: found, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(found, message);
    }
    assert_eq!((function.cold_starts(), function.violations()), (1, vec![]));
}
