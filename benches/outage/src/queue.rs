//! An SQS standard queue: visible and invisible messages, the redrive policy, retention, and the quota of messages in
//! flight.

use std::collections::VecDeque;

use fastrand::Rng;

use crate::{
    Ms,
    messages::{Message, Messages},
    wheel::Wheel,
};

/// Messages of a standard queue that may be in flight at the same time, by default quota. At the quota a long poll
/// returns nothing.
pub(crate) const MOST_IN_FLIGHT: usize = 120_000;
/// Messages that a receive, a delete or a change takes.
pub(crate) const BATCH: usize = 10;

/// In which order a queue delivers its visible messages. SQS promises none; what it does is between these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they became visible.
    Visible,
    /// Any.
    Random,
}

/// A queue's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The redrive policy's `maxReceiveCount`.
    pub(crate) deliveries: u16,
    /// The message retention period.
    pub(crate) retention: Ms,
    pub(crate) order: Order,
}

#[derive(Debug)]
pub(crate) struct Queue {
    rules: Rules,
    visible: VecDeque<Message>,
    invisible: Wheel,
    /// In an invocation.
    held: usize,
    most_in_flight: usize,
}

/// What a receive has returned and removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) batch: Vec<Message>,
    pub(crate) dead_lettered: Vec<Message>,
    pub(crate) expired: Vec<Message>,
}

impl Queue {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, visible: VecDeque::new(), invisible: Wheel::new(), held: 0, most_in_flight: 0 }
    }

    pub(crate) fn send(&mut self, message: Message) {
        self.visible.push_back(message);
    }

    /// Up to ten messages, as far as the quota allows. Each is in flight until it is deleted or visible again.
    pub(crate) fn receive(&mut self, now: Ms, messages: &mut Messages, rng: &mut Rng) -> Received {
        let mut received = Received::default();
        while received.batch.len() < BATCH && self.in_flight() < MOST_IN_FLIGHT {
            let Some(message) = self.take(rng) else { break };
            if now - messages.sent(message) >= self.rules.retention {
                received.expired.push(message);
            } else if messages.deliveries(message) >= self.rules.deliveries {
                received.dead_lettered.push(message);
            } else {
                messages.deliver(message);
                self.held += 1;
                received.batch.push(message);
            }
        }
        self.most_in_flight = self.most_in_flight.max(self.in_flight());
        received
    }

    fn take(&mut self, rng: &mut Rng) -> Option<Message> {
        if self.rules.order == Order::Random && !self.visible.is_empty() {
            self.visible.swap(0, rng.usize(..self.visible.len()));
        }
        self.visible.pop_front()
    }

    /// Deletes a received message.
    pub(crate) fn delete(&mut self) {
        self.held -= 1;
    }

    /// A received message stays invisible until then.
    pub(crate) fn keep_back(&mut self, message: Message, until: Ms) {
        self.held -= 1;
        self.invisible.push(until, message);
    }

    /// When the next message becomes visible.
    pub(crate) fn next_visible(&self) -> Option<Ms> {
        self.invisible.next()
    }

    /// Makes messages visible whose time has come.
    pub(crate) fn release(&mut self, now: Ms) {
        self.invisible.release(now, &mut self.visible);
    }

    pub(crate) fn visible(&self) -> usize {
        self.visible.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.held + self.invisible.len()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.most_in_flight
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.visible.is_empty() && self.in_flight() == 0
    }
}

#[cfg(test)]
mod tests;
