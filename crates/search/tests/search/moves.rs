//! What can happen next.

use crate::{
    calls::Landing,
    checked::Confirms,
    checks::{CHECKS, Stage, Wait},
    events::{Bound, Tpns},
    learn::{Learner, Node, Task},
    sets::Scenario,
    steps::{Answer, Item, Key, Op},
    world::{Luck, NO_CHECK, State, WORKERS, Worker, each},
};

/// What may happen in a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Concurrent invocations.
    pub(crate) workers: usize,
    /// Messages in an invocation, at most 2.
    pub(crate) batch: usize,
    pub(crate) landing: Landing,
    /// What the delay of a check outlasts.
    pub(crate) wait: Wait,
    pub(crate) luck: Luck,
}

/// A login without a call counts as if its call had been applied when it was merged.
fn adopt(state: &mut State, node: &Node, learner: &Learner) {
    let Some(row) = node.merged_without_a_call() else { return };
    let values = learner.values.borrow();
    if let Some(owner) = values.device(row).owner().filter(|_| values.device(row).confirmed().is_some()) {
        let login = learner.book.event_at(&owner.version);
        state.adopt(&learner.book.truth(Bound::default(), &[login]));
    }
}

/// One thing that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A worker receives these messages.
    Deliver { worker: usize, messages: u8 },
    /// One of the open steps of a worker is done, or fails.
    Step { worker: usize, step: usize, how: How },
    /// A worker that has ended reports, and the messages it has completed are deleted.
    Report { worker: usize },
    /// A worker dies.
    Crash { worker: usize },
    /// A worker receives a check.
    DeliverCheck { worker: usize, slot: usize },
    /// A worker dies, and its messages have used up their deliveries.
    GiveUp { worker: usize },
    /// TPNS applies a call that it has received.
    Land { call: usize },
    /// TPNS forgets one.
    Lose { call: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Done,
    /// Not done, and the worker sees a failure.
    Refused,
    /// Done, and the worker sees a failure.
    AnswerLost,
    /// Done twice: the first try was not answered and lands at some time, the second one was.
    Repeated,
}

/// An invocation has reported an event although nothing had failed: it might do so for ever.
#[derive(Debug)]
pub(crate) struct Stuck;

/// A scenario and its rules.
pub(crate) struct World<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) rules: Rules,
    /// Whether all orders of steps are explored, also where two orders can't make a difference.
    pub(crate) in_full: bool,
}

impl World<'_> {
    pub(crate) fn start(&self, learner: &mut Learner) -> State {
        let mut state = State::start(self.scenario, self.rules.luck);
        if let Some(login) = self.scenario.confirmed {
            state.devices[0] = learner.values.get_mut().confirmed(learner.book.event(login));
        }
        state
    }

    /// What can happen next.
    pub(crate) fn moves(&self, state: &State, learner: &Learner) -> Vec<Move> {
        let mut moves = Vec::with_capacity(16);
        let active = || (0..WORKERS).filter_map(|worker| Some((worker, learner.node(state.workers[worker]?.node))));
        if !self.in_full {
            // A step that neither affects what others read nor reads what they affect can be done first, and then need
            // not be tried at any other point.
            for (worker, node) in active() {
                if self.alone(worker, node, state, learner, &mut moves) {
                    return moves;
                }
            }
        }
        for (worker, node) in active() {
            for (step, (op, _)) in node.open.iter().enumerate() {
                self.steps(worker, step, *op, state, &mut moves);
            }
            if node.end.is_some() {
                moves.push(Move::Report { worker });
            }
            if state.left.crashes > 0 {
                moves.push(Move::Crash { worker });
            }
            if state.left.dead > 0 && node.recorded {
                moves.push(Move::GiveUp { worker });
            }
        }
        self.deliveries(state, &mut moves);
        for call in state.calls.different() {
            moves.push(Move::Land { call });
            if state.left.lost > 0 {
                moves.push(Move::Lose { call });
            }
        }
        moves
    }

    /// Steps of this worker that commute with every step of every other one, if there are any: reading the row of an
    /// account that no event deletes, and reporting. (Crashing instead of reporting stays a choice. A crash before such
    /// a read is the same as one after it. If messages are delivered twice, a report does affect others: it deletes
    /// their messages.)
    fn alone(&self, worker: usize, node: &Node, state: &State, learner: &Learner, moves: &mut Vec<Move>) -> bool {
        if node.end.is_some() && self.rules.luck.twice == 0 {
            moves.push(Move::Report { worker });
            if state.left.crashes > 0 {
                moves.push(Move::Crash { worker });
            }
            if state.left.dead > 0 && node.recorded {
                moves.push(Move::GiveUp { worker });
            }
            return true;
        }
        let is_constant = |op: Op| match op {
            Op::ReadDeletion(account) => !self.scenario.messages.iter().any(|&id| learner.book.deletes(id, account)),
            _ => false,
        };
        let Some(step) = node.open.iter().position(|(op, _)| is_constant(*op)) else { return false };
        self.steps(worker, step, node.open[step].0, state, moves);
        true
    }

    fn deliveries(&self, state: &State, moves: &mut Vec<Move>) {
        let Some(worker) = state.workers.iter().position(Option::is_none) else { return };
        if state.workers.iter().flatten().count() >= self.rules.workers {
            return;
        }
        if self.rules.landing == Landing::LateInOne && !state.calls.is_empty() {
            return;
        }
        moves.extend(state.due_checks().map(|slot| Move::DeliverCheck { worker, slot }));
        if state.left.doubled > 0 {
            let held = (0..CHECKS).filter(|&slot| state.stage(slot) == Some(Stage::Held));
            moves.extend(held.map(|slot| Move::DeliverCheck { worker, slot }));
        }
        let (messages, held) = (self.scenario.messages.len(), state.held());
        for message in 0..messages {
            let mail = state.mail[message];
            let is_held = held >> message & 1 == 1;
            let is_delivered = match (mail.waiting, mail.acknowledged) {
                (true, _) => true,
                (false, true) => state.left.late > 0 && !is_held,
                (false, false) => state.left.twice > 0,
            };
            if is_delivered {
                moves.push(Move::Deliver { worker, messages: 1 << message });
            }
            if mail.waiting && self.rules.batch > 1 {
                let others = (message + 1..messages).filter(|&other| state.mail[other].waiting);
                moves.extend(others.map(|other| Move::Deliver { worker, messages: 1 << message | 1 << other }));
            }
        }
    }

    /// The world after a move.
    pub(crate) fn after(&self, state: &State, to: Move, learner: &mut Learner) -> Result<State, Stuck> {
        let mut state = *state;
        match to {
            Move::Deliver { worker, messages } => {
                let events: Vec<_> = each(messages).map(|message| self.scenario.messages[message]).collect();
                let repairs = each(messages).fold(0, |bits, message| bits | u8::from(state.take(message)) << message);
                let node = learner.begin(&Task::Events(events));
                let born = Worker { node, holds: messages, repairs, pushed: false, check: NO_CHECK, marks: 0 };
                state.workers[worker] = Some(born);
            }
            Move::DeliverCheck { worker, slot } => {
                let key = state.checks[slot].expect("a check").key;
                let may_confirm = match (learner.protocol.confirms(), key) {
                    (Confirms::Old, Key::Device(device)) => state.is_row_old(Key::Row(device)),
                    _ => false,
                };
                let node = learner.begin(&Task::Check(key, may_confirm));
                state.take_check(worker, slot, node, self.rules.wait);
            }
            Move::Step { worker, step, how } => {
                let at = state.workers[worker].unwrap();
                let (op, _) = learner.node(at.node).open[step];
                let waiting = learner.protocol.form().filter(|form| form.delivers && form.waits_for_deletions);
                let mut answer = match op {
                    Op::Item(item) => self.receive(&mut state, (item, at.marks), how, learner.book.tpns),
                    Op::Send(key) => {
                        match how {
                            How::Refused => state.left.unsent -= 1,
                            _ if learner.protocol.form().is_some_and(|form| !form.delivers) => {}
                            _ => state.send_check(key, self.rules.wait),
                        }
                        Answer::Done
                    }
                    _ if how == How::Refused => Answer::Failed,
                    Op::RaiseDevice(device, _) if learner.protocol.confirms() == Confirms::Old => {
                        let before = state.devices;
                        let answer = state.perform(op, learner.values.get_mut(), &learner.book);
                        if state.devices != before {
                            state.row_changes(Key::Row(device), self.rules.wait);
                        }
                        answer
                    }
                    Op::RaiseDeletion(account, _) if waiting.is_some() => {
                        let before = state.deletions;
                        let answer = state.perform(op, learner.values.get_mut(), &learner.book);
                        let is_renewed =
                            waiting.is_some_and(|form| form.renews_deletions) && learner.is_unaccepted(answer);
                        if is_renewed || state.deletions != before {
                            state.row_changes(Key::Deletion(account), self.rules.wait);
                        }
                        answer
                    }
                    Op::ReadDeletion(account) if at.holds == 0 && !state.is_row_old(Key::Deletion(account)) => {
                        Answer::Young(state.deletions[usize::from(account)])
                    }
                    _ => state.perform(op, learner.values.get_mut(), &learner.book),
                };
                if how != How::Done && !matches!(op, Op::Send(_)) {
                    state.left.failures -= 1;
                }
                if matches!(how, How::Refused | How::AnswerLost) {
                    answer = Answer::Failed;
                }
                let matters = self.rules.luck.twice > 0 && how != How::Refused && matches!(op, Op::Item(_));
                let node = learner.after(at.node, step, answer);
                if self.scenario.confirmed.is_some() && learner.node(at.node).merged_without_a_call().is_none() {
                    adopt(&mut state, learner.node(node), learner);
                }
                // The step may have marked it.
                let at = state.workers[worker].unwrap();
                state.workers[worker] = Some(Worker { node, pushed: at.pushed || matters, ..at });
            }
            Move::Report { worker } => {
                let at = state.workers[worker].take().unwrap();
                let node = learner.node(at.node);
                let end = node.end.as_ref().unwrap();
                if at.holds == 0 {
                    state.return_check(&at, end[0], self.rules.wait);
                }
                for (message, &acknowledged) in each(at.holds).zip(end) {
                    if acknowledged {
                        state.acknowledge(message);
                    } else if node.failed {
                        state.redeliver(message, &at);
                    } else {
                        return Err(Stuck);
                    }
                }
            }
            Move::Crash { worker } => {
                state.left.crashes -= 1;
                let at = state.workers[worker].take().unwrap();
                each(at.holds).for_each(|message| state.redeliver(message, &at));
                state.return_check(&at, false, self.rules.wait);
            }
            Move::GiveUp { worker } => {
                state.left.dead -= 1;
                let at = state.workers[worker].take().unwrap();
                each(at.holds).for_each(|message| state.acknowledge(message));
            }
            Move::Land { call } => {
                let item = state.calls.remove(call);
                state.apply(item, learner.book.tpns);
            }
            Move::Lose { call } => {
                state.left.lost -= 1;
                state.calls.remove(call);
            }
        }
        state.advance_checks(self.rules.wait);
        Ok(state)
    }

    /// TPNS receives an item: it applies it at once or later.
    fn receive(&self, state: &mut State, (item, marks): (Item, u8), how: How, tpns: Tpns) -> Answer {
        let (at_once, later) = match (how, self.rules.landing) {
            (How::Refused, _) => (0, 0),
            (How::Done | How::AnswerLost, Landing::AtOnce) | (How::Done, Landing::LateUnanswered) => (1, 0),
            (How::AnswerLost, Landing::LateUnanswered)
            | (How::Done | How::AnswerLost, Landing::Late | Landing::LateInOne) => (0, 1),
            (How::Repeated, Landing::LateUnanswered) => (1, 1),
            (How::Repeated, Landing::Late | Landing::LateInOne) => (0, 2),
            (How::Repeated, Landing::AtOnce) => unreachable!("the same as once"),
        };
        (0..at_once).for_each(|_| state.apply(item, tpns));
        (0..later).for_each(|_| state.calls.add(item, marks));
        Answer::Done
    }

    /// The ways in which a step can go.
    fn steps(&self, worker: usize, step: usize, op: Op, state: &State, moves: &mut Vec<Move>) {
        let mut can = |how| moves.push(Move::Step { worker, step, how });
        can(How::Done);
        if matches!(op, Op::Send(_)) {
            if state.left.unsent > 0 {
                can(How::Refused);
            }
            return;
        }
        if state.left.failures > 0 {
            can(How::Refused);
            if !matches!(op, Op::ReadDevice(_) | Op::ReadDeletion(_) | Op::Query(_)) {
                can(How::AnswerLost);
            }
            if matches!(op, Op::Item(_)) && self.rules.landing != Landing::AtOnce {
                can(How::Repeated);
            }
        }
    }
}
