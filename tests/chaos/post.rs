//! Who sends what when: the order that a producer has to keep for the promise to hold without a ledger.
//!
//! Without one the function knows only the events of its own batch, so the queue must bring the events of a device in
//! order; a FIFO queue grouped by token does. But an account can be on many devices, and no queue orders a deletion
//! among the groups of all of them: an older login that comes after the deletion would bind the account again, and a
//! newer one that comes before it would be undone. A producer who wants deletions to be exact as well therefore
//! * sends a deletion only when every older event that names the account has left the queue, and
//! * sends no later event that names the account before the deletion has left it.
//!
//! Only an account that is used on one device alone needs none of this: its deletion goes into that device's group.
//!
//! A duplicate stands next to its original. One that came after newer events of its group would be a login of the past,
//! which only a ledger can tell (a FIFO queue's deduplication keeps it out for five minutes).

use std::collections::{HashMap, HashSet, VecDeque};

use fastrand::Rng;
use lambda_sim::{Queue, SendMessage, Timestamp};
use tpns_sim::model::Account;

use crate::{script::Event, what::What};

/// The events not sent yet, and those on their way.
pub(crate) struct Post {
    unsent: VecDeque<usize>,
    /// How many messages on their way name the account, and how many of them delete it.
    naming: HashMap<Account, (usize, usize)>,
    sent: usize,
}

/// A message on its way is some event's.
pub(crate) struct Posted {
    pub(crate) message_id: String,
    pub(crate) event: usize,
}

impl Post {
    pub(crate) fn new(events: usize) -> Self {
        Self { unsent: (0..events).collect(), naming: HashMap::new(), sent: 0 }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Accounts that are being deleted.
    pub(crate) fn dying(&self) -> HashSet<&Account> {
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
    ) -> Vec<Posted> {
        let mut posted = Vec::new();
        let (mut groups, mut accounts) = (HashSet::new(), HashSet::new());
        let mut waiting = VecDeque::new();
        while let Some(index) = self.unsent.pop_front() {
            let event = &events[index];
            let behind = groups.contains(&event.group) || event.shared.iter().any(|account| accounts.contains(account));
            if posted.len() >= most || behind || !self.is_free(event) {
                // What has to wait makes all wait that must not overtake it.
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
                posted.push(Posted { message_id: sent.message_id, event: index });
            }
        }
        self.unsent = waiting;
        posted
    }

    /// A message has left the queue.
    pub(crate) fn left(&mut self, event: &Event) {
        self.count(event, |count| *count -= 1);
    }

    fn is_free(&self, event: &Event) -> bool {
        let on_their_way = |account| self.naming.get(account).copied().unwrap_or_default();
        event.shared.iter().all(|account| match (on_their_way(account), &event.what) {
            ((naming, _), What::Deletion(_)) => naming == 0,
            ((_, deletions), _) => deletions == 0,
        })
    }

    fn count(&mut self, event: &Event, change: impl Fn(&mut usize)) {
        for account in &event.shared {
            let (naming, deletions) = self.naming.entry(account.clone()).or_default();
            change(naming);
            if matches!(event.what, What::Deletion(_)) {
                change(deletions);
            }
        }
    }
}
