//! One call of a plan, until each of its items has a verdict: what waits for what, retries, and halving.

use std::time::Duration;

use futures_util::{StreamExt, future::join, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Deadline, FIRST_PAUSE, LEAST_TIME, LONGEST_PAUSE, Run, Tpns, Verdicts};
use crate::{
    outcome::{Failure, Reason},
    plan::{GateState, ItemIndex, Patience, Plan, Verdict},
    tpns::{answer::Judgement, calls::Call, codes::is_a_status_of_the_app},
};

const IN_DOUBT: Verdict = Verdict::Retry(
    Failure::new(Reason::TpnsInDoubt, "accepted after a try without an answer, which may take effect later"),
    None,
);

impl Tpns<'_> {
    /// Sends a call's items, once what they wait for allows it. Those that wait for a call that hangs are left behind,
    /// and sent later.
    pub(super) async fn call(&self, run: &Run<'_>, call: &Call, mut items: Vec<ItemIndex>) {
        // An item that need not wait does so for half of the time at most.
        let patience_ends = Instant::now() + run.deadline.remaining() / 2;
        let mut is_quiet = false;
        let left_behind = loop {
            let changed = run.verdicts.changed();
            let patience = if Instant::now() < patience_ends { Patience::Lasts } else { Patience::IsOver };
            let Sorted { free, waiting, held } = sort(run.plan, items, run.verdicts, patience);
            held.into_iter().for_each(|(item, verdict)| run.verdicts.set(item, verdict));
            if waiting.is_empty() || (!free.is_empty() && is_quiet) {
                items = free;
                break waiting;
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = self.quiet(run.verdicts), if !free.is_empty() => is_quiet = true,
                // The calls it waits for end by the deadline.
                () = sleep_until(patience_ends), if patience == Patience::Lasts => {}
            }
            items = [free, waiting].concat();
        };
        let settle = self.settle(run, call, items);
        if left_behind.is_empty() {
            settle.await;
        } else {
            join(settle, Box::pin(self.call(run, call, left_behind))).await;
        }
    }

    /// Sends these items of a call until each has a verdict. What TPNS rejects without saying which item is at fault is
    /// searched for it.
    pub(super) async fn settle(&self, run: &Run<'_>, call: &Call, items: Vec<ItemIndex>) {
        if items.is_empty() {
            return;
        }
        if let Some(verdict) = run.rejections.halted(call.operator_type) {
            return run.set_all(&items, &verdict);
        }
        let Some((items, failure)) = self.attempt(run, call, items).await else { return };
        match items.as_slice() {
            [one] => match run.rejections.alone(*one, call.operator_type, failure) {
                (verdict, true) => run.verdicts.set(*one, verdict),
                (verdict, false) => run.verdicts.set_for_now(*one, verdict),
            },
            _ => Box::pin(self.search(run, call, items)).await,
        }
    }

    /// Finds the items at fault by halving. If TPNS still takes nothing, a few items are sent alone: if all of them are
    /// rejected alike, it is not the items.
    async fn search(&self, run: &Run<'_>, call: &Call, mut items: Vec<ItemIndex>) {
        let of = run.rejections.of(call.operator_type);
        let mut sample = FuturesUnordered::new();
        if of.rejected()
            && let Some(_turn) = of.turn().await
            && of.is_unclear()
        {
            let alone = of.sample(&mut items).into_iter();
            sample.extend(alone.map(|item| self.settle(run, call, vec![item])));
            // Once it is clear, the rest does not wait for the one that hangs.
            while of.is_unclear()
                && let Some(()) = sample.next().await
            {}
            if of.is_unclear() {
                of.conclude(items.len());
            }
        }
        let right = items.split_off(items.len() / 2);
        let halves = join(self.settle(run, call, items), self.settle(run, call, right));
        join(halves, sample.for_each(|()| std::future::ready(()))).await;
    }

    /// Sends these items of a call, and retries those that TPNS could not take. Returns those that it rejected as a
    /// whole.
    async fn attempt(&self, run: &Run<'_>, call: &Call, items: Vec<ItemIndex>) -> Option<(Vec<ItemIndex>, Failure)> {
        let mut open = items;
        let mut attempt = 1;
        let mut in_doubt = false;
        while !open.is_empty() {
            let judgement = match self.send(run, call, &open).await {
                Ok(judgement) => judgement,
                Err(verdict) => {
                    run.set_all(&open, &verdict);
                    return None;
                }
            };
            run.rejections.note(call.operator_type, &judgement);
            let verdicts = match judgement {
                Judgement::Whole(Verdict::Rejected(failure)) => return Some((open, failure)),
                Judgement::Whole(Verdict::Misconfigured(failure)) if is_a_status_of_the_app(&failure) => {
                    // If TPNS accepts others, it is this item, or a transient fault of the gateway.
                    let is_last = attempt >= self.settings.max_attempts.max(2);
                    let may_pass = open.len() == 1 && run.rejections.is_understood() && !is_last;
                    if may_pass && pause(attempt, None, run.deadline).await {
                        attempt += 1;
                        continue;
                    }
                    return Some((open, failure));
                }
                Judgement::Whole(verdict) => vec![verdict; open.len()],
                Judgement::Each(verdicts) => verdicts,
            };
            let (again, done): (Vec<_>, Vec<_>) =
                open.into_iter().zip(verdicts).partition(|(_, verdict)| verdict.is_retry());
            for (item, verdict) in done {
                let repeats = in_doubt && !self.settings.checked && verdict == Verdict::Accepted;
                run.verdicts.set(item, if repeats { IN_DOUBT } else { verdict });
            }
            in_doubt |= again.iter().any(|(_, verdict)| may_take_effect(verdict));
            let is_last = attempt >= self.settings.max_attempts;
            let asked = longest_asked(again.iter().map(|(_, verdict)| verdict));
            if !again.is_empty() && (is_last || !pause(attempt, asked, run.deadline).await) {
                again.into_iter().for_each(|(item, verdict)| run.verdicts.set(item, verdict));
                return None;
            }
            open = again.into_iter().map(|(item, _)| item).collect();
            attempt += 1;
        }
        None
    }
}

/// Whether a try that failed may take effect all the same, and later: TPNS has it, and did not answer in time.
fn may_take_effect(verdict: &Verdict) -> bool {
    verdict.failure().is_some_and(|failure| failure.reason == Reason::TpnsTimeout)
}

impl Run<'_> {
    fn set_all(&self, items: &[ItemIndex], verdict: &Verdict) {
        items.iter().for_each(|&item| self.verdicts.set(item, verdict.clone()));
    }
}

/// How long TPNS asked to wait with what is retried.
pub(super) fn longest_asked<'v>(again: impl Iterator<Item = &'v Verdict>) -> Option<Duration> {
    let asked = again.filter_map(|verdict| match verdict {
        Verdict::Retry(_, after) => *after,
        _ => None,
    });
    asked.max()
}

/// Waits for the next try: full jitter, but at least as long as TPNS asked. `false` if the deadline is earlier.
pub(super) async fn pause(attempt: u32, asked: Option<Duration>, deadline: Deadline) -> bool {
    let ceiling = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(10)).min(LONGEST_PAUSE);
    let pause = ceiling.mul_f64(fastrand::f64()).max(asked.unwrap_or_default());
    if pause + LEAST_TIME > deadline.remaining() {
        return false;
    }
    sleep(pause).await;
    true
}

/// The items of a call by what their gates say.
#[derive(Debug, Default)]
struct Sorted {
    /// May be sent.
    free: Vec<ItemIndex>,
    /// Wait for an item that has no verdict yet.
    waiting: Vec<ItemIndex>,
    /// Must not be sent.
    held: Vec<(ItemIndex, Verdict)>,
}

/// Sorts items by their gates.
fn sort(plan: &Plan, items: Vec<ItemIndex>, verdicts: &Verdicts, patience: Patience) -> Sorted {
    let mut sorted = Sorted::default();
    for item in items {
        match plan.gates(item, |other| verdicts.get(other), patience) {
            GateState::Open => sorted.free.push(item),
            GateState::Waits => sorted.waiting.push(item),
            GateState::Shut(verdict) => sorted.held.push((item, verdict)),
        }
    }
    sorted
}
