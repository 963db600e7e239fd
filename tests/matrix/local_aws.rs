//! The local AWS of a process: its parking queue and the delays that its SQS was asked for, compared with the log.

use std::collections::BTreeMap;

use lambda_sim::{ApiRequest, AwsApi, Message, Queue, RunningAwsApi};

use crate::expect::EventOutcome;

pub(crate) struct LocalAws {
    aws: RunningAwsApi,
    parking_queue: String,
    endpoint: String,
    pub(crate) parks: bool,
}

const NAME: &str = "parked";

impl LocalAws {
    /// The queues that messages come from do not know them, so that SQS refuses each delay.
    pub(crate) async fn open(parks: bool) -> Self {
        let aws = AwsApi::start().await.unwrap();
        let parking_queue = aws.create_queue(Queue::builder(NAME).build().unwrap());
        for name in ["auth-events", "auth-events.fifo"] {
            aws.create_queue(Queue::builder(name).build().unwrap());
        }
        Self { endpoint: aws.url(), aws, parking_queue, parks }
    }

    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let parking_queue = if self.parks { self.parking_queue.as_str() } else { "" };
        vec![("PARKING_QUEUE_URL", parking_queue), ("AWS_ENDPOINT_URL", &self.endpoint), ("RETRY_MAX_DELAY", "10m")]
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<ApiRequest> {
        self.aws.requests()
    }

    /// With parking: checks that there is exactly one message for each parked event, with its reason; then empties the queue.
    pub(crate) fn check_and_empty(&self, outcomes: &BTreeMap<String, EventOutcome>) -> Result<(), String> {
        if !self.parks {
            return Ok(());
        }
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
            let Some(reason) = message.attributes.get("reason") else {
                return Err("parked without a reason".into());
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
