//! Groups messages into calls, in order: as full as SQS allows, and never two messages of one group in flight at once.

use std::collections::{HashSet, VecDeque};

/// The most messages that SQS accepts in a call.
pub(crate) const MOST_ENTRIES: usize = 10;
/// The most bytes that SQS accepts in a call: 1 MiB.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// The most messages that may wait: enough to find ten of different groups in a queue of few devices.
const MOST_WAITING: usize = 1000;
const MOST_WAITING_BYTES: usize = 16 << 20;

/// What can be sent in a call.
pub(crate) trait Item {
    /// Its size as SQS counts it.
    fn size(&self) -> usize;
    /// Its message group, for a FIFO queue.
    fn group(&self) -> Option<&str>;
}

/// Messages that wait for their call.
#[derive(Debug)]
pub(crate) struct Batcher<T> {
    waiting: VecDeque<T>,
    bytes: usize,
    /// The groups with a message in flight.
    busy: HashSet<String>,
}

impl<T: Item> Batcher<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, busy: HashSet::new() }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.bytes += item.size();
        self.waiting.push_back(item);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether more should be read.
    pub(crate) fn has_capacity(&self) -> bool {
        self.waiting.len() < MOST_WAITING && self.bytes < MOST_WAITING_BYTES
    }

    /// The next call, of at most `most` messages; empty when every waiting group has a message in flight. A call holds
    /// one message of a group only: SQS may refuse the first of two and accept the second.
    pub(crate) fn take(&mut self, most: usize) -> Vec<T> {
        let (mut call, mut bytes, mut index) = (Vec::new(), 0, 0);
        let mut held = HashSet::new();
        while call.len() < most.min(MOST_ENTRIES) {
            let Some(item) = self.waiting.get(index) else { break };
            if let Some(group) = item.group()
                && (self.busy.contains(group) || held.contains(group))
            {
                index += 1;
                continue;
            }
            if !call.is_empty() && bytes + item.size() > MOST_BYTES {
                break;
            }
            let Some(item) = self.waiting.remove(index) else { break };
            bytes += item.size();
            if let Some(group) = item.group() {
                held.insert(group.to_owned());
            }
            call.push(item);
        }
        self.bytes -= bytes;
        self.busy.extend(held);
        call
    }

    /// The call with this message has ended, so the next message of its group may be sent.
    pub(crate) fn finish(&mut self, item: &T) {
        if let Some(group) = item.group() {
            self.busy.remove(group);
        }
    }
}

#[cfg(test)]
mod tests;
