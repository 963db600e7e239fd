//! Messages in hand: received and so hidden from others, until they are deleted or given back.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
        MessageSystemAttributeName as System,
    },
};
use tpns_account_sync::event::Millis;

use super::{Trouble, trouble};

/// How long a message stays hidden should this program die with it in hand.
const HIDDEN_SECONDS: i32 = 120;
/// A long poll asks all of SQS's servers, a short one some of them.
const WAIT_SECONDS: i32 = 1;
/// So many times in a row nothing new, and there is nothing new.
const EMPTY_RECEIVES: u32 = 2;
const MOST_ENTRIES: usize = 10;

/// A message as received.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) sent_at: Option<Millis>,
    pub(crate) receive_count: Option<u32>,
    pub(crate) group: Option<String>,
    pub(crate) trace: Option<String>,
}

impl Message {
    /// The text of one of its attributes.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }
}

/// The messages of one queue that are in hand.
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

    /// Takes the next messages in hand; `None` when no new ones come any more.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(crate) async fn receive(&mut self) -> Result<Option<Vec<Message>>, Trouble> {
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
            let answer = asked.send().await.map_err(|error| trouble(&error, "sqs:ReceiveMessage", self.option))?;
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
        // The second time within a run its time in hand was over: the newer receipt is the one that counts.
        self.receipts.insert(id.clone(), message.receipt_handle()?.to_owned());
        if !self.seen.insert(id.clone()) {
            return None;
        }
        let system = |name: System| message.attributes().and_then(|all| all.get(&name));
        Some(Message {
            id,
            body: message.body().unwrap_or_default().to_owned(),
            attributes: message.message_attributes().cloned().unwrap_or_default(),
            sent_at: system(System::SentTimestamp).and_then(|at| at.parse().ok()),
            receive_count: system(System::ApproximateReceiveCount).and_then(|count| count.parse().ok()),
            group: system(System::MessageGroupId).cloned(),
            trace: system(System::AwsTraceHeader).cloned(),
        })
    }

    /// Deletes messages that are in hand, and gives the ids of those that SQS did not delete.
    ///
    /// # Errors
    /// [`Trouble`] of the first call that failed.
    pub(crate) async fn delete(&mut self, ids: &[String]) -> Result<Vec<String>, Trouble> {
        let mut left: HashSet<String> = ids.iter().cloned().collect();
        for chunk in ids.chunks(MOST_ENTRIES) {
            let entry = |(index, id): (usize, &String)| {
                let receipt = self.receipts.get(id)?;
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt).build().ok()
            };
            let entries: Vec<_> = chunk.iter().enumerate().filter_map(entry).collect();
            let asked = self.client.delete_message_batch().queue_url(self.queue_url).set_entries(Some(entries));
            let answer = asked.send().await.map_err(|error| trouble(&error, "sqs:DeleteMessage", self.option))?;
            for done in answer.successful() {
                if let Some(id) = done.id().parse::<usize>().ok().and_then(|index| chunk.get(index)) {
                    left.remove(id);
                    self.receipts.remove(id);
                }
            }
        }
        Ok(left.into_iter().collect())
    }

    /// Makes everything that is in hand visible again at once. What can't be told so is visible again after its time.
    ///
    /// # Errors
    /// [`Trouble`] of the first call that failed.
    pub(crate) async fn give_back(self) -> Result<(), Trouble> {
        let receipts: Vec<String> = self.receipts.into_values().collect();
        for chunk in receipts.chunks(MOST_ENTRIES) {
            let entry = |(index, receipt): (usize, &String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).visibility_timeout(0).build().ok()
            };
            let entries: Vec<_> = chunk.iter().enumerate().filter_map(entry).collect();
            let asked = self.client.change_message_visibility_batch().queue_url(self.queue_url);
            let answer = asked.set_entries(Some(entries)).send().await;
            answer.map_err(|error| trouble(&error, "sqs:ChangeMessageVisibility", self.option))?;
        }
        Ok(())
    }
}
