//! Received messages: hidden from other consumers until they are deleted or made visible again.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
        MessageSystemAttributeName as System,
    },
};
use contract::event::Millis;

use super::{SqsFailure, failure};
use crate::invocation::{GivenUp, given_up};

/// How long a received message stays hidden if this program dies.
const HIDDEN_SECONDS: i32 = 120;
/// A long poll asks all of SQS's servers, a short poll only some of them.
const WAIT_SECONDS: i32 = 1;
/// After this number of receives in a row without a new message, there are none.
const EMPTY_RECEIVES: u32 = 2;
const MOST_ENTRIES: usize = 10;

/// A message as received.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    /// Of an invocation that Lambda gave up, the event in it.
    pub(crate) body: String,
    pub(crate) given_up: Option<GivenUp>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) sent_at: Option<Millis>,
    pub(crate) receive_count: Option<u32>,
    pub(crate) group: Option<String>,
    pub(crate) trace: Option<String>,
}

impl Message {
    /// The value of one of its attributes.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }
}

/// The messages received from one queue.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    client: &'a Client,
    queue_url: &'a str,
    option: &'static str,
    /// Message id -> receipt handle, the newest.
    receipts: HashMap<String, String>,
    seen: HashSet<String>,
    empty: u32,
}

impl<'a> Held<'a> {
    pub(crate) fn new(client: &'a Client, queue_url: &'a str, option: &'static str) -> Self {
        Self { client, queue_url, option, receipts: HashMap::new(), seen: HashSet::new(), empty: 0 }
    }

    /// Receives the next messages; `None` when there are no new ones.
    ///
    /// # Errors
    /// [`SqsFailure`].
    pub(crate) async fn receive(&mut self) -> Result<Option<Vec<Message>>, SqsFailure> {
        while self.empty < EMPTY_RECEIVES {
            let asked = self
                .client
                .receive_message()
                .queue_url(self.queue_url)
                .max_number_of_messages(10)
                .visibility_timeout(HIDDEN_SECONDS)
                .wait_time_seconds(WAIT_SECONDS)
                .message_attribute_names("All")
                .message_system_attribute_names(System::All);
            let answer = asked.send().await.map_err(|error| failure(&error, "sqs:ReceiveMessage", self.option))?;
            let new: Vec<_> = answer.messages().iter().filter_map(|message| self.take(message)).collect();
            if !new.is_empty() {
                self.empty = 0;
                return Ok(Some(new));
            }
            self.empty += 1;
        }
        Ok(None)
    }

    fn take(&mut self, message: &aws_sdk_sqs::types::Message) -> Option<Message> {
        let id = message.message_id()?.to_owned();
        // A message received twice in a run was visible again in between: the newer receipt handle is the valid one.
        self.receipts.insert(id.clone(), message.receipt_handle()?.to_owned());
        if !self.seen.insert(id.clone()) {
            return None;
        }
        let system = |name: System| message.attributes().and_then(|all| all.get(&name));
        let body = message.body().unwrap_or_default();
        let (body, given_up) =
            given_up(body).map_or_else(|| (body.to_owned(), None), |(event, given_up)| (event, Some(given_up)));
        Some(Message {
            id,
            body,
            given_up,
            attributes: message.message_attributes().cloned().unwrap_or_default(),
            sent_at: system(System::SentTimestamp).and_then(|at| at.parse().ok()),
            receive_count: system(System::ApproximateReceiveCount).and_then(|count| count.parse().ok()),
            group: system(System::MessageGroupId).cloned(),
            trace: system(System::AwsTraceHeader).cloned(),
        })
    }

    /// Deletes received messages, and returns the ids of those that SQS did not delete.
    ///
    /// # Errors
    /// [`SqsFailure`] of the first call that failed.
    pub(crate) async fn delete(&mut self, ids: &[String]) -> Result<Vec<String>, SqsFailure> {
        let mut left: HashSet<String> = ids.iter().cloned().collect();
        for chunk in ids.chunks(MOST_ENTRIES) {
            let entry = |(index, id): (usize, &String)| {
                let receipt = self.receipts.get(id)?;
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt).build().ok()
            };
            let entries: Vec<_> = chunk.iter().enumerate().filter_map(entry).collect();
            let asked = self.client.delete_message_batch().queue_url(self.queue_url).set_entries(Some(entries));
            let answer = asked.send().await.map_err(|error| failure(&error, "sqs:DeleteMessage", self.option))?;
            for done in answer.successful() {
                if let Some(id) = done.id().parse::<usize>().ok().and_then(|index| chunk.get(index)) {
                    left.remove(id);
                    self.receipts.remove(id);
                }
            }
        }
        Ok(left.into_iter().collect())
    }

    /// Makes all received messages visible again at once. Those for which this fails become visible after the timeout.
    ///
    /// # Errors
    /// [`SqsFailure`] of the first call that failed.
    pub(crate) async fn give_back(self) -> Result<(), SqsFailure> {
        let receipts: Vec<String> = self.receipts.into_values().collect();
        for chunk in receipts.chunks(MOST_ENTRIES) {
            let entry = |(index, receipt): (usize, &String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).visibility_timeout(0).build().ok()
            };
            let entries: Vec<_> = chunk.iter().enumerate().filter_map(entry).collect();
            let asked = self.client.change_message_visibility_batch().queue_url(self.queue_url);
            let answer = asked.set_entries(Some(entries)).send().await;
            answer.map_err(|error| failure(&error, "sqs:ChangeMessageVisibility", self.option))?;
        }
        Ok(())
    }
}
