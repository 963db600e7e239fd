//! The simulator from outside: a real function process, and only its public API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod async_invoke;
mod aws;
mod event_source;
mod lifecycle;
mod process_end;
mod violations;

use std::{sync::Arc, time::Duration};

use lambda_sim::{Function, FunctionBuilder, Outcome};
use serde_json::{Value, json};

/// The test function, with a timeout that is longer than a busy machine needs.
fn echo() -> FunctionBuilder {
    Function::builder(env!("CARGO_BIN_EXE_lambda-sim-echo")).timeout(Duration::from_secs(20))
}

fn shared(builder: FunctionBuilder) -> Arc<Function> {
    Arc::new(builder.build().unwrap())
}

/// Invokes with `{"do": what}` and the keys of `more`.
async fn act(function: &Function, what: &str, more: Value) -> Outcome {
    let mut payload = more;
    payload["do"] = json!(what);
    function.invoke(payload.to_string()).await.unwrap().outcome
}

/// The JSON of a response; any other outcome fails the test.
fn body(outcome: &Outcome) -> Value {
    let Some(body) = outcome.response() else { panic!("{outcome:?}") };
    serde_json::from_slice(body).unwrap()
}

/// The state letter of a process in `/proc`, `None` when there is none.
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
