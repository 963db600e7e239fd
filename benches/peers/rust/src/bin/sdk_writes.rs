//! Like `by_twenty`, but drops an event if a newer one of its device was there before: one conditional write per event
//! by the plain AWS SDK, then the calls.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::BehaviorVersion;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, stream};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use rust_peers::{Event, Tpns, read, send};

/// As many as the function has.
const CONCURRENT_WRITES: usize = 64;
/// Longer than a message can be in the queue and its dead-letter queue.
const SECONDS_KEPT: u64 = 30 * 24 * 60 * 60;

struct Table {
    client: Client,
    name: String,
}

impl Table {
    async fn from_env() -> Result<Self, Error> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Ok(Self { client: Client::new(&config), name: std::env::var("TABLE")? })
    }

    /// Writes when the event occurred, unless the table has a newer one of the device. An event of the same time is
    /// written, because it may be a redelivery of one whose call failed.
    async fn is_newest(&self, event: &Event) -> Result<bool, Error> {
        let key = format!("{}#{}", event.app.as_deref().unwrap_or_default(), event.token);
        let expires = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + SECONDS_KEPT;
        let written = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(key))
            .update_expression("SET #at = :at, #expires = :expires")
            .condition_expression("attribute_not_exists(#at) OR #at < :at OR #at = :at")
            .expression_attribute_names("#at", "occurred_at")
            .expression_attribute_names("#expires", "expires")
            .expression_attribute_values(":at", AttributeValue::N(event.occurred_at.to_string()))
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(refusal) if refusal.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(error.into()),
            },
        }
    }
}

async fn handle(tpns: &Tpns, table: &Table, batch: SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    let messages = read(batch, &mut response);
    let writes = messages.into_iter().map(|message| async {
        let newest = table.is_newest(&message.event).await;
        (message, newest)
    });
    let mut writes = stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
    let mut newest = Vec::new();
    while let Some((message, written)) = writes.next().await {
        match written {
            Ok(true) => newest.push(message),
            Ok(false) => {}
            Err(_) => response.add_failure(message.id),
        }
    }
    send(tpns, newest, &mut response).await;
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (tpns, table) = (&Tpns::from_env()?, &Table::from_env().await?);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| handle(tpns, table, event.payload))).await
}
