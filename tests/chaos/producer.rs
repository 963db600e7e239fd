//! Change is sent when: the order that a producer has to keep so that the promise holds without a ledger.
//!
//! Without one the function knows only the events of its own batch, so the queue must deliver the events of a device in
//! order; a FIFO queue grouped by token does. But an account can be on many devices, and no queue orders a deletion
//! among the groups of all of them: an older login delivered after the deletion would bind the account again, and a
//! newer one delivered before it would be undone. A producer that needs exact deletions as well therefore
//! * sends a deletion only when every older event that names the account has left the queue, and
//! * sends no later event that names the account before the deletion has left it.
//!
//! An account that is used on one device only needs none of this: its deletion goes into that device's group.
//!
//! A duplicate is sent right after its original. After newer events of its group it would be an outdated login, which
//! only a ledger can recognise (a FIFO queue's deduplication drops it for five minutes).

use std::collections::{HashMap, HashSet, VecDeque};

use fastrand::Rng;
use lambda_sim::{Queue, SendMessage, Timestamp};
use tpns_sim::model::Account;

use crate::{contract_event::Change, script::Event};

/// The events not sent yet, and those in the queue.
pub(crate) struct Producer {
    unsent: VecDeque<usize>,
    /// How many messages in the queue name the account, and how many of them delete it.
    naming: HashMap<Account, (usize, usize)>,
    sent: usize,
}

/// A message sent, and its event.
pub(crate) struct Sent {
    pub(crate) message_id: String,
    pub(crate) event: usize,
}

impl Producer {
    pub(crate) fn new(events: usize) -> Self {
        Self { unsent: (0..events).collect(), naming: HashMap::new(), sent: 0 }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Accounts with a deletion in the queue.
    pub(crate) fn being_deleted(&self) -> HashSet<&Account> {
        self.naming.iter().filter(|(_, (_, deletions))| *deletions > 0).map(|(account, _)| account).collect()
    }

    /// Sends up to `most` events that may be sent, some of them twice.
    pub(crate) fn send(
        &mut self,
        most: usize,
        events: &[Event],
        queue: &mut Queue,
        now: Timestamp,
        rng: &mut Rng,
    ) -> Vec<Sent> {
        let mut messages = Vec::new();
        let (mut groups, mut accounts) = (HashSet::new(), HashSet::new());
        let mut waiting = VecDeque::new();
        while let Some(index) = self.unsent.pop_front() {
            let event = &events[index];
            let behind = groups.contains(&event.group) || event.shared.iter().any(|account| accounts.contains(account));
            if messages.len() >= most || behind || !self.is_free(event) {
                // An event that has to wait also holds back those that must not overtake it.
                groups.insert(&event.group);
                accounts.extend(&event.shared);
                waiting.push_back(index);
                continue;
            }
            for _ in 0..if rng.u8(0..8) == 0 { 2 } else { 1 } {
                self.sent += 1;
                let message = SendMessage::new(event.body.as_str()).group(event.group.as_str());
                let sent = queue.send(message.deduplication_id(self.sent.to_string()), now).unwrap();
                self.count(event, |count| *count += 1);
                messages.push(Sent { message_id: sent.message_id, event: index });
            }
        }
        self.unsent = waiting;
        messages
    }

    /// A message has left the queue.
    pub(crate) fn left(&mut self, event: &Event) {
        self.count(event, |count| *count -= 1);
    }

    fn is_free(&self, event: &Event) -> bool {
        let in_queue = |account| self.naming.get(account).copied().unwrap_or_default();
        event.shared.iter().all(|account| match (in_queue(account), &event.change) {
            ((naming, _), Change::Deletion(_)) => naming == 0,
            ((_, deletions), _) => deletions == 0,
        })
    }

    fn count(&mut self, event: &Event, change: impl Fn(&mut usize)) {
        for account in &event.shared {
            let (naming, deletions) = self.naming.entry(account.clone()).or_default();
            change(naming);
            if matches!(event.change, Change::Deletion(_)) {
                change(deletions);
            }
        }
    }
}
