//! Checks what must be true during the run and at its end.

use std::collections::{BTreeMap, HashMap, HashSet};

use lambda_sim::{Queue, answer::fifo_order_breaks};
use tpns_sim::{
    RunningSim,
    model::{Account, Bindings, Tpns},
};

use crate::{
    history::History,
    producer::{Producer, Sent},
    run::Delivery,
    script::{End, Event, Script},
    tally::Tally,
};

pub(crate) const APPS: [&str; 2] = ["android", "ios"];

/// Every message sent so far with its state, and TPNS as it must be once all of them are in effect.
pub(crate) struct Records {
    messages: HashMap<String, Entry>,
    /// The number of messages in the queue, by group.
    in_queue: HashMap<String, usize>,
    /// The events sent so far, applied one by one. They are sent in version order wherever the order matters.
    model: Tpns,
    history: History,
}

struct Entry {
    event: usize,
    state: State,
    last_outcome: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InQueue,
    Acknowledged,
    Dead,
}

impl Records {
    pub(crate) fn new(script: &Script) -> Self {
        let model = Tpns::new(APPS, script.world.settings.clone());
        Self { messages: HashMap::new(), in_queue: HashMap::new(), model, history: History::default() }
    }

    pub(crate) fn event_of(&self, message_id: &str) -> usize {
        self.messages[message_id].event
    }

    pub(crate) fn sent(&mut self, sent: Vec<Sent>, events: &[Event]) {
        for Sent { message_id, event } in sent {
            self.history.apply(event, &events[event], &mut self.model);
            *self.in_queue.entry(events[event].group.clone()).or_default() += 1;
            let entry = Entry { event, state: State::InQueue, last_outcome: String::new() };
            assert!(self.messages.insert(message_id, entry).is_none(), "message ids are unique");
        }
    }

    /// Records a delivered batch: `acknowledged` and `failed` from the response, `outcomes` from the log.
    pub(crate) fn delivered(
        &mut self,
        delivery: &Delivery,
        outcomes: &BTreeMap<String, String>,
        events: &[Event],
        producer: &mut Producer,
        tally: &mut Tally,
    ) -> Result<(), String> {
        for id in &delivery.acknowledged {
            let outcome = outcomes.get(id).map_or("no line in the log", String::as_str);
            self.history.acknowledged(self.messages[id].event);
            let event = self.leave(id, State::Acknowledged, events, producer)?;
            match (outcome, event.end) {
                ("applied", End::InEffect | End::Moot) => tally.applied += 1,
                ("superseded", End::InEffect | End::Moot | End::Refused | End::Blocked) => tally.superseded += 1,
                _ => return Err(format!("acknowledged, but the log has {outcome}: {event:?}")),
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
                return Err(format!("reported, but the log has {outcome}: {event:?}"));
            }
            entry.last_outcome = outcome;
        }
        // A message behind a failed one of its group must not be completed before it, unless that one never will be.
        for found in fifo_order_breaks(&delivery.messages, &delivery.failed) {
            let failed = &events[self.event_of(&found.failed)];
            if failed.end == End::InEffect {
                return Err(format!("overtaken in its group: {failed:?} ({found:?})"));
            }
        }
        Ok(())
    }

    /// Records the messages that the queue has dead-lettered since the last call.
    pub(crate) fn record_dead_letters(
        &mut self,
        queue: &Queue,
        events: &[Event],
        producer: &mut Producer,
        tally: &mut Tally,
    ) -> Result<(), String> {
        for message in queue.dead_letter_queue().unwrap().messages() {
            let entry = &self.messages[&message.message_id];
            if entry.state == State::Dead {
                continue;
            }
            let last_outcome = entry.last_outcome.clone();
            let event = self.leave(&message.message_id, State::Dead, events, producer)?;
            let fits = match event.end {
                End::InEffect => false,
                End::Refused | End::Moot | End::Unreadable => last_outcome == "rejected",
                // Or it was behind a rejected message of its group.
                End::Blocked => matches!(last_outcome.as_str(), "rejected" | "misconfigured" | "retry"),
            };
            if !fits {
                return Err(format!("a dead letter that could have been applied: {event:?}"));
            }
            tally.dead += 1;
        }
        Ok(())
    }

    fn leave<'e>(
        &mut self,
        id: &str,
        state: State,
        events: &'e [Event],
        producer: &mut Producer,
    ) -> Result<&'e Event, String> {
        let entry = self.messages.get_mut(id).unwrap();
        let event = &events[entry.event];
        if entry.state != State::InQueue {
            return Err(format!("{state:?} after it was {:?}: {event:?}", entry.state));
        }
        entry.state = state;
        *self.in_queue.get_mut(&event.group).unwrap() -= 1;
        producer.left(event);
        Ok(event)
    }

    /// Between two rounds: acknowledged events are in effect, before later events can hide it. Devices without messages
    /// in the queue are bound as they must be, and no device is bound to an account that an acknowledged event removed.
    pub(crate) fn check_between_rounds(&self, tpns: &RunningSim, producer: &Producer) -> Result<(), String> {
        let (bound, being_deleted) = (tpns.bindings(), producer.being_deleted());
        let quiet = |token: &str| self.in_queue.get(token).is_none_or(|count| *count == 0);
        compare(&bound, &self.model, quiet, &being_deleted)?;
        self.history.check(&bound, &being_deleted)
    }

    /// At the end, compares everything with a TPNS that received the events one by one in version order.
    pub(crate) fn check_at_end(&self, tpns: &RunningSim, script: &Script) -> Result<(), String> {
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
                (State::InQueue, _) => return Err(format!("lost: {event:?}")),
                (State::Acknowledged, End::Unreadable) => return Err(format!("acknowledged unread: {event:?}")),
                _ => {}
            }
        }
        match seen.len() == script.events.len() {
            true => Ok(()),
            false => Err(format!("only {} of {} events were sent", seen.len(), script.events.len())),
        }
    }
}

pub(crate) fn apply(model: &mut Tpns, event: &Event) {
    if event.end != End::InEffect {
        return;
    }
    for app in event.apps() {
        let answer = model.batch_operate(app, &event.change.operation());
        assert!(answer.took_effect(), "the model accepts what TPNS must accept: {event:?}");
    }
}

pub(crate) fn compare(
    bound: &BTreeMap<String, Bindings>,
    model: &Tpns,
    is_checked: impl Fn(&str) -> bool,
    being_deleted: &HashSet<&Account>,
) -> Result<(), String> {
    let kept = |list: Option<&Vec<Account>>| {
        let list = list.into_iter().flatten().filter(|account| !being_deleted.contains(account));
        list.map(|account| format!("{} of type {}", account.account, account.account_type)).collect::<Vec<_>>()
    };
    for app in APPS {
        let should = model.bindings(app);
        for token in bound[app].keys().chain(should.keys()).filter(|token| is_checked(token)) {
            let (is, should) = (kept(bound[app].get(token)), kept(should.get(token)));
            if is != should {
                return Err(format!("{app} {token} is bound to {is:?}, not {should:?}"));
            }
        }
    }
    Ok(())
}
