//! Receiving: which messages are due, in which order, and which have been received too often.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Entry, Queue};
use crate::{clock::Timestamp, ids::Receipt, message::Message};

impl Queue {
    /// Delivers up to `max` visible messages and hides them for `visibility_timeout`.
    ///
    /// Does the work of as many `ReceiveMessage` calls of ten as needed. Messages already received `maxReceiveCount`
    /// times go to the dead-letter queue instead. FIFO: in order within a group, as many of one group as possible, and
    /// nothing of a group with a message in flight (SQS guide, "FIFO queue delivery logic").
    pub fn receive(&mut self, max: usize, visibility_timeout: Duration, now: Timestamp) -> Vec<Message> {
        self.receive_while(max, visibility_timeout, now, |_| true)
    }

    /// Like [`receive`](Self::receive), but stops before the first message that `fits` refuses; that one stays visible.
    pub(crate) fn receive_while(
        &mut self,
        max: usize,
        visibility_timeout: Duration,
        now: Timestamp,
        mut fits: impl FnMut(&Message) -> bool,
    ) -> Vec<Message> {
        let mut batch = Vec::new();
        for key in self.due(now) {
            if batch.len() == max {
                break;
            }
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            if let Some((max_receive_count, _)) = &self.dead_letters
                && entry.message.receive_count >= *max_receive_count
            {
                self.give_up(key, now);
                continue;
            }
            let delivered = entry.delivered(key, &self.arn, now);
            if !fits(&delivered) {
                break;
            }
            entry.message = delivered.clone();
            (entry.received_at, entry.visible_at) = (now, now.plus(visibility_timeout));
            batch.push(delivered);
        }
        batch
    }

    /// The visible messages in the order of delivery.
    fn due(&mut self, now: Timestamp) -> Vec<u64> {
        if self.fifo {
            return self.due_by_group(now);
        }
        let visible = self.entries.iter().filter(|(_, entry)| entry.visible_at <= now);
        let mut keys: Vec<u64> = visible.map(|(key, _)| *key).collect();
        if self.config.shuffled {
            self.rng.shuffle(&mut keys);
        }
        keys
    }

    fn due_by_group(&self, now: Timestamp) -> Vec<u64> {
        let mut groups: Vec<Vec<u64>> = Vec::new();
        let mut index: HashMap<&str, usize> = HashMap::new();
        let mut blocked: HashSet<usize> = HashSet::new();
        for (key, entry) in &self.entries {
            let group = entry.message.group_id.as_deref().unwrap_or_default();
            let at = *index.entry(group).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if entry.in_flight(now) {
                blocked.insert(at);
            } else if entry.visible_at <= now {
                groups[at].push(*key);
            }
        }
        let open = groups.into_iter().enumerate().filter(|(at, _)| !blocked.contains(at));
        open.flat_map(|(_, keys)| keys).collect()
    }

    fn give_up(&mut self, key: u64, now: Timestamp) {
        let Some((_, dead_letters)) = &mut self.dead_letters else { return };
        let Some(Entry { mut message, .. }) = self.entries.remove(&key) else { return };
        message.dead_letter_source_arn = Some(self.arn.clone());
        // Keeps its id. Only FIFO resets the enqueue time (SQS guide, "Setting-up dead-letter queue retention").
        if self.fifo {
            message.sent = now;
        }
        message.receive_count = 0;
        let key = dead_letters.next_serial();
        dead_letters.entries.insert(key, Entry { message, received_at: now, visible_at: now });
    }
}

impl Entry {
    fn delivered(&self, key: u64, arn: &str, now: Timestamp) -> Message {
        let mut message = self.message.clone();
        if message.receive_count == 0 {
            message.first_received = now;
        }
        message.receive_count = message.receive_count.saturating_add(1);
        message.receipt_handle = Receipt { entry: key, delivery: message.receive_count }.handle(arn);
        message
    }
}
