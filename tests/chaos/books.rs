//! What must be true while it goes wrong, and when it is over.

use std::collections::{BTreeMap, HashMap, HashSet};

use lambda_sim::{Queue, answer::fifo_order_breaks};
use tpns_sim::{
    RunningSim,
    model::{Account, Bindings, Tpns},
};

use crate::{
    past::Past,
    post::{Post, Posted},
    run::Delivery,
    script::{End, Event, Script},
    tally::Tally,
};

pub(crate) const APPS: [&str; 2] = ["android", "ios"];

/// Every message ever sent and where it is, and TPNS as it must be once all of them are in effect.
pub(crate) struct Books {
    messages: HashMap<String, Entry>,
    /// Messages on their way, by group.
    on_their_way: HashMap<String, usize>,
    /// The events sent so far, applied one by one. They are sent in version order as far as it matters.
    model: Tpns,
    past: Past,
}

struct Entry {
    event: usize,
    state: State,
    last_outcome: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    OnItsWay,
    Acknowledged,
    Dead,
}

impl Books {
    pub(crate) fn new(script: &Script) -> Self {
        let model = Tpns::new(APPS, script.world.settings.clone());
        Self { messages: HashMap::new(), on_their_way: HashMap::new(), model, past: Past::default() }
    }

    pub(crate) fn event_of(&self, message_id: &str) -> usize {
        self.messages[message_id].event
    }

    pub(crate) fn posted(&mut self, posted: Vec<Posted>, events: &[Event]) {
        for Posted { message_id, event } in posted {
            self.past.apply(event, &events[event], &mut self.model);
            *self.on_their_way.entry(events[event].group.clone()).or_default() += 1;
            let entry = Entry { event, state: State::OnItsWay, last_outcome: String::new() };
            assert!(self.messages.insert(message_id, entry).is_none(), "message ids are unique");
        }
    }

    /// A batch came back: `acknowledged` and `failed` by the answer, `outcomes` by the log.
    pub(crate) fn delivered(
        &mut self,
        delivery: &Delivery,
        outcomes: &BTreeMap<String, String>,
        events: &[Event],
        post: &mut Post,
        tally: &mut Tally,
    ) -> Result<(), String> {
        for id in &delivery.acknowledged {
            let outcome = outcomes.get(id).map_or("no line in the log", String::as_str);
            self.past.acknowledged(self.messages[id].event);
            let event = self.leaves(id, State::Acknowledged, events, post)?;
            match (outcome, event.end) {
                ("applied", End::InEffect | End::Moot) => tally.applied += 1,
                ("superseded", End::InEffect | End::Moot | End::Refused | End::Blocked) => tally.superseded += 1,
                _ => return Err(format!("acknowledged, and the log says {outcome}: {event:?}")),
            }
        }
        for id in delivery.failed.iter().filter(|_| !delivery.killed) {
            let outcome = outcomes.get(id).cloned().unwrap_or_else(|| "no line in the log".to_owned());
            let entry = self.messages.get_mut(id).unwrap();
            let event = &events[entry.event];
            let fits = match outcome.as_str() {
                "rejected" => event.end != End::InEffect,
                "retry" | "misconfigured" => event.end != End::Unreadable,
                _ => false,
            };
            if !fits {
                return Err(format!("reported, and the log says {outcome}: {event:?}"));
            }
            entry.last_outcome = outcome;
        }
        // A message behind a failed one of its group must not be done with before it, unless that one never will be.
        for found in fifo_order_breaks(&delivery.messages, &delivery.failed) {
            let failed = &events[self.event_of(&found.failed)];
            if failed.end == End::InEffect {
                return Err(format!("overtaken in its group: {failed:?} ({found:?})"));
            }
        }
        Ok(())
    }

    /// Finds what the queue has given up on since the last time.
    pub(crate) fn bury(
        &mut self,
        queue: &Queue,
        events: &[Event],
        post: &mut Post,
        tally: &mut Tally,
    ) -> Result<(), String> {
        for message in queue.dead_letter_queue().unwrap().messages() {
            let entry = &self.messages[&message.message_id];
            if entry.state == State::Dead {
                continue;
            }
            let last_outcome = entry.last_outcome.clone();
            let event = self.leaves(&message.message_id, State::Dead, events, post)?;
            let fits = match event.end {
                End::InEffect => false,
                End::Refused | End::Moot | End::Unreadable => last_outcome == "rejected",
                // Or it was behind such a message of its group.
                End::Blocked => matches!(last_outcome.as_str(), "rejected" | "misconfigured" | "retry"),
            };
            if !fits {
                return Err(format!("a dead letter that could have been applied: {event:?}"));
            }
            tally.dead += 1;
        }
        Ok(())
    }

    fn leaves<'e>(
        &mut self,
        id: &str,
        state: State,
        events: &'e [Event],
        post: &mut Post,
    ) -> Result<&'e Event, String> {
        let entry = self.messages.get_mut(id).unwrap();
        let event = &events[entry.event];
        if entry.state != State::OnItsWay {
            return Err(format!("{state:?} after it was {:?}: {event:?}", entry.state));
        }
        entry.state = state;
        *self.on_their_way.get_mut(&event.group).unwrap() -= 1;
        post.left(event);
        Ok(event)
    }

    /// Between two rounds: what was acknowledged is true, before later events can cover it. Devices that nothing is on
    /// its way for are bound as they must be, and no device is bound to an account that an acknowledged event took.
    pub(crate) fn check_between_rounds(&self, tpns: &RunningSim, post: &Post) -> Result<(), String> {
        let (bound, dying) = (tpns.bindings(), post.dying());
        let quiet = |token: &str| self.on_their_way.get(token).is_none_or(|count| *count == 0);
        compare(&bound, &self.model, quiet, &dying)?;
        self.past.check(&bound, &dying)
    }

    /// At the end, all of it, against a TPNS that was told the events one by one in version order.
    pub(crate) fn close(&self, tpns: &RunningSim, script: &Script) -> Result<(), String> {
        let mut model = Tpns::new(APPS, script.world.settings.clone());
        for event in &script.events {
            apply(&mut model, event);
        }
        compare(&tpns.bindings(), &model, |_| true, &HashSet::new())?;
        let mut seen = HashSet::new();
        for entry in self.messages.values() {
            seen.insert(entry.event);
            let event = &script.events[entry.event];
            match (entry.state, event.end) {
                (State::OnItsWay, _) => return Err(format!("lost: {event:?}")),
                (State::Acknowledged, End::Unreadable) => return Err(format!("acknowledged unread: {event:?}")),
                _ => {}
            }
        }
        match seen.len() == script.events.len() {
            true => Ok(()),
            false => Err(format!("{} of {} events were sent", seen.len(), script.events.len())),
        }
    }
}

pub(crate) fn apply(model: &mut Tpns, event: &Event) {
    if event.end != End::InEffect {
        return;
    }
    for app in event.apps() {
        let answer = model.batch_operate(app, &event.what.operation());
        assert!(answer.took_effect(), "the model takes what TPNS must: {event:?}");
    }
}

fn compare(
    bound: &BTreeMap<String, Bindings>,
    model: &Tpns,
    of_interest: impl Fn(&str) -> bool,
    dying: &HashSet<&Account>,
) -> Result<(), String> {
    let living = |list: Option<&Vec<Account>>| {
        let list = list.into_iter().flatten().filter(|account| !dying.contains(account));
        list.map(|account| format!("{} of type {}", account.account, account.account_type)).collect::<Vec<_>>()
    };
    for app in APPS {
        let should = model.bindings(app);
        for token in bound[app].keys().chain(should.keys()).filter(|token| of_interest(token)) {
            let (is, should) = (living(bound[app].get(token)), living(should.get(token)));
            if is != should {
                return Err(format!("{app} {token} is bound to {is:?}, not {should:?}"));
            }
        }
    }
    Ok(())
}
