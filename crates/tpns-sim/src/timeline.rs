//! Accepted now, applied later: TPNS's API is asynchronous (facts.md, section 0).

mod change;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use self::change::Change;
use crate::{
    codes::RetCode,
    effects::{EffectChange, Effects, ItemEffects, Pace},
    model::{Account, Answer, BatchOperate, ForcedCodes, Query, QueryAnswer, TokenCap, Tpns},
};

/// The service at three points in time. Answers reflect everything accepted, including what is still
/// pending; bindings show what has been applied, and queries what was applied some time ago.
///
/// There is no timer: every caller passes the current time.
#[derive(Debug)]
pub(crate) struct Timeline {
    accepted: Tpns,
    applied: Tpns,
    /// `None` when queries show everything that is applied.
    shown: Option<Tpns>,
    pace: Pace,
    draws: fastrand::Rng,
    /// By the time of their effect and, at the same time, in the order of acceptance.
    pending: BTreeMap<(Instant, u64), Change>,
    /// Applied, but not shown yet, in the order of application.
    hidden: VecDeque<(Instant, Change)>,
    /// Times at which late operations are accepted, and how many.
    expected: BTreeMap<Instant, usize>,
    acceptances: u64,
    last_applied: u64,
    /// Whether `applied` may differ from `accepted` although nothing is pending.
    diverged: bool,
    overtaken: u64,
    late: u64,
    lost: u64,
    era: u64,
}

/// An accepted operation.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub(crate) answer: Answer,
    /// Whether an item of it takes effect, now or later.
    pub(crate) takes_effect: bool,
}

impl Timeline {
    pub(crate) fn new(tpns: Tpns, pace: Pace) -> Self {
        Self {
            accepted: tpns.clone(),
            shown: (!pace.query_lag.is_zero()).then(|| tpns.clone()),
            applied: tpns.watched(),
            draws: fastrand::Rng::with_seed(pace.seed),
            pace,
            pending: BTreeMap::new(),
            hidden: VecDeque::new(),
            expected: BTreeMap::new(),
            acceptances: 0,
            last_applied: 0,
            diverged: false,
            overtaken: 0,
            late: 0,
            lost: 0,
            era: 0,
        }
    }

    /// Accepts an operation, which takes effect when the service's pace and a fault say so.
    pub(crate) fn accept(
        &mut self,
        app: &str,
        operation: &BatchOperate,
        forced: &ForcedCodes,
        effects: Option<&ItemEffects>,
        now: Instant,
    ) -> Acceptance {
        let answer = self.accepted.batch_operate_with(app, operation, forced);
        let due = now + self.pace.delay + self.draw();
        let is_chosen = |index: usize| effects.is_some_and(|effects| effects.items.contains(&index));
        let (chosen, others): (Vec<_>, Vec<_>) = answer.accepted_items().partition(|&index| is_chosen(index));
        let mut takes_effect = self.schedule(due, app, operation, &others);
        match effects.map(|effects| effects.change) {
            Some(EffectChange::Lost) => {
                self.lost += chosen.len() as u64;
                self.diverged |= !chosen.is_empty();
            }
            Some(EffectChange::Late(late)) => {
                self.late += chosen.len() as u64;
                takes_effect |= self.schedule(due + late, app, operation, &chosen);
            }
            None => {}
        }
        // Drained here, too: otherwise the queue would grow until someone reads the bindings.
        self.advance(now);
        Acceptance { answer, takes_effect }
    }

    /// Lets some items of an operation take effect at `due`. Returns whether there are any.
    fn schedule(&mut self, due: Instant, app: &str, operation: &BatchOperate, items: &[usize]) -> bool {
        if items.is_empty() {
            return false;
        }
        let skipped = (0..operation.len()).filter(|index| !items.contains(index));
        // The code is never seen: this operation has been answered.
        let skipped = skipped.map(|index| (index, RetCode::INVOKE_SERVICE_ERROR)).collect();
        self.acceptances += 1;
        let change = Change::Operation { app: app.to_owned(), operation: operation.clone(), skipped };
        self.pending.insert((due, self.acceptances), change);
        true
    }

    fn draw(&mut self) -> Duration {
        let within = u64::try_from(self.pace.within.as_nanos()).unwrap_or(u64::MAX);
        // No draw without a range, so that the sequence depends on the seed alone.
        if within == 0 { Duration::ZERO } else { Duration::from_nanos(self.draws.u64(0..=within)) }
    }

    /// The answer that [`accept`](Self::accept) would give, without its effect.
    pub(crate) fn rehearse(&self, app: &str, operation: &BatchOperate, forced: &ForcedCodes) -> Answer {
        self.accepted.rehearse(app, operation, forced)
    }

    pub(crate) fn query(&mut self, app: &str, query: &Query, forced: &ForcedCodes, now: Instant) -> QueryAnswer {
        self.advance(now);
        self.shown.as_ref().unwrap_or(&self.applied).query_with(app, query, forced)
    }

    /// Sets a token's accounts at once, as someone other than the client would: TPNS drifts.
    pub(crate) fn set(&mut self, app: &str, token: &str, accounts: Vec<Account>, now: Instant) {
        self.advance(now);
        let change = Change::Set { app: app.to_owned(), token: token.to_owned(), accounts };
        change.apply(&mut self.accepted);
        self.apply(change, now);
        self.advance(now);
    }

    /// Lets `time` pass at once: what is due by then takes effect and is shown, and the rest is due that much earlier.
    pub(crate) fn skip(&mut self, time: Duration, now: Instant) {
        self.advance(now + time);
        let pending = std::mem::take(&mut self.pending).into_iter();
        self.pending = pending.map(|((due, number), change)| ((due - time, number), change)).collect();
        self.hidden.iter_mut().for_each(|(due, _)| *due -= time);
    }

    /// The state if every accepted operation had taken effect, in the order of acceptance.
    pub(crate) fn accepted(&self) -> &Tpns {
        &self.accepted
    }

    /// The state applied so far.
    pub(crate) fn applied(&mut self, now: Instant) -> &Tpns {
        self.advance(now);
        &self.applied
    }

    fn advance(&mut self, now: Instant) {
        while let Some(next) = self.pending.first_entry()
            && next.key().0 <= now
        {
            let ((due, number), change) = next.remove_entry();
            if number < self.last_applied {
                self.overtaken += 1;
                self.diverged = true;
            }
            self.last_applied = self.last_applied.max(number);
            self.apply(change, due);
        }
        while let Some((_, change)) = self.hidden.pop_front_if(|(due, _)| *due <= now) {
            if let Some(shown) = &mut self.shown {
                change.apply(shown);
            }
        }
        // Only this rule makes answers depend on the bindings. From here on they depend on the actual ones.
        if self.diverged && self.pending.is_empty() && self.applied.token_cap() == TokenCap::Reject {
            self.accepted.clone_from(&self.applied);
            self.diverged = false;
        }
    }

    fn apply(&mut self, change: Change, at: Instant) {
        change.apply(&mut self.applied);
        if self.shown.is_some() {
            self.hidden.push_back((at + self.pace.query_lag, change));
        }
    }

    /// An operation was received that will be accepted only at `due`.
    pub(crate) fn expect(&mut self, due: Instant) {
        *self.expected.entry(due).or_default() += 1;
    }

    /// An expected operation of this era is accepted now.
    pub(crate) fn arrived(&mut self, due: Instant, era: u64) {
        if era == self.era
            && let Some(count) = self.expected.get_mut(&due)
        {
            *count -= 1;
            if *count == 0 {
                self.expected.remove(&due);
            }
        }
    }

    /// When everything accepted so far will have been applied.
    pub(crate) fn last_due(&self) -> Option<Instant> {
        self.pending.last_key_value().map(|((due, _), _)| *due)
    }

    /// The earliest time at which everything received so far can be in effect and shown; `None` if it is now.
    pub(crate) fn unsettled_until(&mut self, now: Instant) -> Option<Instant> {
        self.advance(now);
        let applied = self.last_due().map(|due| due + self.pace.query_lag);
        let shown = self.hidden.back().map(|(due, _)| *due);
        let accepted = self.expected.last_key_value().map(|(due, _)| *due);
        applied.max(shown).max(accepted)
    }

    pub(crate) fn effects(&mut self, now: Instant) -> Effects {
        Effects {
            settled: self.unsettled_until(now).is_none(),
            expected: self.expected.values().sum(),
            pending: self.pending.len(),
            hidden: self.hidden.len(),
            overtaken: self.overtaken,
            late: self.late,
            lost: self.lost,
            seed: self.pace.seed,
        }
    }

    /// Counts the times it was cleared: an operation from before must not take effect afterwards.
    pub(crate) fn era(&self) -> u64 {
        self.era
    }

    /// Deletes bindings, pending operations and counts, and draws from the start of the seed's sequence.
    pub(crate) fn clear(&mut self) {
        let mut empty = self.accepted.clone();
        empty.clear();
        *self = Self { era: self.era + 1, ..Self::new(empty, self.pace) };
    }
}

#[cfg(test)]
mod tests;
