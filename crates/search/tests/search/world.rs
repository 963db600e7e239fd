//! The world around the invocations: the queue's messages, the rows, what TPNS has; and what each step does to it.

use std::hash::{Hash, Hasher};

use crate::{
    calls::Calls,
    checks::{CHECKS, Checks, word},
    events::{ACCOUNTS, Book, Bound, By, DEVICES, FROM_BEFORE, NOT_BOUND, Tpns},
    learn::NodeId,
    sets::{MESSAGES, Scenario},
    steps::{Answer, Item, Key, NO_ROW, Op, RowId, Values},
};

/// The maximum number of workers; [`Rules`](crate::moves::Rules) sets the actual one.
pub(crate) const WORKERS: usize = 3;

/// What may go wrong, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Luck {
    /// A worker dies between two steps.
    pub(crate) crashes: u8,
    /// An item, a read or a write fails: not done, or done and the answer lost.
    pub(crate) failures: u8,
    /// A message is redelivered after it was acknowledged.
    pub(crate) late: u8,
    /// A message is delivered to a second worker while the first one handles it.
    pub(crate) twice: u8,
    /// TPNS never applies a call that it has accepted.
    pub(crate) lost: u8,
    /// A check is not accepted by its queue.
    pub(crate) unsent: u8,
    /// A check is delivered to a second worker while the first one handles it.
    pub(crate) doubled: u8,
    /// A message is dead-lettered that was merged in one of its deliveries, and whose check was sent.
    pub(crate) dead: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) waiting: bool,
    pub(crate) acknowledged: bool,
    /// A copy ended between its push and its verification; the next copy has to repair that.
    unsettled: bool,
    /// No copy was left to repair it, since the message was deleted by another one: the open case.
    pub(crate) abandoned: bool,
}

impl Mail {
    fn bits(self) -> u8 {
        let Self { waiting, acknowledged, unsettled, abandoned } = self;
        u8::from(waiting) | u8::from(acknowledged) << 1 | u8::from(unsettled) << 2 | u8::from(abandoned) << 3
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worker {
    pub(crate) node: NodeId,
    /// Messages, as bits.
    pub(crate) holds: u8,
    /// Those of them for which it has to repair what an earlier copy pushed.
    pub(crate) repairs: u8,
    /// Whether TPNS has applied something for it. Only kept if messages are delivered twice, since nothing else uses
    /// it.
    pub(crate) pushed: bool,
    /// The place of the check that it handles.
    pub(crate) check: u8,
    /// The checks that wait for it, as bits.
    pub(crate) marks: u8,
}

/// The check of a worker that handles events, or whose check another one has deleted.
pub(crate) const NO_CHECK: u8 = 255;

/// The complete state at a moment, and as much of the history as is needed to check the end state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) devices: [RowId; DEVICES],
    pub(crate) deletions: [RowId; ACCOUNTS],
    pub(crate) bound: Bound,
    /// The login whose binding an operator_type 5 removed, if nothing has bound the account since.
    pub(crate) wiped: Bound,
    pub(crate) mail: [Mail; MESSAGES],
    pub(crate) workers: [Option<Worker>; WORKERS],
    /// What TPNS has received and not applied.
    pub(crate) calls: Calls,
    pub(crate) checks: Checks,
    pub(crate) left: Luck,
}

/// With few words and without a loop: states are hashed millions of times, in tests without optimisation.
impl Hash for State {
    fn hash<H: Hasher>(&self, into: &mut H) {
        let ([d, e], [f, g, h]) = (self.devices, self.deletions);
        into.write_u64(u64::from(d) << 48 | u64::from(e) << 32 | u64::from(f) << 16 | u64::from(g));
        let [mail, mail2, mail3] = [self.mail[0].bits(), self.mail[1].bits(), self.mail[2].bits()];
        let ([[a, b, c], [d, e, f]], Luck { crashes, failures, .. }) = (self.bound, self.left);
        into.write_u64(u64::from_le_bytes([a, b, c, d, e, f, mail | mail2 << 4, mail3 | crashes << 4 | failures << 6]));
        let ([[a, b, c], [d, e, f]], Luck { late, twice, lost, .. }) = (self.wiped, self.left);
        into.write_u64(u64::from_le_bytes([a, b, c, d, e, f, late | twice << 4, lost]) ^ u64::from(h) << 56);
        self.calls.words().for_each(|word| into.write_u64(word));
        let Luck { unsent, doubled, dead, .. } = self.left;
        let (checks, more) = (word(&self.checks), u64::from_le_bytes([unsent, doubled, dead, 0, 0, 0, 0, 0]));
        if checks | more != 0 {
            into.write_u64(checks ^ more << 40);
        }
        for worker in &self.workers {
            let Some(Worker { node, holds, repairs, pushed, check, marks }) = *worker else { continue };
            into.write_u64(
                u64::from(node) << 32
                    | u64::from(u32::from_le_bytes([holds, repairs, u8::from(pushed) | check << 1, marks])),
            );
        }
    }
}

/// Messages of a set, by their index.
pub(crate) fn each(set: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |bit| set >> bit & 1 == 1)
}

fn bits(set: impl Iterator<Item = usize>) -> u8 {
    set.fold(0, |bits, each| bits | 1 << each)
}

impl State {
    pub(crate) fn start(scenario: &Scenario, luck: Luck) -> Self {
        let mut mail = [Mail { acknowledged: true, ..Mail::default() }; MESSAGES];
        mail[..scenario.messages.len()].fill(Mail { waiting: true, ..Mail::default() });
        Self {
            devices: [NO_ROW; DEVICES],
            deletions: [NO_ROW; ACCOUNTS],
            bound: scenario.before,
            wiped: Bound::default(),
            mail,
            workers: [None; WORKERS],
            calls: Calls::default(),
            checks: [None; CHECKS],
            left: luck,
        }
    }

    /// The queues are empty, no worker is active, and TPNS has applied what it received.
    pub(crate) fn is_end(&self) -> bool {
        let nothing_under_way = self.calls.is_empty() && self.checks == [None; CHECKS];
        nothing_under_way && self.workers == [None; WORKERS] && self.mail.iter().all(|mail| mail.acknowledged)
    }

    /// The same without the logins by which accounts are or may be bound, and without what happened to messages.
    pub(crate) fn without_logins(mut self, values: &Values) -> Self {
        self.devices = self.devices.map(|row| values.ordered_as(row));
        self.bound = self.bound.map(|device| device.map(|by| u8::from(by != NOT_BOUND)));
        self.wiped = Bound::default();
        self.mail = [Mail::default(); MESSAGES];
        self
    }

    /// The same with the workers in a fixed order, since they are interchangeable.
    pub(crate) fn sorted(mut self) -> Self {
        self.workers.sort_unstable();
        self
    }

    /// Messages that a worker is handling.
    pub(crate) fn held(&self) -> u8 {
        self.workers.iter().flatten().fold(0, |held, worker| held | worker.holds)
    }

    /// Deletes a message, including a copy that waits for redelivery.
    pub(crate) fn acknowledge(&mut self, message: usize) {
        let mail = &mut self.mail[message];
        mail.abandoned |= mail.unsettled;
        *mail = Mail { waiting: false, acknowledged: true, unsettled: false, ..*mail };
    }

    /// What is bound of these accounts counts as bound by this login.
    pub(crate) fn adopt(&mut self, login: &Bound) {
        for (bound, by) in self.bound.iter_mut().flatten().zip(login.iter().flatten()) {
            if *bound != NOT_BOUND && *by != NOT_BOUND {
                *bound = *by;
            }
        }
    }

    /// A copy of a message ended without success: it is redelivered, unless it was deleted by another one.
    pub(crate) fn redeliver(&mut self, message: usize, worker: &Worker) {
        let unsettled = worker.pushed || worker.repairs >> message & 1 == 1;
        let mail = &mut self.mail[message];
        if mail.acknowledged {
            mail.abandoned |= unsettled;
        } else {
            mail.waiting = true;
            mail.unsettled |= unsettled;
        }
    }

    /// A copy of a message is delivered to a worker. Returns whether it has to repair what an earlier copy pushed.
    pub(crate) fn take(&mut self, message: usize) -> bool {
        let mail = &mut self.mail[message];
        if mail.acknowledged {
            self.left.late -= 1;
        } else if !mail.waiting {
            self.left.twice -= 1;
        }
        mail.acknowledged = false;
        mail.waiting = false;
        std::mem::take(&mut mail.unsettled)
    }

    /// Does one atomic step.
    pub(crate) fn perform(&mut self, op: Op, values: &mut Values, book: &Book) -> Answer {
        match op {
            Op::RaiseDevice(device, change) => {
                let row = &mut self.devices[usize::from(device)];
                *row = values.merged(*row, change);
                Answer::Device(*row)
            }
            Op::RaiseDeletion(account, deletion) => {
                let row = &mut self.deletions[usize::from(account)];
                *row = values.deleted(*row, deletion, book);
                Answer::Deletion(*row)
            }
            Op::Accept(account, deletion) => {
                let row = &mut self.deletions[usize::from(account)];
                *row = values.accepted(*row, deletion, book);
                Answer::Done
            }
            Op::Confirm(device, from, to) => {
                let is_old = self.is_row_old(Key::Row(device));
                let row = &mut self.devices[usize::from(device)];
                if *row == from && is_old {
                    *row = to;
                }
                Answer::Done
            }
            Op::ReadDevice(device) => Answer::Device(self.devices[usize::from(device)]),
            Op::ReadDeletion(account) => Answer::Deletion(self.deletions[usize::from(account)]),
            Op::Query(Key::Device(device)) => {
                let accounts = &self.bound[usize::from(device)];
                Answer::Bound(bits((0..ACCOUNTS).filter(|&account| accounts[account] != NOT_BOUND)))
            }
            Op::Query(Key::Account(account)) => {
                let has = |&device: &usize| self.bound[device][usize::from(account)] != NOT_BOUND;
                Answer::Bound(bits((0..DEVICES).filter(has)))
            }
            Op::Query(Key::Row(_) | Key::Deletion(_)) => unreachable!("no check"),
            Op::Item(_) => unreachable!("TPNS receives items"),
            Op::Send(_) => unreachable!("a queue receives checks"),
        }
    }

    /// What TPNS does when it applies an item.
    pub(crate) fn apply(&mut self, item: Item, tpns: Tpns) {
        match item {
            Item::Bind { device, accounts, by } => {
                let overridden = |account: usize| {
                    let of_its_type = |named| tpns.account_type(named) == tpns.account_type(account);
                    tpns == Tpns::Replaces || each(accounts).any(of_its_type)
                };
                let device = usize::from(device);
                for account in (0..ACCOUNTS).filter(|&account| overridden(account)) {
                    self.bound[device][account] = NOT_BOUND;
                }
                for account in each(accounts) {
                    self.bound[device][account] = by;
                    self.wiped[device][account] = NOT_BOUND;
                }
            }
            Item::Unbind { device, accounts } => {
                each(accounts).for_each(|account| self.bound[usize::from(device)][account] = NOT_BOUND);
            }
            Item::UnbindAll { device } => self.bound[usize::from(device)] = [NOT_BOUND; ACCOUNTS],
            Item::UnbindEverywhere { account } => {
                for device in 0..DEVICES {
                    self.wipe(device, usize::from(account));
                }
            }
        }
    }

    fn wipe(&mut self, device: usize, account: usize) {
        let by: By = std::mem::replace(&mut self.bound[device][account], NOT_BOUND);
        if by != NOT_BOUND && by != FROM_BEFORE {
            self.wiped[device][account] = by;
        }
    }
}
