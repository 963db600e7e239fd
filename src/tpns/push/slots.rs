//! Calls in flight: each app has its own share of them, so that a slow app holds up no other.

use std::cell::Cell;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::apps::AppId;

/// The calls in flight of an invocation, shared out among its apps.
#[derive(Debug)]
pub(super) struct Slots {
    concurrency: usize,
    shares: Vec<AppShare>,
}

#[derive(Debug)]
struct AppShare {
    slots: Semaphore,
    size: Cell<usize>,
    ended: Cell<bool>,
}

impl Slots {
    /// Shares out `concurrency` by how many calls each app has to make, by its place. An app without any counts as
    /// ended.
    pub(super) fn new(concurrency: usize, calls: &[usize]) -> Self {
        let shares = calls.iter().zip(shares(concurrency, calls)).map(|(&calls, size)| AppShare {
            // An app without expected calls can still make some, one after the other.
            slots: Semaphore::new(size.max(1)),
            size: Cell::new(size),
            ended: Cell::new(calls == 0),
        });
        Self { concurrency, shares: shares.collect() }
    }

    /// Waits for the app's turn; `None` for an app that is not there.
    pub(super) async fn take(&self, app: AppId) -> Option<SemaphorePermit<'_>> {
        self.shares.get(usize::from(app.0))?.slots.acquire().await.ok()
    }

    /// An app has no more calls to make: the others get its share.
    pub(super) fn end(&self, app: AppId) {
        let Some(share) = self.shares.get(usize::from(app.0)) else { return };
        if share.ended.replace(true) {
            return;
        }
        let others: Vec<_> = self.shares.iter().filter(|other| !other.ended.get()).collect();
        let taken: usize = others.iter().map(|other| other.size.get()).sum();
        let size = share.size.replace(0).min(self.concurrency.saturating_sub(taken));
        for (n, other) in others.iter().enumerate() {
            let more = size / others.len() + usize::from(n < size % others.len());
            other.size.set(other.size.get() + more);
            other.slots.add_permits(more);
        }
    }
}

/// Each app gets as many as it has calls, or an equal share of the total; at least one. The rest goes to apps with more
/// calls, or to all equally if all have what they need.
fn shares(concurrency: usize, calls: &[usize]) -> Vec<usize> {
    let mut shares = vec![0; calls.len()];
    let mut apps: Vec<usize> = (0..calls.len()).filter(|&app| calls[app] > 0).collect();
    apps.sort_by_key(|&app| calls[app]);
    let mut left = concurrency;
    for (n, &app) in apps.iter().enumerate() {
        shares[app] = (left / (apps.len() - n)).min(calls[app]).max(1);
        left = left.saturating_sub(shares[app]);
    }
    for (n, &app) in apps.iter().rev().enumerate() {
        shares[app] += left / apps.len() + usize::from(n < left % apps.len());
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Slots {
        fn free(&self) -> Vec<usize> {
            self.shares.iter().map(|share| share.slots.available_permits()).collect()
        }
    }

    #[test]
    fn each_app_has_its_share() {
        for (concurrency, calls, expected) in [
            (8, vec![500], vec![8]),
            (8, vec![1], vec![8]),
            (8, vec![40, 1], vec![7, 1]),
            (8, vec![1, 1], vec![4, 4]),
            (8, vec![40, 0, 40], vec![4, 0, 4]),
            (8, vec![40, 2, 40], vec![3, 2, 3]),
            (1, vec![40, 1], vec![1, 1]),
            (2, vec![5, 5, 5], vec![1, 1, 1]),
            (8, vec![], vec![]),
            (8, vec![0], vec![0]),
        ] {
            assert_eq!(shares(concurrency, &calls), expected, "{concurrency} {calls:?}");
        }
    }

    #[test]
    fn an_app_that_ends_leaves_its_share_to_the_others() {
        let slots = Slots::new(8, &[40, 40, 0]);
        slots.end(AppId(1));
        slots.end(AppId(1));
        assert_eq!(slots.free(), [8, 4, 1]);
        slots.end(AppId(0));
        slots.end(AppId(9));
        // With fewer slots than apps, each had one nevertheless.
        let slots = Slots::new(1, &[40, 40]);
        slots.end(AppId(1));
        assert_eq!(slots.free(), [1, 1]);
    }
}
