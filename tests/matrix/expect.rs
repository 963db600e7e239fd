//! What a case must come to, told from the table alone.

use std::collections::BTreeMap;

use crate::{
    cases::{Case, Lasts, Shape},
    scene::{Happening, STRAY, Scene},
    table::Meaning,
    what::What,
};

/// What the operator reads of a failed event: outcome and reason of its log line.
pub(crate) type Sign = (&'static str, &'static str);

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Acknowledged,
    Reported(Sign),
    /// Acknowledged, and in the parking queue.
    Parked(Sign),
}

impl Ending {
    /// With a parking queue: what is rejected is parked.
    fn with_parking(self) -> Self {
        match self {
            Self::Reported(("rejected", reason)) => Self::Parked(("parked", reason)),
            other => other,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) endings: BTreeMap<String, Ending>,
    /// The events whose effect is in TPNS afterwards.
    pub(crate) in_effect: Vec<String>,
    /// Logins that TPNS rejected: what their devices had before is gone all the same.
    pub(crate) emptied: Vec<String>,
}

const UNCLEAR: Sign = ("retry", "tpns_rejects_every_call");
const UNKNOWN_APP: Sign = ("rejected", "unknown_app");

pub(crate) fn expected(case: &Case, scene: &Scene, parking: bool) -> Expected {
    let mut endings = BTreeMap::new();
    let (mut in_effect, mut emptied) = (Vec::new(), Vec::new());
    for event in &scene.events {
        let sign = sign(case, scene, event);
        endings.insert(event.id.clone(), sign.map_or(Ending::Acknowledged, Ending::Reported));
        match (sign, &event.what) {
            (Some(("rejected", _)), What::Login(..)) => emptied.push(event.id.clone()),
            (None, _) => in_effect.push(event.id.clone()),
            (Some(_), _) if call_applied(case, event) => in_effect.push(event.id.clone()),
            (Some(_), _) => {}
        }
    }
    if case.envelope.is_queue() {
        endings.insert(STRAY.to_owned(), Ending::Reported(UNKNOWN_APP));
    }
    if parking {
        endings.values_mut().for_each(|ending| *ending = ending.with_parking());
    }
    Expected { endings, in_effect, emptied }
}

/// Nothing is wrong any more.
pub(crate) fn expected_in_peace(case: &Case, events: &[&Happening], parking: bool) -> BTreeMap<String, Ending> {
    let mut endings: BTreeMap<_, _> = events.iter().map(|event| (event.id.clone(), Ending::Acknowledged)).collect();
    if case.envelope.is_queue() {
        let stray = Ending::Reported(UNKNOWN_APP);
        endings.insert(STRAY.to_owned(), if parking { stray.with_parking() } else { stray });
    }
    endings
}

/// Why the event fails, if it does.
fn sign(case: &Case, scene: &Scene, event: &Happening) -> Option<Sign> {
    let (call, item) = event.place?;
    let in_call = call == case.call;
    let aimed_at = in_call && case.item.is_none_or(|aim| aim == item);
    let once = case.lasts == Lasts::Once;
    let neighbours = scene.events.iter().filter(|other| other.place.is_some_and(|(other, _)| other == call)).count();
    match case.row.meaning {
        Meaning::Taken => None,
        // Tried again, and it goes through.
        Meaning::Again(_) if once => None,
        Meaning::Again(reason) if case.row.is_about_items() => aimed_at.then_some(("retry", reason)),
        Meaning::Again(reason) => in_call.then_some(("retry", reason)),
        // Tried again in halves, and they go through.
        Meaning::Refused(_) | Meaning::Blocked(_) if once && !case.row.is_about_items() && neighbours > 1 => None,
        // Nothing of the app is accepted beside it, so it may be whatever all calls have in common.
        Meaning::Refused(_) if case.shape == Shape::Solo && case.row.may_be_about_all() => Some(UNCLEAR),
        Meaning::Blocked(reason) if case.shape == Shape::Solo => in_call.then_some(("misconfigured", reason)),
        Meaning::Blocked(_) => aimed_at.then_some(("rejected", "tpns_bad_input")),
        Meaning::Refused(reason) => aimed_at.then_some(("rejected", reason)),
        Meaning::Misconfigured(reason) if case.row.is_about_items() => aimed_at.then_some(("misconfigured", reason)),
        Meaning::Misconfigured(reason) => (call >= case.call).then_some(("misconfigured", reason)),
    }
}

/// Whether the event takes effect in spite of what the answer says.
fn call_applied(case: &Case, event: &Happening) -> bool {
    let in_call = event.place.is_some_and(|(call, _)| call == case.call);
    in_call && case.row.fault.apply && !case.row.is_about_items()
}
