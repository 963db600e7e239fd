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

/// The newest calls, oldest first.
#[derive(Debug)]
pub(crate) struct CallLog {
    /// Each with its body as received; it is parsed when the log is read, which is rare.
    calls: VecDeque<(Call, Bytes)>,
    last_seq: u64,
    /// Counts resets, so that a call from before a reset can't write to a later one of the same number.
    era: u64,
    keep: usize,
}

impl CallLog {
    pub(crate) fn keeping(keep: usize) -> Self {
        Self { calls: VecDeque::new(), last_seq: 0, era: 0, keep: keep.max(1) }
    }

    /// Adds a call; its `seq` and `request` are set here.
    pub(crate) fn arrive(&mut self, mut call: Call, body: Bytes) -> CallId {
        self.last_seq += 1;
        call.seq = self.last_seq;
        if self.calls.len() >= self.keep {
            self.calls.pop_front();
        }
        self.calls.push_back((call, body));
        CallId { seq: self.last_seq, era: self.era }
    }

    pub(crate) fn applied(&mut self, id: CallId) {
        if let Some(call) = self.find(id) {
            call.applied = true;
        }
    }

    pub(crate) fn explain(&mut self, id: CallId, hint: Option<String>) {
        if let Some(call) = self.find(id) {
            call.hint = hint;
        }
    }

    pub(crate) fn answer(&mut self, id: CallId, received: Received) {
        if let Some(call) = self.find(id) {
            call.status = received.status;
            call.ret_code = received.ret_code;
            call.result = received.result;
        }
    }

    pub(crate) fn since(&self, seq: u64) -> Vec<Call> {
        self.calls
            .iter()
            .filter(|(call, _)| call.seq > seq)
            .map(|(call, body)| Call { request: serde_json::from_slice(body).ok(), ..call.clone() })
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.last_seq = 0;
        self.era += 1;
    }

    fn find(&mut self, id: CallId) -> Option<&mut Call> {
        let (first, _) = self.calls.front()?;
        let index = usize::try_from(id.seq.checked_sub(first.seq)?).ok()?;
        let (call, _) = self.calls.get_mut(index)?;
        (id.era == self.era).then_some(call)
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
