//! Receiving: which messages are due, in which order, and which have been received once too often.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{Entry, Queue};
use crate::clock::Timestamp;
use crate::ids::Receipt;
use crate::message::Message;

impl Queue {
    /// Hands out up to `max` visible messages and hides them for `visibility_timeout`.
    ///
    /// Stands for as many `ReceiveMessage` calls of ten as it takes. Messages received `maxReceiveCount` times already go to the
    /// dead-letter queue instead. FIFO: in order within a group, as many of one group as possible, and nothing of a group that has
    /// a message in flight (SQS guide, "FIFO queue delivery logic").
    pub fn receive(&mut self, max: usize, visibility_timeout: Duration, now: Timestamp) -> Vec<Message> {
        self.receive_while(max, visibility_timeout, now, |_| true)
    }

    /// Like [`receive`](Self::receive), but stops before the first message that `fits` turns down; that one stays visible.
    pub(crate) fn receive_while(
        &mut self,
        max: usize,
        visibility_timeout: Duration,
        now: Timestamp,
        mut fits: impl FnMut(&Message) -> bool,
    ) -> Vec<Message> {
        let mut batch = Vec::new();
        let mut copies = Vec::new();
        let mut in_batch = HashSet::new();
        for key in self.due(max, now) {
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
            // A copy of a message never shares a batch with it: failing one of two equal ids would be ambiguous.
            if !self.fifo && !in_batch.insert(entry.message.message_id.clone()) {
                continue;
            }
            let delivered = entry.delivered(key, &self.arn, now);
            if !fits(&delivered) {
                break;
            }
            entry.message = delivered.clone();
            entry.visible_at = now.plus(visibility_timeout);
            if self.config.duplicates > 0.0 && self.rng.f64() < self.config.duplicates {
                copies.push(Entry { message: delivered.clone(), visible_at: now });
            }
            batch.push(delivered);
        }
        for copy in copies {
            let key = self.next_serial();
            self.entries.insert(key, copy);
        }
        batch
    }

    /// The visible messages in the order of delivery; at least as many as there are up to `max`.
    fn due(&mut self, max: usize, now: Timestamp) -> Vec<u64> {
        if self.fifo {
            return self.due_by_group(now);
        }
        let visible = self.entries.iter().filter(|(_, entry)| entry.visible_at <= now);
        if self.config.shuffled {
            let mut keys: Vec<u64> = visible.map(|(key, _)| *key).collect();
            self.rng.shuffle(&mut keys);
            return keys;
        }
        // Those on their way to the dead-letter queue and copies take no room in the batch, so enough must be listed beside them.
        let mut room = max;
        let limit = self.dead_letters.as_ref().map_or(u32::MAX, |(count, _)| *count);
        let mut seen = HashSet::new();
        visible
            .take_while(|(_, entry)| {
                let open = room > 0;
                if entry.message.receive_count < limit && seen.insert(entry.message.message_id.as_str()) {
                    room = room.saturating_sub(1);
                }
                open
            })
            .map(|(key, _)| *key)
            .collect()
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
        // Keeps its id. The enqueue time starts anew in FIFO only (SQS guide, "Setting-up dead-letter queue retention").
        if self.fifo {
            message.sent = now;
        }
        message.receive_count = 0;
        let key = dead_letters.next_serial();
        dead_letters.entries.insert(key, Entry { message, visible_at: now });
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
