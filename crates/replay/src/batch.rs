//! From messages in their order to calls: as full as SQS allows, and never two of one message group on their way at once.

use std::collections::{HashSet, VecDeque};

/// SQS takes ten messages in a call,
pub(crate) const MOST_ENTRIES: usize = 10;
/// and a MiB.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// So much may wait: enough that a queue of few devices finds ten that are free.
const ROOM_ENTRIES: usize = 1000;
const ROOM_BYTES: usize = 16 << 20;

/// What can stand in a call.
pub(crate) trait Item {
    /// What SQS counts of it.
    fn size(&self) -> usize;
    /// Its message group, in a FIFO queue.
    fn group(&self) -> Option<&str>;
}

/// Messages that wait for their call.
#[derive(Debug)]
pub(crate) struct Batcher<T> {
    waiting: VecDeque<T>,
    bytes: usize,
    /// The groups with a message on its way.
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
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < ROOM_ENTRIES && self.bytes < ROOM_BYTES
    }

    /// The next call, of at most `most` messages; empty when every group that waits is on its way. One message of a
    /// group a call: SQS may refuse the first of two and take the second.
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

    /// The call with this message is over, so the next of its group may go.
    pub(crate) fn is_over(&mut self, item: &T) {
        if let Some(group) = item.group() {
            self.busy.remove(group);
        }
    }
}

#[cfg(test)]
mod tests;
