//! What an invocation does next after the answers to its steps so far: learnt from the real code, once for each
//! history, and kept.
//!
//! An invocation is determined by its events and the answers it gets. So the search need not run it again for every
//! interleaving of two of them: it runs it once for each history that one of them can have, and combines these in every
//! order. Futures can't be copied, so a history is run from its start.

use std::{
    cell::RefCell,
    collections::HashMap,
    pin::pin,
    task::{Context, Poll, Waker},
};

use tpns_account_sync::{
    event::Change,
    ingress::MessageIndex,
    outcome::{Outcome, Reason},
};

use crate::{
    desk::Desk,
    events::{Book, By, EventId},
    steps::{Answer, Asked, Key, Op, RowId, Values},
    weaker::Protocol,
};

/// Index of a [`Node`].
pub(crate) type NodeId = u32;

/// What an invocation is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Events(Vec<EventId>),
    /// Whether it may confirm rows.
    Check(Key, bool),
}

/// The state of an invocation in the middle of its work.
#[derive(Debug)]
pub(crate) struct Node {
    task: Task,
    /// The steps it waits for, any of which may come next.
    pub(crate) open: Vec<Asked>,
    /// Its result: whether each event is acknowledged, or whether its check is.
    pub(crate) end: Option<Vec<bool>>,
    /// Whether one of its steps has failed.
    pub(crate) failed: bool,
    /// Whether it has events, their rows have them, and their checks are sent.
    pub(crate) recorded: bool,
    answers: Vec<(Asked, Answer)>,
    next: Vec<(usize, Answer, NodeId)>,
}

/// The task, and the answer to each step, in any order.
type History = (Task, Vec<(Asked, Answer)>);

/// Everything learnt about invocations.
pub(crate) struct Learner {
    pub(crate) protocol: Protocol,
    pub(crate) book: Book,
    pub(crate) values: RefCell<Values>,
    nodes: Vec<Node>,
    known: HashMap<History, NodeId>,
    /// How often the code was run.
    pub(crate) runs: u64,
}

impl Node {
    /// The first phone's row as the events left it, if it is merged and nothing has been pushed.
    pub(crate) fn merged_without_a_call(&self) -> Option<RowId> {
        let steps = || self.open.iter().chain(self.answers.iter().map(|(asked, _)| asked)).map(|(op, _)| op);
        let is_merged = self.end.is_some() || steps().any(|op| matches!(op, Op::ReadDevice(0)));
        if !is_merged || steps().any(|op| matches!(op, Op::Item(_))) {
            return None;
        }
        self.answers.iter().rev().find_map(|((op, _), answer)| match (op, answer) {
            (Op::RaiseDevice(0, _), Answer::Device(row)) => Some(*row),
            _ => None,
        })
    }
}

type Reached = (Vec<Asked>, Option<Vec<bool>>);

impl Learner {
    pub(crate) fn new(protocol: Protocol, book: Book) -> Self {
        let values = RefCell::new(Values::of(protocol.form().map(|form| form.keeps).unwrap_or_default()));
        Self { protocol, book, values, nodes: Vec::new(), known: HashMap::new(), runs: 0 }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// Whether this is the row of a deletion that TPNS has not accepted.
    pub(crate) fn is_unaccepted(&self, answer: Answer) -> bool {
        let Answer::Deletion(row) = answer else { return false };
        self.values.borrow().deletion(row).is_some_and(|row| !row.accepted)
    }

    /// An invocation, before its first step.
    pub(crate) fn begin(&mut self, task: &Task) -> NodeId {
        match self.known.get(&(task.clone(), Vec::new())) {
            Some(&id) => id,
            None => self.learn(task.clone(), Vec::new(), Vec::new(), None),
        }
    }

    /// The invocation after one of its open steps has given this answer.
    pub(crate) fn after(&mut self, id: NodeId, step: usize, answer: Answer) -> NodeId {
        let node = self.node(id);
        if let Some((.., next)) = node.next.iter().find(|next| (next.0, next.1) == (step, answer)) {
            return *next;
        }
        let mut answers = node.answers.clone();
        answers.push((node.open[step], answer));
        let mut history = answers.clone();
        history.sort_unstable();
        let task = node.task.clone();
        let known = self.known.get(&(task.clone(), history.clone())).copied();
        let next = self.learn(task, history, answers, known);
        self.nodes[id as usize].next.push((step, answer, next));
        next
    }

    /// Runs a history. If the same answers were given before in another order, the code must be in the same state.
    fn learn(
        &mut self,
        task: Task,
        history: Vec<(Asked, Answer)>,
        answers: Vec<(Asked, Answer)>,
        known: Option<NodeId>,
    ) -> NodeId {
        let (open, end) = self.run(&task, &answers);
        if let Some(id) = known {
            let same = self.node(id);
            assert_eq!((&same.open, &same.end), (&open, &end), "the order of answers to {answers:?} matters");
            return id;
        }
        assert_eq!(open.is_empty(), end.is_some(), "it waits for nothing, or ends with open steps: {answers:?}");
        let id = NodeId::try_from(self.nodes.len()).unwrap();
        let failed = answers.iter().any(|(_, answer)| *answer == Answer::Failed);
        let is_merge = |op: &Op| matches!(op, Op::RaiseDevice(..) | Op::RaiseDeletion(..));
        let recorded = answers.iter().any(|((op, _), answer)| is_merge(op) && *answer != Answer::Failed)
            && !open.iter().any(|(op, _)| is_merge(op) || matches!(op, Op::Send(_)));
        self.known.insert((task.clone(), history), id);
        self.nodes.push(Node { task, open, end, failed, recorded, answers, next: Vec::new() });
        id
    }

    fn run(&mut self, task: &Task, answers: &[(Asked, Answer)]) -> Reached {
        self.runs += 1;
        let ids: &[EventId] = if let Task::Events(ids) = task { ids } else { &[] };
        let own = if self.protocol.pushes_rows() { None } else { self.newest_login(ids) };
        let events = ids.iter().map(|&id| self.book.event(id).clone()).enumerate();
        let events: Vec<_> = events.map(|(n, event)| (MessageIndex(n), event)).collect();
        let is_check = matches!(task, Task::Check(..));
        let may_confirm = matches!(task, Task::Check(_, true));
        let desk = Desk::new(&self.book, &self.values, own, self.protocol.form(), is_check, may_confirm);
        let mut invocation = pin!(async {
            match *task {
                Task::Events(_) => self.protocol.settle(&desk, &events).await.iter().map(is_acknowledged).collect(),
                Task::Check(key, _) => vec![self.protocol.check(&desk, key).await],
            }
        });
        let mut context = Context::from_waker(Waker::noop());
        let mut state = invocation.as_mut().poll(&mut context);
        for &(asked, answer) in answers {
            assert!(state.is_pending(), "ended before {asked:?}");
            desk.answer(asked, answer);
            state = invocation.as_mut().poll(&mut context);
        }
        let end = match state {
            Poll::Pending => None,
            Poll::Ready(end) => Some(end),
        };
        (desk.open(), end)
    }

    fn newest_login(&self, events: &[EventId]) -> Option<By> {
        let logins = events.iter().filter(|&&id| matches!(self.book.event(id).change, Change::Login(..)));
        logins.max_by_key(|&&id| &self.book.event(id).version).map(|id| id + 1)
    }
}

/// Whether a message may be deleted. Outcomes that can't occur in the search panic.
fn is_acknowledged(outcome: &Outcome) -> bool {
    match outcome {
        acknowledged if acknowledged.is_acknowledged() => true,
        Outcome::Retry(failure) => {
            assert_ne!(failure.reason, Reason::LedgerKeepsChanging, "three events can't keep a row changing");
            false
        }
        other => panic!("nothing here is rejected: {other:?}"),
    }
}
