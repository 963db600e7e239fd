//! The messages that were sent, and what has become of each. A day's outage has twenty million of them.

use crate::Ms;

/// A message, which is one event. Messages are numbered in the order in which their events happened, so the number is
/// also the version that the ledger compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message(pub(crate) u32);

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Login,
    /// A logout or a deletion.
    Unbind,
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// In its queue, visible or in flight.
    Queued,
    /// The same, and its event is in the ledger.
    Merged,
    Applied,
    DeadLettered,
    /// Deleted by SQS at the end of the retention period.
    Expired,
}

/// Twelve bytes, next to each other: a delivery needs all of them.
#[derive(Debug)]
struct Row {
    sent: Ms,
    device: u32,
    deliveries: u16,
    kind: Kind,
    state: State,
}

#[derive(Debug)]
pub(crate) struct Messages(Vec<Row>);

impl Messages {
    pub(crate) fn with_capacity(messages: usize) -> Self {
        Self(Vec::with_capacity(messages))
    }

    pub(crate) fn send(&mut self, now: Ms, device: u32, kind: Kind) -> Message {
        let number = Message(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Row { sent: now, device, deliveries: 0, kind, state: State::Queued });
        number
    }

    /// Counts a delivery.
    pub(crate) fn deliver(&mut self, message: Message) {
        let deliveries = &mut self.0[message.index()].deliveries;
        *deliveries = deliveries.saturating_add(1);
    }

    /// The end of a message in its queue. `false` if it had ended before.
    #[must_use]
    pub(crate) fn end(&mut self, message: Message, state: State) -> bool {
        let was = std::mem::replace(&mut self.0[message.index()].state, state);
        matches!(was, State::Queued | State::Merged)
    }

    /// Notes that the event is in the ledger. `false` if it had been noted before.
    #[must_use]
    pub(crate) fn merge(&mut self, message: Message) -> bool {
        let was = std::mem::replace(&mut self.0[message.index()].state, State::Merged);
        was != State::Merged
    }

    pub(crate) fn sent(&self, message: Message) -> Ms {
        self.0[message.index()].sent
    }

    pub(crate) fn device(&self, message: Message) -> u32 {
        self.0[message.index()].device
    }

    pub(crate) fn deliveries(&self, message: Message) -> u16 {
        self.0[message.index()].deliveries
    }

    pub(crate) fn kind(&self, message: Message) -> Kind {
        self.0[message.index()].kind
    }

    /// Messages that have not ended.
    pub(crate) fn left(&self) -> usize {
        self.0.iter().filter(|row| matches!(row.state, State::Queued | State::Merged)).count()
    }
}

impl Message {
    fn index(self) -> usize {
        self.0 as usize
    }
}
