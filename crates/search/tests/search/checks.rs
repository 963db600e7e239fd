//! The queue of checks: messages with a delay that outlasts invocations and calls.
//!
//! There is no clock, so that nothing depends on chosen numbers: what a delay promises is expressed by marks. A check
//! marks the invocations that are active when it is sent or taken, and the calls under way; a marked invocation marks
//! its calls. The check is not delivered while anything has its mark.

use crate::{
    learn::NodeId,
    steps::{Item, Key},
    world::{NO_CHECK, State, WORKERS, Worker},
};

/// The maximum number of checks at a time. More fail the search instead of being omitted from it.
pub(crate) const CHECKS: usize = 8;
/// The most deliveries of a check: five, as in the model that this search is compared with.
const MOST_DELIVERIES: u8 = 5;

/// What the delay of a check, and its visibility timeout, outlast. L is the longest life of an invocation, D the
/// longest time from a call until queries show its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// More than D: the calls under way.
    Calls,
    /// More than L + D: the active invocations and their calls.
    Invocations,
    /// More than 2 (L + D): the same twice, one after the other.
    Twice,
}

impl Wait {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calls => ", delay > D",
            Self::Invocations => ", delay > L + D",
            Self::Twice => "",
        }
    }

    fn first(self) -> Stage {
        if self == Self::Twice { Stage::FirstWait } else { Stage::Wait }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// In the first of two waits.
    FirstWait,
    Wait,
    Held,
}

/// A check in the queue, or with a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Check {
    pub(crate) key: Key,
    pub(crate) stage: Stage,
    deliveries: u8,
}

/// Checks by their place; the bit of the place is their mark.
pub(crate) type Checks = [Option<Check>; CHECKS];

/// One word for a hash.
pub(crate) fn word(checks: &Checks) -> u64 {
    let byte = |check: &Check| {
        let key = match check.key {
            Key::Device(device) => device,
            Key::Account(account) => 8 | account,
            Key::Row(device) => 4 | device,
            Key::Deletion(account) => 12 | account,
        };
        (1 + key + (check.stage as u8) * 16).wrapping_add(check.deliveries.wrapping_mul(49))
    };
    u64::from_le_bytes(checks.map(|check| check.as_ref().map_or(0, byte)))
}

/// A check; the workers that it waits for or that handle it: their nodes, their messages and marks, and whether they
/// handle it; and the calls that it waits for.
type Pattern = (Option<Check>, [Option<(NodeId, u8, bool)>; WORKERS], Vec<Item>);

impl State {
    /// SQS accepts a check.
    pub(crate) fn send_check(&mut self, key: Key, wait: Wait) {
        let slot = self.checks.iter().position(Option::is_none);
        let slot = slot.unwrap_or_else(|| panic!("more than {CHECKS} checks"));
        self.checks[slot] = Some(Check { key, stage: wait.first(), deliveries: 0 });
        self.mark(slot, wait);
    }

    /// A row has changed.
    pub(crate) fn row_changes(&mut self, row: Key, wait: Wait) {
        if let Some(slot) = self.slot_of(row) {
            self.delete_check(slot);
        }
        self.send_check(row, wait);
    }

    /// Whether a row has not changed for as long as a check waits.
    pub(crate) fn is_row_old(&self, row: Key) -> bool {
        self.slot_of(row).is_none()
    }

    fn slot_of(&self, key: Key) -> Option<usize> {
        self.checks.iter().position(|check| check.is_some_and(|check| check.key == key))
    }

    /// A wait begins.
    fn mark(&mut self, slot: usize, wait: Wait) {
        self.calls.mark(1 << slot);
        if wait != Wait::Calls {
            self.workers.iter_mut().flatten().for_each(|worker| worker.marks |= 1 << slot);
        }
    }

    fn is_marked(&self, slot: usize) -> bool {
        let of_workers = self.workers.iter().flatten().fold(0, |marks, worker| marks | worker.marks);
        (of_workers | self.calls.marks()) >> slot & 1 == 1
    }

    /// The checks that can be delivered.
    pub(crate) fn due_checks(&self) -> impl Iterator<Item = usize> {
        let is_check = |slot: usize| self.checks[slot].is_some_and(|check| check.key.is_check());
        let is_due =
            move |&slot: &usize| self.stage(slot) == Some(Stage::Wait) && !self.is_marked(slot) && is_check(slot);
        (0..CHECKS).filter(is_due)
    }

    pub(crate) fn stage(&self, slot: usize) -> Option<Stage> {
        self.checks[slot].map(|check| check.stage)
    }

    /// A check is delivered to a worker, or to a second one. Its visibility timeout is as long as its delay.
    pub(crate) fn take_check(&mut self, worker: usize, slot: usize, node: NodeId, wait: Wait) {
        if self.stage(slot) == Some(Stage::Held) {
            self.left.doubled -= 1;
        } else {
            self.mark(slot, wait);
            let check = self.checks[slot].as_mut().expect("a check");
            check.stage = Stage::Held;
            check.deliveries += 1;
        }
        let marks = if wait == Wait::Calls { 0 } else { 1 << slot };
        let check = u8::try_from(slot).expect("a place");
        self.workers[worker] = Some(Worker { node, holds: 0, repairs: 0, pushed: false, check, marks });
    }

    /// A worker is through with its check, or has died: the check is deleted, or redelivered.
    pub(crate) fn return_check(&mut self, worker: &Worker, is_done: bool, wait: Wait) {
        // Another worker has deleted it.
        if worker.check == NO_CHECK {
            return;
        }
        let slot = usize::from(worker.check);
        let check = self.checks[slot].as_mut().expect("a check");
        if is_done || check.stage == Stage::Held && check.deliveries == MOST_DELIVERIES {
            self.delete_check(slot);
        } else if check.stage == Stage::Held {
            check.stage = wait.first();
        }
    }

    fn delete_check(&mut self, slot: usize) {
        self.checks[slot] = None;
        self.calls.clear(1 << slot);
        for worker in self.workers.iter_mut().flatten() {
            worker.marks &= !(1 << slot);
            if usize::from(worker.check) == slot {
                worker.check = NO_CHECK;
            }
        }
    }

    /// Begins the second wait of each check whose first one is over, and puts checks in a fixed order, since their
    /// places are interchangeable.
    pub(crate) fn advance_checks(&mut self, wait: Wait) {
        if self.checks == [None; CHECKS] {
            return;
        }
        for slot in 0..CHECKS {
            if self.stage(slot) == Some(Stage::FirstWait) && !self.is_marked(slot) {
                self.checks[slot].as_mut().expect("a check").stage = Stage::Wait;
                self.mark(slot, wait);
            }
            let is_row = self.checks[slot].is_some_and(|check| !check.key.is_check());
            if is_row && self.stage(slot) == Some(Stage::Wait) && !self.is_marked(slot) {
                self.delete_check(slot);
            }
        }
        let mut places: Vec<usize> = (0..CHECKS).filter(|&slot| self.checks[slot].is_some()).collect();
        places.sort_by_cached_key(|&slot| self.pattern(slot));
        if places.iter().enumerate().any(|(to, &from)| to != from) {
            let moved = |marks: u8| {
                let places = places.iter().enumerate();
                places.fold(0, |moved, (to, from)| moved | (marks >> from & 1) << to)
            };
            let before = self.checks;
            self.checks = [None; CHECKS];
            places.iter().enumerate().for_each(|(to, &from)| self.checks[to] = before[from]);
            self.calls.change_marks(moved);
            for worker in self.workers.iter_mut().flatten() {
                worker.marks = moved(worker.marks);
                if let Some(to) = places.iter().position(|&from| from == usize::from(worker.check)) {
                    worker.check = u8::try_from(to).expect("a place");
                }
            }
        }
    }

    /// All that distinguishes a check from others.
    fn pattern(&self, slot: usize) -> Pattern {
        let mark = |marks: u8| marks >> slot & 1 == 1;
        let mut workers = self.workers.map(|worker| {
            let worker = worker.filter(|worker| mark(worker.marks) || usize::from(worker.check) == slot)?;
            Some((worker.node, worker.holds | u8::from(mark(worker.marks)) << 7, usize::from(worker.check) == slot))
        });
        workers.sort_unstable();
        (self.checks[slot], workers, self.calls.marked(1 << slot).collect())
    }
}
