//! The path of a batch through the pure modules, each separately, as in `tpns_account_sync::AccountSync`. TPNS accepts
//! everything; calls are planned but not written, signed or sent.

use tpns_account_sync::{
    apps::AppNames,
    event::{Event, EventIndex, Millis, Rules},
    ingress::{Batch, MessageIndex},
    ledger::State,
    outcome::Outcome,
    plan::{Plan, Verdict, plan},
    redelivery::Redelivered,
    report,
    settlement::{Settlement, settlement},
    tpns::{self, Call},
};

/// The name of the one app.
pub const APP: &str = "android";

/// Events with the indices of their messages, as the modules pass them on.
pub type Events = Vec<(MessageIndex, Event)>;

/// A batch that can't be handled: an error in the benchmark's events or in the function.
#[derive(Debug)]
pub struct Unexpected(pub String);

/// ingress and event: from the payload to events.
///
/// # Errors
/// [`Unexpected`] when one can't be read.
pub fn read<'a>(payload: &'a str, apps: &AppNames, now: Millis) -> Result<(Batch<'a>, Events), Unexpected> {
    let batch = Batch::open(payload).map_err(|error| Unexpected(error.to_string()))?;
    let rules = Rules { apps, now, max_age: Millis::MAX, max_skew: Millis::MAX, ledger: false };
    let event = |(index, message): (usize, &tpns_account_sync::ingress::Message<'_>)| {
        message.event(&rules).map(|event| (MessageIndex(index), event))
    };
    let events: Result<Events, _> = batch.messages.iter().enumerate().map(event).collect();
    let events = events.map_err(|invalid| Unexpected(invalid.to_string()))?;
    Ok((batch, events))
}

/// ledger: the state that results from the events.
#[must_use]
pub fn merge(events: &Events) -> State {
    State::of(events.iter().map(|(_, event)| event))
}

/// plan, and tpns's calls: what TPNS is sent.
#[must_use]
pub fn calls(state: &State) -> (Plan, Vec<Call>) {
    let plan = plan(state, &Redelivered::default());
    let calls = tpns::calls(&plan.items);
    (plan, calls)
}

/// settlement: the outcomes of the events.
#[must_use]
pub fn judge(events: &Events, state: &State, plan: &Plan) -> Settlement {
    let verdicts = vec![Verdict::Accepted; plan.items.len()];
    settlement(events.iter().enumerate().map(|(place, (_, event))| (EventIndex(place), event)), state, plan, &verdicts)
}

/// report: the response to Lambda.
///
/// # Errors
/// [`Unexpected`] when not all is applied.
pub fn answer(batch: &Batch<'_>, events: &Events, settlement: Settlement) -> Result<String, Unexpected> {
    let mut outcomes = vec![Outcome::UNTOUCHED; batch.messages.len()];
    for (place, outcome) in settlement.settled {
        let (message, _) = &events[place.0];
        outcomes[message.0] = outcome;
    }
    report::hold_groups(batch, &mut outcomes);
    let answer = report::answer(batch, &outcomes).map_err(|error| Unexpected(error.to_string()))?;
    serde_json::to_string(&answer).map_err(|error| Unexpected(error.to_string()))
}

/// All of them.
///
/// # Errors
/// [`Unexpected`] when not all is applied.
pub fn whole(payload: &str, apps: &AppNames, now: Millis) -> Result<String, Unexpected> {
    let (batch, events) = read(payload, apps, now)?;
    let state = merge(&events);
    let (plan, _) = calls(&state);
    let settlement = judge(&events, &state, &plan);
    answer(&batch, &events, settlement)
}
