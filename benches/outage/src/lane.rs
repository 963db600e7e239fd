//! A queue and its event source mapping: how many batches it receives and invokes the function with at the same time.

use crate::{
    Ms,
    messages::Message,
    queue::{BATCH, MOST_IN_FLIGHT, Queue},
};

/// A request to SQS by the event source mapping.
pub(crate) const REQUEST: Ms = 10;
/// An event source mapping starts with five concurrent batches and adds 300 a minute.
const FIRST: usize = 5;
const ADDED_A_SECOND: usize = 5;

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) queue: Queue,
    most: usize,
    allowed: usize,
    /// Batches that are being received, and all that are under way, these included.
    receiving: usize,
    busy: usize,
    batches: Vec<Batch>,
    free: Vec<usize>,
}

/// A received batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<Message>,
    pub(crate) received: Ms,
}

impl Lane {
    pub(crate) fn new(queue: Queue, most: usize) -> Self {
        Self { queue, most, allowed: FIRST.min(most), receiving: 0, busy: 0, batches: Vec::new(), free: Vec::new() }
    }

    /// Begins to receive if there may be something to receive that no other receive takes.
    #[must_use]
    pub(crate) fn begins_to_receive(&mut self) -> bool {
        let expected = self.receiving * BATCH;
        let room = MOST_IN_FLIGHT.saturating_sub(self.queue.in_flight());
        let begins = self.busy < self.allowed && expected < self.queue.visible().min(room);
        if begins {
            self.receiving += 1;
            self.busy += 1;
        }
        begins
    }

    /// The end of a receive, with what it returned. The number is the batch's until it is finished.
    pub(crate) fn received(&mut self, messages: Vec<Message>, now: Ms) -> Option<usize> {
        self.receiving -= 1;
        if messages.is_empty() {
            self.busy -= 1;
            return None;
        }
        let batch = Batch { messages, received: now };
        let number = self.free.pop().unwrap_or(self.batches.len());
        match self.batches.get_mut(number) {
            Some(place) => *place = batch,
            None => self.batches.push(batch),
        }
        Some(number)
    }

    pub(crate) fn batch(&self, number: usize) -> &[Message] {
        &self.batches[number].messages
    }

    pub(crate) fn finished(&mut self, number: usize) -> Batch {
        self.free.push(number);
        std::mem::take(&mut self.batches[number])
    }

    /// The mapping is ready for the next batch.
    pub(crate) fn ready(&mut self) {
        self.busy -= 1;
    }

    /// A second has passed.
    pub(crate) fn scale(&mut self) {
        if self.busy == self.allowed {
            self.allowed = (self.allowed + ADDED_A_SECOND).min(self.most);
        }
    }
}
