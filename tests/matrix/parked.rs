//! The parking queue of a process, compared with the log.

use std::collections::BTreeMap;

use lambda_sim::{AwsApi, Message, Queue, RunningAwsApi, message::AttributeValue};

use crate::expect::EventOutcome;

pub(crate) struct Parking {
    aws: RunningAwsApi,
    url: String,
    endpoint: String,
}

const NAME: &str = "parked";

impl Parking {
    pub(crate) async fn open() -> Self {
        let aws = AwsApi::start().await.unwrap();
        let url = aws.create_queue(Queue::builder(NAME).build().unwrap());
        Self { endpoint: aws.url(), aws, url }
    }

    pub(crate) fn settings(&self) -> [(&str, &str); 2] {
        [("PARKING_QUEUE_URL", &self.url), ("AWS_ENDPOINT_URL", &self.endpoint)]
    }

    /// Checks that there is exactly one message for each parked event, with its reason; then empties the queue.
    pub(crate) fn check_and_empty(&self, outcomes: &BTreeMap<String, EventOutcome>) -> Result<(), String> {
        let messages: Vec<Message> = self.aws.with_queue(NAME, |queue| queue.messages().cloned().collect()).unwrap();
        self.aws.create_queue(Queue::builder(NAME).build().unwrap());
        let mut missing: Vec<_> = outcomes
            .iter()
            .filter_map(|(id, outcome)| match outcome {
                EventOutcome::Parked((_, reason)) => Some((id, *reason)),
                _ => None,
            })
            .collect();
        for message in &messages {
            let reason = match message.attributes.get("reason").map(|attribute| &attribute.value) {
                Some(AttributeValue::Text(reason)) => reason,
                other => return Err(format!("parked with the reason {other:?}")),
            };
            // A body inside an SNS notification is escaped.
            let body = message.body.to_string().replace("\\\"", "\"");
            let matches =
                |(id, expected): &(&String, &str)| body.contains(&format!("\"id\":\"{id}\"")) && expected == reason;
            let index =
                missing.iter().position(matches).ok_or_else(|| format!("parked for {reason}, unexpectedly: {body}"))?;
            missing.swap_remove(index);
        }
        if missing.is_empty() { Ok(()) } else { Err(format!("not in the parking queue: {missing:?}")) }
    }
}
