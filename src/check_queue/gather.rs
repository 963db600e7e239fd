//! The checks of all apps of an invocation in one request: SQS charges for each, and apps are merged side by side.

use std::{cell::RefCell, rc::Rc};

use tokio::{sync::OnceCell, task::yield_now, time::Instant};

use super::CheckQueue;
use crate::{
    apps::AppNames,
    event::Device,
    ledger::{AccountKey, Unchecked},
};

/// The queue for one invocation.
#[derive(Debug)]
pub struct Gathering<'a> {
    queue: &'a CheckQueue,
    round: RefCell<Rc<Round>>,
}

/// What is sent together.
#[derive(Debug, Default)]
struct Round {
    keys: RefCell<(Vec<Device>, Vec<AccountKey>)>,
    not_sent: OnceCell<Unchecked>,
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(queue: &'a CheckQueue) -> Self {
        Self { queue, round: RefCell::default() }
    }

    /// Sends checks of these devices and deleted accounts, with those that others ask for at the same moment. Returns
    /// which of its own SQS did not take by `until`.
    pub(crate) async fn send(
        &self,
        apps: &AppNames,
        devices: &[Device],
        accounts: &[AccountKey],
        until: Instant,
    ) -> Unchecked {
        let round = self.round.borrow().clone();
        {
            let mut keys = round.keys.borrow_mut();
            keys.0.extend_from_slice(devices);
            keys.1.extend_from_slice(accounts);
        }
        // All that are polled along with this one add theirs meanwhile.
        yield_now().await;
        let send = async || {
            // What is added from now on is in the next round.
            self.round.replace(Rc::default());
            // If this is cancelled, the next one that waits sends them.
            let (devices, accounts) = round.keys.borrow().clone();
            self.queue.send(apps, &devices, &accounts, until).await
        };
        let not_sent = round.not_sent.get_or_init(send).await;
        Unchecked {
            devices: devices.iter().filter(|device| not_sent.devices.contains(*device)).cloned().collect(),
            deletions: accounts.iter().filter(|key| not_sent.deletions.contains(*key)).cloned().collect(),
        }
    }
}
