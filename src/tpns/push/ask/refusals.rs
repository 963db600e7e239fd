//! What is at fault when TPNS refuses queries as a whole: some of their keys, or what all queries have in common.

use std::cell::{Cell, RefCell};

use crate::{
    outcome::{Failure, Reason},
    plan::Verdict,
    tpns::codes::{is_a_status_of_the_app, is_of_the_input, of_an_item},
};

/// Once this many queries were refused and none answered, one is halved after the other; this many keys that are
/// refused alike when they are asked for alone decide for all the others.
const SAMPLE: usize = 3;

/// The refused queries of an app.
#[derive(Debug)]
pub(super) struct Refusals<K> {
    answered: Cell<bool>,
    refused: Cell<usize>,
    /// The keys that were refused alone.
    alone: RefCell<Vec<(K, Failure)>>,
}

impl<K> Default for Refusals<K> {
    fn default() -> Self {
        Self { answered: Cell::default(), refused: Cell::default(), alone: RefCell::default() }
    }
}

impl<K: Clone> Refusals<K> {
    /// TPNS has answered a query for its single keys.
    pub(super) fn answered(&self) {
        self.answered.set(true);
    }

    /// TPNS has refused a query of these keys as a whole. Returns the halves to ask for.
    pub(super) fn refused(&self, mut keys: Vec<K>, failure: Failure) -> Vec<Vec<K>> {
        self.refused.set(self.refused.get() + 1);
        if keys.len() < 2 {
            self.alone.borrow_mut().extend(keys.into_iter().map(|key| (key, failure.clone())));
            return Vec::new();
        }
        let right = keys.split_off(keys.len() / 2);
        vec![keys, right]
    }

    /// Whether TPNS seems to refuse every query, and it is not yet known whether the keys are at fault.
    pub(super) fn are_unclear(&self) -> bool {
        !self.answered.get() && self.refused.get() >= SAMPLE && self.all_alike()
    }

    /// The verdict on every key, if TPNS refuses each query.
    pub(super) fn of_everything(&self) -> Option<Verdict> {
        let alone = self.alone.borrow();
        let (_, failure) = alone.first().filter(|_| alone.len() >= SAMPLE)?;
        self.are_unclear().then(|| of_every_query(failure))
    }

    /// The verdicts on the keys that were refused alone.
    pub(super) fn verdicts(&self) -> Vec<(K, Verdict)> {
        let alone = self.alone.borrow();
        let alike = |failure: &Failure| alone.iter().filter(|(_, other)| other == failure).count();
        let verdict = |failure: &Failure| match () {
            // It may be transient.
            () if self.answered.get() && is_a_status_of_the_app(failure) => {
                Verdict::Retry(of_an_item(failure.clone()), None)
            }
            () if self.answered.get() || (is_of_the_input(failure) && alike(failure) < SAMPLE) => {
                Verdict::Rejected(failure.clone())
            }
            () => of_every_query(failure),
        };
        alone.iter().map(|(key, failure)| (key.clone(), verdict(failure))).collect()
    }

    fn all_alike(&self) -> bool {
        let alone = self.alone.borrow();
        alone.windows(2).all(|pair| pair[0].1 == pair[1].1)
    }
}

/// None of the keys is at fault. A status that is given for every query is the app's fault.
fn of_every_query(failure: &Failure) -> Verdict {
    let failure = failure.clone();
    if is_a_status_of_the_app(&failure) {
        Verdict::Misconfigured(failure)
    } else {
        Verdict::Retry(Failure { reason: Reason::TpnsRejectsEveryCall, ..failure }, None)
    }
}
