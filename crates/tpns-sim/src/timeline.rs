//! Accepted now, applied later: TPNS's API is asynchronous (facts.md, section 0).

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::model::{Answer, BatchOperate, ForcedCodes, Query, QueryAnswer, Tpns};

/// The service at two points in time. Answers reflect everything accepted, including what is still
/// pending; bindings and queries show what has been applied.
///
/// There is no timer: every caller passes the current time.
#[derive(Debug)]
pub(crate) struct Timeline {
    accepted: Tpns,
    applied: Tpns,
    pending: VecDeque<Pending>,
    delay: Duration,
    era: u64,
}

#[derive(Debug)]
struct Pending {
    due: Instant,
    app: String,
    operation: BatchOperate,
    forced: ForcedCodes,
}

impl Timeline {
    pub(crate) fn new(tpns: Tpns, delay: Duration) -> Self {
        Self { accepted: tpns.clone(), applied: tpns, pending: VecDeque::new(), delay, era: 0 }
    }

    /// Accepts an operation, which takes effect after the delay and after all accepted before it.
    pub(crate) fn accept(&mut self, app: &str, operation: &BatchOperate, forced: &ForcedCodes, now: Instant) -> Answer {
        let answer = self.accepted.batch_operate_with(app, operation, forced);
        if answer.took_effect() {
            self.pending.push_back(Pending {
                due: now + self.delay,
                app: app.to_owned(),
                operation: operation.clone(),
                forced: forced.clone(),
            });
        }
        // Drained here, too: otherwise the queue would grow until someone reads the bindings.
        self.applied(now);
        answer
    }

    /// The answer that [`accept`](Self::accept) would give, without its effect.
    pub(crate) fn rehearse(&self, app: &str, operation: &BatchOperate, forced: &ForcedCodes) -> Answer {
        self.accepted.rehearse(app, operation, forced)
    }

    pub(crate) fn query(&mut self, app: &str, query: &Query, forced: &ForcedCodes, now: Instant) -> QueryAnswer {
        self.applied(now).query_with(app, query, forced)
    }

    /// The state applied so far.
    pub(crate) fn applied(&mut self, now: Instant) -> &Tpns {
        while let Some(next) = self.pending.pop_front_if(|next| next.due <= now) {
            // The same operations in the same order as in `accepted`, so the answer is already known.
            self.applied.batch_operate_with(&next.app, &next.operation, &next.forced);
        }
        &self.applied
    }

    /// When everything accepted so far will have been applied.
    pub(crate) fn last_due(&self) -> Option<Instant> {
        self.pending.back().map(|last| last.due)
    }

    /// Counts the times it was cleared: an operation from before must not take effect afterwards.
    pub(crate) fn era(&self) -> u64 {
        self.era
    }

    /// Deletes bindings and pending operations.
    pub(crate) fn clear(&mut self) {
        self.era += 1;
        self.accepted.clear();
        self.applied.clear();
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Settings, TokenAccounts};

    const DELAY: Duration = Duration::from_millis(100);

    fn login(account: &str) -> BatchOperate {
        BatchOperate::Override(vec![TokenAccounts {
            token: "t".to_owned(),
            account_list: vec![Account::new(account, 0)],
        }])
    }

    fn bound(timeline: &mut Timeline, now: Instant) -> Option<String> {
        let bindings = timeline.applied(now).bindings("android");
        bindings.get("t").map(|accounts| accounts[0].account.clone())
    }

    #[test]
    fn an_accepted_operation_is_visible_only_after_the_delay_and_in_order() {
        let mut timeline = Timeline::new(Tpns::new(["android"], Settings::default()), DELAY);
        let start = Instant::now();
        let step = Duration::from_millis(10);
        for (at, account) in [(start, "first"), (start + step, "second")] {
            let answer = timeline.accept("android", &login(account), &ForcedCodes::new(), at);
            assert_eq!(answer.ret_code, 0);
        }
        assert_eq!(bound(&mut timeline, start + DELAY - step), None);
        assert_eq!(bound(&mut timeline, start + DELAY).as_deref(), Some("first"));
        assert_eq!(timeline.last_due(), Some(start + DELAY + step));
        let second = bound(&mut timeline, start + DELAY + step);
        assert_eq!(second.as_deref(), Some("second"));
        assert_eq!(timeline.last_due(), None);
    }

    #[test]
    fn a_rehearsed_operation_has_an_answer_and_no_effect() {
        let mut timeline = Timeline::new(Tpns::new(["android"], Settings::default()), Duration::ZERO);
        let answer = timeline.rehearse("android", &login("a"), &ForcedCodes::new());
        assert_eq!(answer.result, ["0"]);
        assert_eq!(bound(&mut timeline, Instant::now()), None);
    }

    #[test]
    fn clearing_deletes_pending_operations() {
        let mut timeline = Timeline::new(Tpns::new(["android"], Settings::default()), DELAY);
        let start = Instant::now();
        timeline.accept("android", &login("a"), &ForcedCodes::new(), start);
        timeline.clear();
        assert_eq!(bound(&mut timeline, start + DELAY), None);
    }
}
