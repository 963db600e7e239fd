//! What an invocation does next, given what its steps have answered so far: learnt from the real code, once for each
//! history, and kept.
//!
//! An invocation is a function of its events and of the answers it gets. So the search need not run it anew for every
//! order in which two of them can meet: it runs it once for each history one of them can have, and puts these together
//! in every order. Futures can't be copied, so a history is run from its start.

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
    steps::{Answer, Asked, Values},
    weaker::Protocol,
};

/// Index of a [`Node`].
pub(crate) type NodeId = u32;

/// An invocation in the middle of its work: all there is to know of it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) events: Vec<EventId>,
    /// The steps it waits for, any of which may come next.
    pub(crate) open: Vec<Asked>,
    /// What it says in the end: of each event whether it is acknowledged.
    pub(crate) end: Option<Vec<bool>>,
    /// Whether a step has failed on it.
    pub(crate) failed: bool,
    told: Vec<(Asked, Answer)>,
    next: Vec<(usize, Answer, NodeId)>,
}

/// Which events, and what each step answered, whatever the order.
type History = (Vec<EventId>, Vec<(Asked, Answer)>);

/// All that is known of how invocations go.
pub(crate) struct Learner {
    pub(crate) protocol: Protocol,
    pub(crate) book: Book,
    pub(crate) values: RefCell<Values>,
    nodes: Vec<Node>,
    known: HashMap<History, NodeId>,
    /// How often the code was run.
    pub(crate) runs: u64,
}

type Reached = (Vec<Asked>, Option<Vec<bool>>);

impl Learner {
    pub(crate) fn new(protocol: Protocol, book: Book) -> Self {
        Self { protocol, book, values: RefCell::default(), nodes: Vec::new(), known: HashMap::new(), runs: 0 }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// An invocation of these events, before its first step.
    pub(crate) fn begin(&mut self, events: &[EventId]) -> NodeId {
        match self.known.get(&(events.to_vec(), Vec::new())) {
            Some(&id) => id,
            None => self.learn(events.to_vec(), Vec::new(), Vec::new(), None),
        }
    }

    /// The invocation after one of its open steps has given this answer.
    pub(crate) fn after(&mut self, id: NodeId, step: usize, answer: Answer) -> NodeId {
        let node = self.node(id);
        if let Some((.., next)) = node.next.iter().find(|next| (next.0, next.1) == (step, answer)) {
            return *next;
        }
        let mut told = node.told.clone();
        told.push((node.open[step], answer));
        let mut history = told.clone();
        history.sort_unstable();
        let events = node.events.clone();
        let known = self.known.get(&(events.clone(), history.clone())).copied();
        let next = self.learn(events, history, told, known);
        self.nodes[id as usize].next.push((step, answer, next));
        next
    }

    /// Runs a history. If the same answers have come before, in another order, the code must stand where it stood then.
    fn learn(
        &mut self,
        events: Vec<EventId>,
        history: Vec<(Asked, Answer)>,
        told: Vec<(Asked, Answer)>,
        known: Option<NodeId>,
    ) -> NodeId {
        let (open, end) = self.run(&events, &told);
        if let Some(id) = known {
            let same = self.node(id);
            assert_eq!((&same.open, &same.end), (&open, &end), "the order of answers to {told:?} matters");
            return id;
        }
        assert_eq!(open.is_empty(), end.is_some(), "waits for nothing, or leaves steps behind: {told:?}");
        let id = NodeId::try_from(self.nodes.len()).unwrap();
        let failed = told.iter().any(|(_, answer)| *answer == Answer::Failed);
        self.known.insert((events.clone(), history), id);
        self.nodes.push(Node { events, open, end, failed, told, next: Vec::new() });
        id
    }

    fn run(&mut self, ids: &[EventId], told: &[(Asked, Answer)]) -> Reached {
        self.runs += 1;
        let own = if self.protocol.pushes_rows() { None } else { self.newest_login(ids) };
        let events = ids.iter().map(|&id| self.book.event(id).clone()).enumerate();
        let events: Vec<_> = events.map(|(n, event)| (MessageIndex(n), event)).collect();
        let desk = Desk::new(&self.book, &self.values, own);
        let mut invocation = pin!(self.protocol.settle(&desk, &desk, &events));
        let mut context = Context::from_waker(Waker::noop());
        let mut state = invocation.as_mut().poll(&mut context);
        for &(asked, answer) in told {
            assert!(state.is_pending(), "ended before {asked:?}");
            desk.answer(asked, answer);
            state = invocation.as_mut().poll(&mut context);
        }
        let end = match state {
            Poll::Pending => None,
            Poll::Ready(outcomes) => Some(outcomes.iter().map(is_acknowledged).collect()),
        };
        (desk.open(), end)
    }

    fn newest_login(&self, events: &[EventId]) -> Option<By> {
        let logins = events.iter().filter(|&&id| matches!(self.book.event(id).change, Change::Login(..)));
        logins.max_by_key(|&&id| &self.book.event(id).version).map(|id| id + 1)
    }
}

/// Whether a message may be deleted. What the search can't have is not taken for a failure.
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
