//! Twenty items per call, eight concurrent calls. No ledger, no log, no metrics, no retries.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rust_peers::{Tpns, read, send};

async fn handle(tpns: &Tpns, batch: SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    let messages = read(batch, &mut response);
    send(tpns, messages, &mut response).await;
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let tpns = &Tpns::from_env()?;
    run(service_fn(move |event: LambdaEvent<SqsEvent>| handle(tpns, event.payload))).await
}
