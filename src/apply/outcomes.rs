//! The outcomes of messages, combined from their outcomes in each app.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use super::parts::Part;
use crate::{event::Event, ingress::MessageIndex, outcome::Outcome};

/// The outcomes of a batch's messages.
#[derive(Debug)]
pub(super) struct Outcomes<'o> {
    all: RefCell<&'o mut [Outcome]>,
    /// Events of several apps, by their messages: how many apps are left, and the outcome in the others.
    shared: RefCell<HashMap<MessageIndex, (usize, Option<Outcome>)>>,
}

impl<'o> Outcomes<'o> {
    pub(super) fn new<'p>(
        all: &'o mut [Outcome],
        events: &[(MessageIndex, Event)],
        parts: impl Iterator<Item = &'p Part>,
    ) -> Self {
        let mut shared: HashMap<MessageIndex, (usize, Option<Outcome>)> = HashMap::new();
        for place in parts.flat_map(Part::shared) {
            shared.entry(events[place.0].0).or_insert((0, None)).0 += 1;
        }
        Self { all: RefCell::new(all), shared: RefCell::new(shared) }
    }

    /// Takes the outcome of a message's event in one app. It counts when all of its apps have one.
    pub(super) fn settle(&self, message: MessageIndex, outcome: Outcome) {
        let outcome = match self.shared.borrow_mut().get_mut(&message) {
            None => Some(outcome),
            Some((left, so_far)) => {
                *left -= 1;
                let worse = match so_far.take() {
                    Some(other) if gravity(&other) > gravity(&outcome) => other,
                    _ => outcome,
                };
                if *left == 0 {
                    Some(worse)
                } else {
                    *so_far = Some(worse);
                    None
                }
            }
        };
        if let Some(outcome) = outcome {
            self.all.borrow_mut()[message.0] = outcome;
        }
    }
}

/// Of two apps' outcomes the graver one is the event's, and of retries the one for which TPNS asks to wait longest.
fn gravity(outcome: &Outcome) -> (u8, Option<Duration>) {
    let gravity = match outcome {
        Outcome::SupersededAtSameTime => 0,
        Outcome::Superseded => 1,
        Outcome::Applied | Outcome::AppliedNotBound | Outcome::Unchanged => 2,
        Outcome::Rejected(_) | Outcome::Parked(_) => 3,
        Outcome::Retry(_) => 4,
        Outcome::Misconfigured(_) => 5,
    };
    (gravity, outcome.failure().and_then(|failure| failure.retry_after))
}
