//! The cross product: each row with every envelope at every place, or with a sample of them.

use tpns_sim::Fault;

use crate::{
    envelope::{BATCHES, Envelope},
    scene::{BatchEvent, Scene, mixed, wide},
    table::{Meaning, Row, table},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    Once,
    Forever,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Calls of operator_type 5, 2, 3 and 4.
    Mixed,
    /// Three full calls of operator_type 2.
    Wide,
    /// A single event.
    Solo,
}

/// A row of the table at one place of one batch.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) row: Row,
    pub(crate) envelope: Envelope,
    pub(crate) shape: Shape,
    pub(crate) lasts: Lasts,
    /// The call that the fault hits.
    pub(crate) call: usize,
    /// The item that the fault hits; without one it hits the call, by operator_type.
    pub(crate) item: Option<usize>,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        let Self { row, envelope, shape, lasts, call, item } = self;
        let item = item.map_or_else(String::new, |item| format!(", item {item}"));
        format!("{} [{lasts:?}, {envelope:?}, {shape:?}, call {call}{item}]", row.name)
    }

    pub(crate) fn is_rejected(&self) -> bool {
        matches!(self.row.meaning, Meaning::Rejected(_))
    }

    pub(crate) fn scene(&self) -> Scene {
        let mut scene = match self.shape {
            Shape::Mixed => mixed(),
            Shape::Wide => wide(),
            Shape::Solo => mixed().solo(self.call),
        };
        if self.row.blank {
            scene.before.clear();
        }
        scene
    }

    /// The fault, aimed at its target. Items are aimed at by token and, where they name one, the middle item by
    /// account.
    pub(crate) fn fault(&self, scene: &Scene) -> Fault {
        let aimed = |event: &&BatchEvent| event.place == Some((self.call, self.item.unwrap_or(1)));
        let target = scene.events.iter().find(aimed).unwrap();
        let mut fault = self.row.fault.clone().app("android").operator_type(target.operator_type().into());
        if let Some(item) = self.item {
            fault = match (target.change.token(), target.change.accounts()) {
                (Some(token), accounts) if item != 1 || accounts.is_empty() => fault.token(token),
                (_, accounts) => fault.account(&accounts[0].account),
            };
        }
        match self.lasts {
            Lasts::Once => fault,
            Lasts::Forever => fault.forever(),
        }
    }
}

/// Full rows with a lasting fault are run completely. Of the others every n-th case is run, with a different start in
/// each row. These numbers are not multiples of the numbers of envelopes, calls or items, so that samples vary in all
/// of them.
const EVERY: usize = 13;
const EVERY_OF_FULL: usize = 7;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, row) in table().iter().enumerate() {
        for lasts in [Lasts::Forever, Lasts::Once] {
            let step = match (row.full, lasts) {
                (true, Lasts::Forever) => 1,
                (true, Lasts::Once) => EVERY_OF_FULL,
                (false, _) => EVERY,
            };
            cases.extend(all(row, lasts).into_iter().skip(number % step).step_by(step));
        }
    }
    cases
}

fn all(row: &Row, lasts: Lasts) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |envelope, shape, call, item| {
        cases.push(Case { row: row.clone(), envelope, shape, lasts, call, item });
    };
    let calls = || (0..4).filter(|&call| row.on.contains(&[5, 2, 3, 4][call]));
    // Aiming at items is only useful if the function distinguishes the items of a call.
    let by_item = row.is_about_items() || matches!(row.meaning, Meaning::Rejected(_) | Meaning::AppOrItem(_));
    for (number, envelope) in BATCHES.into_iter().enumerate() {
        for call in calls() {
            add(envelope, Shape::Mixed, call, None);
            // Each item in bare bodies; in other envelopes one item in turn, since envelopes are read before calls are
            // made.
            let turn = |item: &usize| envelope == Envelope::Sqs || (number + call) % 3 == *item;
            for item in (0..3).filter(turn).filter(|_| by_item) {
                add(envelope, Shape::Mixed, call, Some(item));
            }
        }
    }
    for call in calls() {
        add(Envelope::Object, Shape::Solo, call, None);
    }
    if row.on.contains(&2) {
        for call in 0..3 {
            for item in [0, 9, 19].into_iter().filter(|&item| by_item || item == 9) {
                add(Envelope::Sqs, Shape::Wide, call, Some(item));
            }
        }
    }
    cases
}

#[test]
fn every_row_is_covered_and_full_rows_in_every_envelope_at_every_place() {
    let cases = cases();
    for row in table() {
        for lasts in [Lasts::Forever, Lasts::Once] {
            let of_row = || cases.iter().filter(|case| case.row.name == row.name && case.lasts == lasts);
            assert!(of_row().count() >= 1, "{} {lasts:?}", row.name);
            for envelope in BATCHES.into_iter().filter(|_| row.full && lasts == Lasts::Forever) {
                for call in 0..4 {
                    let meets = |case: &Case| case.envelope == envelope && case.call == call;
                    assert!(of_row().any(meets), "{} {envelope:?} {call}", row.name);
                }
            }
        }
    }
    // A sample must not omit an envelope or a shape for a whole class.
    for outcome in ["Accepted", "Retried", "Rejected", "Misconfigured", "AppOrItem"] {
        let of_class = || cases.iter().filter(|case| format!("{:?}", case.row.meaning).starts_with(outcome));
        for envelope in BATCHES.into_iter().chain([Envelope::Object]) {
            for call in 0..4 {
                let meets = |case: &Case| case.envelope == envelope && case.call == call;
                assert!(of_class().any(meets), "{outcome} {envelope:?} {call}");
            }
        }
        assert!(of_class().any(|case| case.shape == Shape::Wide), "{outcome}");
    }
    eprintln!("{} cases of {} rows", cases.len(), table().len());
}
