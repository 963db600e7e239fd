//! The log of calls: what clients sent, and what they received.

use std::collections::VecDeque;

use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::codes::RetCode;

/// One request to TPNS's part of the server, as `GET /_sim/calls` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Place in the order of arrival, from 1.
    pub seq: u64,
    /// When the request was complete, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The app its credentials name, right or wrong.
    pub app: Option<String>,
    /// The path of the request.
    pub path: String,
    /// The body's `operator_type`, if it has one.
    pub operator_type: Option<i64>,
    /// Items of the request; 0 when the body is no valid request.
    pub items: usize,
    /// Number of the TCP connection, from 1: equal numbers show a reused connection.
    pub connection: u64,
    /// The request's `User-Agent`.
    pub user_agent: Option<String>,
    /// HTTP status, once an answer was sent; never for hang and disconnect.
    pub status: Option<u16>,
    /// The answer's `ret_code`, when the client could read one.
    pub ret_code: Option<RetCode>,
    /// The answer's `result`, when the client could read one.
    pub result: Option<Vec<String>>,
    /// Kind of the fault that hit the call.
    pub fault: Option<&'static str>,
    /// Whether at least one item was accepted and takes effect.
    pub applied: bool,
    /// Why TPNS refuses the call; TPNS itself does not send this text.
    pub hint: Option<String>,
    /// The body, when it is JSON.
    pub request: Option<Value>,
}

impl Call {
    /// A call that has just arrived.
    pub(crate) fn arriving(at_ms: u64, path: &str, connection: u64) -> Self {
        Self {
            seq: 0,
            at_ms,
            app: None,
            path: path.to_owned(),
            operator_type: None,
            items: 0,
            connection,
            user_agent: None,
            status: None,
            ret_code: None,
            result: None,
            fault: None,
            applied: false,
            hint: None,
            request: None,
        }
    }

    pub(crate) fn answer(&mut self, received: Received) {
        self.status = received.status;
        self.ret_code = received.ret_code;
        self.result = received.result;
    }
}

/// What the client of a call received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) status: Option<u16>,
    pub(crate) ret_code: Option<RetCode>,
    pub(crate) result: Option<Vec<String>>,
}

/// Identifies a call in the log until the next reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallId {
    seq: u64,
    era: u64,
}

#[derive(Debug)]
struct Entry {
    call: Call,
    /// As received; it is parsed when the log is read, which is rare.
    body: Bytes,
    /// The number of the last change of the call.
    change: u64,
}

impl Entry {
    fn read(&self) -> Call {
        Call { request: serde_json::from_slice(&self.body).ok(), ..self.call.clone() }
    }
}

/// The newest calls, oldest first.
#[derive(Debug)]
pub(crate) struct CallLog {
    entries: VecDeque<Entry>,
    last_seq: u64,
    /// The number of the last change: a call changes when it arrives and when it is answered.
    last_change: u64,
    /// Counts resets, so that a call from before a reset can't write to a later one of the same number.
    era: u64,
    keep: usize,
}

impl CallLog {
    pub(crate) fn keeping(keep: usize) -> Self {
        Self { entries: VecDeque::new(), last_seq: 0, last_change: 0, era: 0, keep: keep.max(1) }
    }

    /// Adds a call; its `seq` and `request` are set here.
    pub(crate) fn arrive(&mut self, mut call: Call, body: Bytes) -> CallId {
        self.last_seq += 1;
        call.seq = self.last_seq;
        if self.entries.len() >= self.keep {
            self.entries.pop_front();
        }
        self.last_change += 1;
        self.entries.push_back(Entry { call, body, change: self.last_change });
        CallId { seq: self.last_seq, era: self.era }
    }

    pub(crate) fn applied(&mut self, id: CallId) {
        if let Some(call) = self.change(id) {
            call.applied = true;
        }
    }

    pub(crate) fn explain(&mut self, id: CallId, hint: Option<String>) {
        if let Some(call) = self.change(id) {
            call.hint = hint;
        }
    }

    pub(crate) fn answer(&mut self, id: CallId, received: Received) {
        if let Some(call) = self.change(id) {
            call.answer(received);
        }
    }

    pub(crate) fn since(&self, seq: u64) -> Vec<Call> {
        self.entries.iter().filter(|entry| entry.call.seq > seq).map(Entry::read).collect()
    }

    /// Of the `newest` calls those that changed after change `number`, oldest first.
    pub(crate) fn changed_since(&self, number: u64, newest: usize) -> Vec<Call> {
        let skipped = self.entries.len().saturating_sub(newest);
        self.entries.iter().skip(skipped).filter(|entry| entry.change > number).map(Entry::read).collect()
    }

    pub(crate) fn last_change(&self) -> u64 {
        self.last_change
    }

    /// Counts the times it was cleared: changes are then numbered from 1 again.
    pub(crate) fn era(&self) -> u64 {
        self.era
    }

    /// The call as it is now, without its request.
    pub(crate) fn get(&self, id: CallId) -> Option<&Call> {
        self.index(id).map(|index| &self.entries[index].call)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.last_seq = 0;
        self.last_change = 0;
        self.era += 1;
    }

    fn change(&mut self, id: CallId) -> Option<&mut Call> {
        let index = self.index(id)?;
        self.last_change += 1;
        let entry = self.entries.get_mut(index)?;
        entry.change = self.last_change;
        Some(&mut entry.call)
    }

    fn index(&self, id: CallId) -> Option<usize> {
        let first = self.entries.front()?;
        let index = usize::try_from(id.seq.checked_sub(first.call.seq)?).ok()?;
        (id.era == self.era && index < self.entries.len()).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str) -> Call {
        Call::arriving(0, path, 1)
    }

    fn received(status: u16) -> Received {
        Received { status: Some(status), ..Received::default() }
    }

    #[test]
    fn the_log_keeps_the_newest_and_still_finds_them() {
        let mut log = CallLog::keeping(2);
        let ids: Vec<CallId> =
            ["/a", "/b", "/c"].into_iter().map(|path| log.arrive(call(path), Bytes::from_static(b"{}"))).collect();
        log.answer(ids[0], received(500));
        log.answer(ids[2], received(200));
        let kept: Vec<_> = log.since(0).into_iter().map(|call| (call.seq, call.path, call.status)).collect();
        assert_eq!(kept, [(2, "/b".to_owned(), None), (3, "/c".to_owned(), Some(200))]);
        assert_eq!(log.since(2).len(), 1);
    }

    #[test]
    fn a_call_is_listed_again_when_it_has_changed() {
        let mut log = CallLog::keeping(9);
        let first = log.arrive(call("/a"), Bytes::new());
        log.arrive(call("/b"), Bytes::new());
        let seen = log.last_change();
        assert!(log.changed_since(seen, 9).is_empty());
        log.answer(first, received(200));
        let changed: Vec<u64> = log.changed_since(seen, 9).iter().map(|call| call.seq).collect();
        assert_eq!(changed, [1]);
        assert!(log.changed_since(seen, 1).is_empty(), "only the newest are looked at");
        assert_eq!(log.changed_since(0, 9).len(), 2);
    }

    #[test]
    fn a_call_from_before_a_reset_does_not_change_a_later_one() {
        let mut log = CallLog::keeping(9);
        let before = log.arrive(call("/before"), Bytes::new());
        log.clear();
        log.arrive(call("/after"), Bytes::new());
        log.answer(before, received(500));
        log.applied(before);
        let after = &log.since(0)[0];
        assert_eq!((after.seq, after.status, after.applied), (1, None, false));
    }
}
