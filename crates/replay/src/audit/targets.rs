//! The devices that are still to be looked at, twenty of an app in a call. Pure.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use contract::event::Device;
use tpns_account_sync::tpns::ITEMS_PER_CALL;

use super::parts::PartNumber;

/// A device to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) device: Device,
    pub(crate) part: PartNumber,
    /// Whether it differed at a first look.
    pub(crate) again: bool,
}

/// The devices that are still to be looked at.
#[derive(Debug)]
pub(crate) struct Targets {
    waiting: Vec<Target>,
    /// Those that are to be looked at again, and from when on.
    later: VecDeque<(Instant, Target)>,
    settle: Duration,
}

impl Targets {
    /// None yet; what differs is looked at again after `settle`.
    pub(crate) fn new(settle: Duration) -> Self {
        Self { waiting: Vec::new(), later: VecDeque::new(), settle }
    }

    pub(crate) fn extend(&mut self, targets: impl IntoIterator<Item = Target>) {
        self.waiting.extend(targets);
    }

    /// This one differs: it is looked at again.
    pub(crate) fn look_again(&mut self, target: Target, now: Instant) {
        self.later.push_back((now + self.settle, Target { again: true, ..target }));
    }

    /// When all of them may be looked at again, in as few calls as possible.
    pub(crate) fn all_due(&self) -> Option<Instant> {
        self.later.back().map(|(due, _)| *due)
    }

    /// Those that are to be looked at again.
    pub(crate) fn count_later(&self) -> usize {
        self.later.len()
    }

    /// The calls to make now. A call that is not full waits for more devices until the `last` is in, or until one of its
    /// devices is due for its second look.
    pub(crate) fn calls(&mut self, now: Instant, last: bool) -> Vec<Vec<Target>> {
        let due = self.later.partition_point(|(due, _)| *due <= now);
        self.waiting.extend(self.later.drain(..due).map(|(_, target)| target));
        // By app, in the order in which they came, but first those that are due.
        self.waiting.sort_by_key(|target| (target.device.app, !target.again));
        let mut calls = Vec::new();
        let mut rest = Vec::new();
        for of_app in self.waiting.chunk_by(|one, other| one.device.app == other.device.app) {
            for call in of_app.chunks(ITEMS_PER_CALL) {
                if last || call.len() == ITEMS_PER_CALL || call.iter().any(|target| target.again) {
                    calls.push(call.to_vec());
                } else {
                    rest.extend_from_slice(call);
                }
            }
        }
        self.waiting = rest;
        calls
    }
}

#[cfg(test)]
mod tests {
    use contract::{apps::AppId, event::Token};
    use proptest::prelude::*;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(120);

    fn target(n: usize, app: u16) -> Target {
        Target {
            device: Device { app: AppId(app), token: Token::new(&format!("t{n}")).unwrap() },
            part: 0,
            again: false,
        }
    }

    proptest! {
        #[test]
        fn every_device_is_in_one_call_of_its_app_and_only_the_last_calls_are_not_full(
            apps in proptest::collection::vec(0..3_u16, 0..200), pages in 1..5_usize,
        ) {
            let mut targets = Targets::new(SETTLE);
            let now = Instant::now();
            let all: Vec<Target> = apps.iter().enumerate().map(|(n, &app)| target(n, app)).collect();
            let mut calls = Vec::new();
            for page in all.chunks(all.len() / pages + 1) {
                targets.extend(page.iter().cloned());
                let full = targets.calls(now, false);
                prop_assert!(full.iter().all(|call| call.len() == ITEMS_PER_CALL));
                calls.extend(full);
            }
            calls.extend(targets.calls(now, true));
            prop_assert!(calls.iter().all(|call| call.iter().all(|one| one.device.app == call[0].device.app)));
            prop_assert!(calls.iter().all(|call| (1..=ITEMS_PER_CALL).contains(&call.len())));
            let number = |app| apps.iter().filter(|&&other| other == app).count().div_ceil(ITEMS_PER_CALL);
            prop_assert_eq!(calls.len(), (0..3_u16).map(number).sum::<usize>(), "as few as possible");
            let mut seen: Vec<Target> = calls.concat();
            let by = |target: &Target| target.device.token.as_str().to_owned();
            let mut expected = all;
            seen.sort_by_key(by);
            expected.sort_by_key(by);
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn what_differs_is_looked_at_again_after_a_while_and_does_not_wait_for_a_full_call() {
        let mut targets = Targets::new(SETTLE);
        let now = Instant::now();
        targets.extend([target(1, 0), target(2, 0), target(3, 1)]);
        targets.look_again(target(4, 0), now);
        assert!(targets.calls(now + SETTLE - Duration::from_millis(1), false).is_empty());
        assert_eq!((targets.all_due(), targets.count_later()), (Some(now + SETTLE), 1));
        let again = Target { again: true, ..target(4, 0) };
        assert_eq!(targets.calls(now + SETTLE, false), [vec![again, target(1, 0), target(2, 0)]]);
        assert_eq!((targets.all_due(), targets.count_later()), (None, 0));
        assert_eq!(targets.calls(now, true), [vec![target(3, 1)]]);
    }
}
