//! The state of one process's conversation: its open poll, its open invocation and its answers. Knows no HTTP.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::{
    Answer, ErrorReport, Offer,
    violation::{Violation, Violations},
};

/// An id answered longer ago than this number of invocations counts as unknown rather than as answered. Either is a
/// violation.
const REMEMBERED_ANSWERS: usize = 256;

#[derive(Debug, Default)]
struct State {
    /// The long poll that receives the next invocation.
    waiting: Option<oneshot::Sender<Offer>>,
    /// Whether the process has ever asked; Init is over then.
    initialised: bool,
    init_error: Option<ErrorReport>,
    open: Option<Open>,
    answered: VecDeque<String>,
}

#[derive(Debug)]
struct Open {
    request_id: String,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    state: Mutex<State>,
    changed: Notify,
    pub(super) violations: Violations,
}

/// What a process does before it receives an invocation.
pub(crate) enum Ready {
    /// It waits for the next invocation.
    Waiting,
    /// Its Init failed.
    InitError(ErrorReport),
}

impl Exchange {
    pub(super) fn new(violations: Violations) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), violations }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violates(&self, violation: Violation) -> Violation {
        self.violations.record(violation.clone());
        violation
    }

    /// `GET /invocation/next`: where the next invocation will arrive.
    pub(super) fn next(&self) -> Result<oneshot::Receiver<Offer>, Violation> {
        let mut state = self.state();
        if let Some(open) = &state.open {
            return Err(self.violates(Violation::NextWhileUnanswered { request_id: open.request_id.clone() }));
        }
        // A poll may replace one whose connection is closed, and not an open one.
        if state.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed()) {
            return Err(self.violates(Violation::NextTwice));
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting = Some(sender);
        state.initialised = true;
        drop(state);
        self.changed.notify_waiters();
        Ok(receiver)
    }

    /// Whether `request_id` may be answered now.
    pub(super) fn expects(&self, request_id: &str) -> Result<(), Violation> {
        let state = self.state();
        if state.open.as_ref().is_some_and(|open| open.request_id == request_id) {
            return Ok(());
        }
        let request_id = request_id.to_owned();
        Err(self.violates(if state.answered.contains(&request_id) {
            Violation::AnsweredTwice { request_id }
        } else {
            Violation::UnknownRequestId { request_id }
        }))
    }

    /// `POST /invocation/{id}/response` or `/error`, and also a refused answer: each ends the invocation.
    pub(super) fn settle(&self, request_id: &str, answer: Answer) -> Result<(), Violation> {
        // Checked again, since another connection may have answered while this one's body was on its way.
        self.expects(request_id)?;
        let mut state = self.state();
        if let Some(open) = state.open.take_if(|open| open.request_id == request_id) {
            state.answered.push_back(open.request_id);
            if state.answered.len() > REMEMBERED_ANSWERS {
                state.answered.pop_front();
            }
            // Fails when the invocation was given up at this very moment; the process is killed then anyway.
            let _ = open.answer.send(answer);
        }
        Ok(())
    }

    /// Ends the invocation because of `violation`, and records that.
    pub(super) fn refuse(&self, request_id: &str, violation: Violation) -> Violation {
        let violation = self.violates(violation);
        match self.settle(request_id, Answer::Refused(violation.clone())) {
            Ok(()) => violation,
            Err(other) => other,
        }
    }

    /// `POST /init/error`.
    pub(super) fn init_error(&self, report: ErrorReport) -> Result<(), Violation> {
        let mut state = self.state();
        if state.initialised {
            return Err(self.violates(Violation::InitErrorAfterInit));
        }
        state.init_error.get_or_insert(report);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Any other request.
    pub(super) fn unknown_path(&self, method: &str, path: &str) -> Violation {
        self.violates(Violation::UnknownPath { method: method.to_owned(), path: path.to_owned() })
    }

    /// The Init error reported so far.
    pub(super) fn reported_init_error(&self) -> Option<ErrorReport> {
        self.state().init_error.clone()
    }

    /// Returns when the process waits for an invocation or has reported an Init error.
    pub(super) async fn ready(&self) -> Ready {
        loop {
            let changed = self.changed.notified();
            {
                let state = self.state();
                if let Some(report) = &state.init_error {
                    return Ready::InitError(report.clone());
                }
                if state.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed()) {
                    return Ready::Waiting;
                }
            }
            changed.await;
        }
    }

    /// Passes an invocation to the process; `Err` returns it when the process doesn't wait for one.
    pub(super) fn deliver(&self, offer: Offer) -> Result<oneshot::Receiver<Answer>, Offer> {
        let mut state = self.state();
        let Some(waiting) = state.waiting.take() else { return Err(offer) };
        let request_id = offer.request_id.clone();
        waiting.send(offer)?;
        let (sender, receiver) = oneshot::channel();
        state.open = Some(Open { request_id, answer: sender });
        Ok(receiver)
    }
}

/// Whether `body` is JSON, without building a value from it.
pub(super) fn check_json(body: &Bytes) -> Result<(), serde_json::Error> {
    if body.is_empty() {
        return Ok(());
    }
    serde_json::from_slice::<&serde_json::value::RawValue>(body).map(drop)
}
