//! The simulation: arrivals, queues, event source mappings, sandboxes and the state at TPNS, event by event. The same
//! scenario always has the same course.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use fastrand::Rng;

use crate::{
    Ms,
    function::{self, Delays, Events, Invocation, MOST_APPS, Sandbox},
    lane::{Lane, REQUEST},
    messages::{Kind, Message, Messages, State},
    queue::{Queue, Received, Rules},
    results::Results,
    scenario::{HOUR, SECOND, Scenario, Timing},
};

/// The template's message retention period.
const RETENTION: Ms = 4 * 24 * HOUR;

/// What happens next, apart from arrivals and messages that become visible again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Scale,
    Receive { lane: usize },
    Invoked { lane: usize, batch: usize, sandbox: usize },
    Ready { lane: usize },
}

struct World<'a> {
    scenario: &'a Scenario,
    delays: Delays,
    rng: Rng,
    now: Ms,
    /// The time of the next arrival, unrounded.
    next_arrival: Option<f64>,
    messages: Messages,
    lanes: Vec<Lane>,
    steps: BinaryHeap<Reverse<(Ms, Step)>>,
    sandboxes: Vec<Sandbox>,
    idle: VecDeque<usize>,
    /// The invocation that each sandbox carries out.
    running: Vec<Option<Invocation>>,
    /// For each device the newest event in the ledger, and the one that TPNS has accepted last, plus one.
    merged: Vec<u32>,
    bound: Vec<u32>,
    /// Messages that are not settled, of those sent before the recovery.
    backlog: usize,
    results: Results,
}

/// Runs a scenario to its end.
pub(crate) fn simulate(scenario: &Scenario) -> Results {
    let mut world = World::new(scenario);
    while world.step() {}
    world.finish()
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let rules = Rules { deliveries: scenario.timing.deliveries(), retention: RETENTION, order: scenario.order };
        let lanes = scenario.concurrency_of_lanes().into_iter().map(|most| Lane::new(Queue::new(rules), most));
        let seconds = f64::from(scenario.length.max(scenario.recovery())) / f64::from(SECOND);
        let expected = (scenario.events_per_second * seconds * 1.25) as usize + scenario.waiting as usize;
        let mut world = Self {
            scenario,
            delays: Delays::new(),
            rng: Rng::with_seed(scenario.seed),
            now: 0,
            next_arrival: Some(0.0),
            // If more are sent, it grows; twice its size would be too much.
            messages: Messages::with_capacity(expected),
            lanes: lanes.collect(),
            steps: BinaryHeap::from([Reverse((SECOND, Step::Scale))]),
            sandboxes: Vec::new(),
            idle: VecDeque::new(),
            running: Vec::new(),
            merged: vec![0; scenario.devices as usize],
            bound: vec![0; scenario.devices as usize],
            backlog: 0,
            results: Results::new(scenario),
        };
        for _ in 0..scenario.waiting {
            world.send(Kind::Login);
        }
        world.plan_arrival();
        world
    }

    /// Carries out what happens next. `false` if nothing does.
    fn step(&mut self) -> bool {
        let arrival = self.next_arrival.map(|at| at as Ms);
        let step = self.steps.peek().map(|Reverse((at, _))| *at);
        let visible = self.lanes.iter().filter_map(|lane| lane.queue.next_visible()).min();
        let Some(next) = [arrival, step, visible].into_iter().flatten().min() else { return false };
        self.now = next;
        if arrival == Some(next) {
            self.arrive();
        } else if visible == Some(next) {
            self.lanes.iter_mut().for_each(|lane| lane.queue.release(next));
        } else if let Some(Reverse((_, step))) = self.steps.pop() {
            self.carry_out(step);
        }
        self.receive();
        true
    }

    fn arrive(&mut self) {
        let kind = if self.rng.f64() < self.scenario.unbinds { Kind::Unbind } else { Kind::Login };
        self.send(kind);
        self.plan_arrival();
    }

    fn send(&mut self, kind: Kind) {
        let device = self.rng.u32(..self.scenario.devices);
        let message = self.messages.send(self.now, device, kind);
        self.results.count_sent(self.now, kind);
        let lane = usize::from(self.scenario.lane && kind == Kind::Unbind);
        self.lanes[lane].queue.send(message);
        if self.is_backlog(message) {
            self.backlog += 1;
        }
    }

    /// Exponential gaps, until the traffic ends.
    fn plan_arrival(&mut self) {
        let is_over = self.now >= self.scenario.length && self.now >= self.scenario.recovery() && self.backlog == 0;
        let gap = -(1.0 - self.rng.f64()).ln() / self.scenario.events_per_second * f64::from(SECOND);
        self.next_arrival = self.next_arrival.filter(|_| !is_over).map(|at| at + gap);
    }

    fn receive(&mut self) {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            while lane.begins_to_receive() {
                self.results.sqs.receives += 1;
                self.steps.push(Reverse((self.now + REQUEST, Step::Receive { lane: number })));
            }
        }
    }

    fn carry_out(&mut self, step: Step) {
        match step {
            Step::Scale => {
                self.lanes.iter_mut().for_each(Lane::scale);
                if self.next_arrival.is_some() || self.lanes.iter().any(|lane| !lane.queue.is_empty()) {
                    self.steps.push(Reverse((self.now + SECOND, Step::Scale)));
                }
            }
            Step::Receive { lane } => {
                let received = self.lanes[lane].queue.receive(self.now, &mut self.messages, &mut self.rng);
                let Received { batch, dead_lettered, expired } = received;
                dead_lettered.into_iter().for_each(|message| self.end(message, State::DeadLettered));
                expired.into_iter().for_each(|message| self.end(message, State::Expired));
                if let Some(batch) = self.lanes[lane].received(batch, self.now) {
                    self.invoke(lane, batch);
                }
            }
            Step::Invoked { lane, batch, sandbox } => self.invoked(lane, batch, sandbox),
            Step::Ready { lane } => self.lanes[lane].ready(),
        }
    }

    fn invoke(&mut self, lane: usize, batch: usize) {
        let mut events: Events = [[0; 2]; MOST_APPS];
        for message in self.lanes[lane].batch(batch) {
            function::count(&mut events, app(&self.messages, *message, self.scenario), self.messages.kind(*message));
        }
        let idle = if self.scenario.spread { self.idle.pop_front() } else { self.idle.pop_back() };
        let sandbox = idle.unwrap_or_else(|| {
            self.sandboxes.push(Sandbox::default());
            self.running.push(None);
            self.sandboxes.len() - 1
        });
        let invocation = self.sandboxes[sandbox].invoke(self.now, &events, self.scenario, &mut self.rng);
        if invocation.merged {
            for message in self.lanes[lane].batch(batch) {
                if self.messages.merge(*message) {
                    let merged = &mut self.merged[self.messages.device(*message) as usize];
                    *merged = (*merged).max(message.0 + 1);
                }
            }
        }
        self.results.count_invocation(&invocation, self.lanes[lane].batch(batch).len());
        self.steps.push(Reverse((invocation.ends, Step::Invoked { lane, batch, sandbox })));
        self.running[sandbox] = Some(invocation);
    }

    fn invoked(&mut self, lane: usize, batch: usize, sandbox: usize) {
        self.idle.push_back(sandbox);
        let Some(invocation) = self.running[sandbox].take() else { return };
        let batch = self.lanes[lane].finished(batch);
        let (mut applied, mut failed) = (false, false);
        for message in batch.messages {
            let Some(why) = invocation.failed[app(&self.messages, message, self.scenario)] else {
                applied = true;
                self.lanes[lane].queue.delete();
                self.apply(message);
                continue;
            };
            failed = true;
            let (timing, delivery) = (self.scenario.timing, self.messages.deliveries(message));
            let times = [batch.received, self.now];
            let until = self.delays.visible_again(timing, times, why, delivery, &mut self.rng);
            self.lanes[lane].queue.keep_back(message, until);
            self.results.failed_deliveries += 1;
        }
        if !applied {
            self.results.count_failed_invocation(self.now - batch.received);
        }
        self.results.sqs.deletes += u64::from(applied);
        self.results.sqs.changes += u64::from(failed && self.scenario.timing != Timing::Old);
        let ready = if applied { self.now + REQUEST } else { self.now };
        self.steps.push(Reverse((ready, Step::Ready { lane })));
    }

    /// TPNS has accepted an event. With a ledger it was called with the newest state of the device.
    fn apply(&mut self, message: Message) {
        let device = self.messages.device(message) as usize;
        let own = message.0 + 1;
        let pushed = if self.scenario.ledger { self.merged[device] } else { own };
        self.results.superseded += u64::from(pushed > own);
        self.results.stale += u64::from(pushed < self.bound[device]);
        self.bound[device] = pushed;
        self.end(message, State::Applied);
    }

    fn end(&mut self, message: Message, state: State) {
        let is_first = self.messages.end(message, state);
        self.results.count_end(&self.messages, message, state, self.now, is_first);
        if self.is_backlog(message) {
            self.backlog -= 1;
        }
    }

    fn is_backlog(&self, message: Message) -> bool {
        self.messages.sent(message) < self.scenario.recovery().max(1)
    }

    fn finish(mut self) -> Results {
        self.results.sandboxes = self.sandboxes.len();
        self.results.most_in_flight = self.lanes.iter().map(|lane| lane.queue.most_in_flight()).collect();
        self.results.lost = self.messages.left() as u64;
        self.results
    }
}

/// The app of an event, by its device.
fn app(messages: &Messages, message: Message, scenario: &Scenario) -> usize {
    messages.device(message) as usize % scenario.apps.min(MOST_APPS)
}

#[cfg(test)]
mod tests;
