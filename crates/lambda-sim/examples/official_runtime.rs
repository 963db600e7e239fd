//! A function on AWS's own Rust runtime, for the test that the sim serves it: echoes, fails on `"fail"`, panics on `"panic"`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload.as_str() {
        Some("fail") => Err("as asked".into()),
        #[expect(clippy::panic, reason = "what the runtime makes of a panic is what is looked at")]
        Some("panic") => panic!("as asked"),
        _ => Ok(json!({
            "payload": event.payload,
            "request_id": event.context.request_id,
            "deadline": event.context.deadline,
            "arn": event.context.invoked_function_arn,
        })),
    }
}
