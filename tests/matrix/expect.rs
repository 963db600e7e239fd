//! Change a case must result in, derived from the table alone.

use std::collections::BTreeMap;

use crate::{
    cases::{Case, Lasts, Shape},
    contract_event::Change,
    scene::{BatchEvent, STRAY, Scene},
    table::Meaning,
};

/// Outcome and reason in the log line of a failed event.
pub(crate) type LoggedFailure = (&'static str, &'static str);

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    Acknowledged,
    Reported(LoggedFailure),
    /// Acknowledged, and in the parking queue.
    Parked(LoggedFailure),
}

impl EventOutcome {
    /// With a parking queue: rejected events are parked.
    fn with_parking(self) -> Self {
        match self {
            Self::Reported(("rejected", reason)) => Self::Parked(("parked", reason)),
            other => other,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) outcomes: BTreeMap<String, EventOutcome>,
    /// The events whose effect is in TPNS afterwards.
    pub(crate) in_effect: Vec<String>,
    /// Logins that TPNS rejected: the former bindings of their devices are removed all the same.
    pub(crate) emptied: Vec<String>,
}

const UNCLEAR: LoggedFailure = ("retry", "tpns_rejects_every_call");
const UNKNOWN_APP: LoggedFailure = ("rejected", "unknown_app");

pub(crate) fn expected(case: &Case, scene: &Scene, parking: bool) -> Expected {
    let mut outcomes = BTreeMap::new();
    let (mut in_effect, mut emptied) = (Vec::new(), Vec::new());
    for event in &scene.events {
        let failure = failure_of(case, scene, event);
        outcomes.insert(event.id.clone(), failure.map_or(EventOutcome::Acknowledged, EventOutcome::Reported));
        match (failure, &event.change) {
            (Some(("rejected", _)), Change::Login(..)) => emptied.push(event.id.clone()),
            (None, _) => in_effect.push(event.id.clone()),
            (Some(IN_DOUBT), _) => in_effect.push(event.id.clone()),
            (Some(_), _) if call_applied(case, event) => in_effect.push(event.id.clone()),
            (Some(_), _) => {}
        }
    }
    if case.envelope.is_queue() {
        outcomes.insert(STRAY.to_owned(), EventOutcome::Reported(UNKNOWN_APP));
    }
    if parking {
        outcomes.values_mut().for_each(|outcome| *outcome = outcome.with_parking());
    }
    Expected { outcomes, in_effect, emptied }
}

/// Change redelivered events must result in once nothing is wrong any more.
pub(crate) fn expected_after_recovery(
    case: &Case,
    events: &[&BatchEvent],
    parking: bool,
) -> BTreeMap<String, EventOutcome> {
    let mut outcomes: BTreeMap<_, _> =
        events.iter().map(|event| (event.id.clone(), EventOutcome::Acknowledged)).collect();
    if case.envelope.is_queue() {
        let stray = EventOutcome::Reported(UNKNOWN_APP);
        outcomes.insert(STRAY.to_owned(), if parking { stray.with_parking() } else { stray });
    }
    outcomes
}

/// The second try was accepted.
const IN_DOUBT: LoggedFailure = ("retry", "tpns_in_doubt");

/// Why the event fails, if it does.
fn failure_of(case: &Case, scene: &Scene, event: &BatchEvent) -> Option<LoggedFailure> {
    let (call, item) = event.place?;
    let in_call = call == case.call;
    let aimed_at = in_call && case.item.is_none_or(|aim| aim == item);
    let once = case.lasts == Lasts::Once;
    let neighbours = scene.events.iter().filter(|other| other.place.is_some_and(|(other, _)| other == call)).count();
    match case.row.meaning {
        Meaning::Accepted => None,
        // Retried, and accepted; but a try without an answer may take effect later, and there is no check.
        Meaning::Retried(_) if once => (in_call && case.row.leaves_doubt()).then_some(IN_DOUBT),
        Meaning::Retried(reason) if case.row.is_about_items() => aimed_at.then_some(("retry", reason)),
        Meaning::Retried(reason) => in_call.then_some(("retry", reason)),
        // Retried in halves, and both are accepted.
        Meaning::Rejected(_) if once && !case.row.is_about_items() && neighbours > 1 => None,
        // No other call of the app is accepted, so the cause may be something that all calls have in common.
        Meaning::Rejected(_) if case.shape == Shape::Solo && case.row.may_be_about_all() => Some(UNCLEAR),
        Meaning::Rejected(reason) => aimed_at.then_some(("rejected", reason)),
        // Alone, even a transient status is not retried: nothing shows whether the app or the event is at fault.
        Meaning::AppOrItem(reason) if case.shape == Shape::Solo => aimed_at.then_some(("misconfigured", reason)),
        Meaning::AppOrItem(_) if once => None,
        Meaning::AppOrItem(_) => aimed_at.then_some(("rejected", "tpns_bad_input")),
        Meaning::Misconfigured(reason) if case.row.is_about_items() => aimed_at.then_some(("misconfigured", reason)),
        Meaning::Misconfigured(reason) => (call >= case.call).then_some(("misconfigured", reason)),
    }
}

/// Whether the event takes effect although the answer says otherwise.
fn call_applied(case: &Case, event: &BatchEvent) -> bool {
    let in_call = event.place.is_some_and(|(call, _)| call == case.call);
    in_call && case.row.fault.apply && !case.row.is_about_items()
}
