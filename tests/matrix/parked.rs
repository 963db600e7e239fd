//! The parking queue of a process, and whether it holds what the log says.

use std::collections::BTreeMap;

use lambda_sim::{AwsApi, Message, Queue, RunningAwsApi};

use crate::expect::Ending;

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

    /// Whether there is one message for each parked event and no other, with its reason; then empties the queue.
    pub(crate) fn holds(&self, endings: &BTreeMap<String, Ending>) -> Result<(), String> {
        let messages: Vec<Message> = self.aws.with_queue(NAME, |queue| queue.messages().cloned().collect()).unwrap();
        self.aws.create_queue(Queue::builder(NAME).build().unwrap());
        let mut missing: Vec<_> = endings
            .iter()
            .filter_map(|(id, ending)| match ending {
                Ending::Parked((_, reason)) => Some((id, *reason)),
                _ => None,
            })
            .collect();
        for message in &messages {
            let Some(reason) = message.attributes.get("reason") else {
                return Err("parked without a reason".into());
            };
            // A body inside an SNS notification is escaped.
            let body = message.body.to_string().replace("\\\"", "\"");
            let is_it = |(id, why): &(&String, &str)| body.contains(&format!("\"id\":\"{id}\"")) && why == reason;
            let place =
                missing.iter().position(is_it).ok_or_else(|| format!("parked for {reason}, unasked: {body}"))?;
            missing.swap_remove(place);
        }
        if missing.is_empty() { Ok(()) } else { Err(format!("not in the parking queue: {missing:?}")) }
    }
}
