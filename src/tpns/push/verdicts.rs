//! The verdicts on a plan's items so far, and waiting for more of them.

use std::cell::{Cell, RefCell};

use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use super::NOT_SENT;
use crate::plan::{ItemIndex, Verdict};

/// The verdicts on the items of a plan, as they are set.
#[derive(Debug)]
pub struct Verdicts {
    each: RefCell<Vec<Progress>>,
    changed: Notify,
    last_change: Cell<Option<Instant>>,
}

#[derive(Clone, Debug)]
enum Progress {
    Nothing,
    /// Later answers may change it.
    Provisional(Verdict),
    Final(Verdict),
}

impl Verdicts {
    /// This number of items, without verdicts.
    #[must_use]
    pub fn new(items: usize) -> Self {
        Self {
            each: RefCell::new(vec![Progress::Nothing; items]),
            changed: Notify::new(),
            last_change: Cell::default(),
        }
    }

    /// Sets the verdict on an item.
    pub fn set(&self, item: ItemIndex, verdict: Verdict) {
        self.put(item, Progress::Final(verdict));
    }

    /// Sets the verdict on an item unless later answers change it.
    pub(super) fn set_for_now(&self, item: ItemIndex, verdict: Verdict) {
        self.put(item, Progress::Provisional(verdict));
    }

    /// The verdict on an item, if there is one.
    #[must_use]
    pub fn get(&self, item: ItemIndex) -> Option<Verdict> {
        match self.each.borrow().get(item.0) {
            Some(Progress::Provisional(verdict) | Progress::Final(verdict)) => Some(verdict.clone()),
            Some(Progress::Nothing) | None => None,
        }
    }

    /// Whether an item has a verdict that does not change.
    #[must_use]
    pub fn is_final(&self, item: ItemIndex) -> bool {
        matches!(self.each.borrow().get(item.0), Some(Progress::Final(_)))
    }

    /// All verdicts; an item without one was not sent.
    #[must_use]
    pub fn all(&self) -> Vec<Verdict> {
        (0..self.each.borrow().len()).map(|item| self.get(ItemIndex(item)).unwrap_or(NOT_SENT)).collect()
    }

    /// Resolves with the next change after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    pub(super) fn last_change(&self) -> Option<Instant> {
        self.last_change.get()
    }

    fn put(&self, item: ItemIndex, known: Progress) {
        if let Some(place) = self.each.borrow_mut().get_mut(item.0) {
            *place = known;
        }
        self.last_change.set(Some(Instant::now()));
        self.changed.notify_waiters();
    }
}
