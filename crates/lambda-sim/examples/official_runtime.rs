//! A function on AWS's own Rust runtime and SDK, for the test that the sim serves them: echoes, fails on `"fail"`, panics on `"panic"`,
//! sends on `{"send": text, "queue": url}`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    if let (Some(text), Some(queue)) = (event.payload["send"].as_str(), event.payload["queue"].as_str()) {
        // Everything from the environment, as in Lambda.
        let client = aws_sdk_sqs::Client::new(&aws_config::load_from_env().await);
        let sent = client.send_message().queue_url(queue).message_body(text).send().await?;
        return Ok(json!(sent.message_id()));
    }
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
