//! Carrying out a plan: what waits for what, retries, halving, and the deadline.

mod exchange;
mod gates;
mod rejections;
mod slots;
mod verdicts;

use std::{
    cell::{Ref, RefCell},
    sync::Arc,
    time::Duration,
};

use exchange::Standing;
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream::FuturesUnordered,
};
use gates::{Patience, Sorted, sort};
use indexmap::IndexMap;
use rejections::{Evidence, Rejections};
use slots::Slots;
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, sleep_until},
};
pub use verdicts::Verdicts;

use super::{Client, Verdict, answer::Judgement, codes::is_a_status_of_the_app};
use crate::{
    config::{AppId, Apps},
    outcome::{Failure, Reason},
    plan::{Call, ItemIndex, Plan},
    secret::AppsInForce,
};

/// A call with less time than this is not begun: it would leave in doubt whether TPNS took it.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// The longest first pause before trying again; it doubles with each try, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// When nothing has become known of a push for this long, some call hangs: what does not depend on it goes on without it.
const QUIET: Duration = Duration::from_secs(1);

const NOT_SENT: Verdict = Verdict::Retry(Failure::of(Reason::NotAttempted), None);

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Calls in flight in one invocation.
    pub concurrency: usize,
    /// One call, connect to last byte.
    pub timeout: Duration,
    /// Tries of one call within one invocation.
    pub max_attempts: u32,
}

/// The moment by which the last call must be over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

impl Deadline {
    pub(crate) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// TPNS for one invocation: what went wrong with an app earlier in it counts for later calls.
#[derive(Debug)]
pub struct Tpns<'a> {
    client: &'a Client,
    /// The apps its events are opened with: they name them by their places in it.
    apps: Arc<Apps>,
    source: &'a AppsInForce,
    /// The apps after a rotation, looked for once an invocation, when TPNS refuses a key.
    renewed: OnceCell<Option<Arc<Apps>>>,
    settings: Settings,
    slots: Slots,
    standing: Vec<Standing>,
    evidence: Vec<Evidence>,
    made: RefCell<Vec<CallMade>>,
}

/// A call that was made: one HTTP exchange, whether a first try, a repetition or a half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallMade {
    /// The app it was made to.
    pub app: AppId,
    /// The items it carried.
    pub items: usize,
    /// From connecting to the last byte.
    pub took: Duration,
    /// Why not all of it was accepted: each reason once, none for success.
    pub failures: Vec<Reason>,
}

/// What one push needs to be carried out.
struct Run<'a> {
    plan: &'a Plan,
    verdicts: &'a Verdicts,
    rejections: Rejections,
    deadline: Deadline,
}

impl<'a> Tpns<'a> {
    /// Begins an invocation with these apps, which are those in force at `source`. `calls` says how many calls each app,
    /// by its place, will need.
    #[must_use]
    pub fn new(
        client: &'a Client,
        source: &'a AppsInForce,
        apps: Arc<Apps>,
        settings: Settings,
        calls: &[usize],
    ) -> Self {
        Self {
            client,
            source,
            renewed: OnceCell::new(),
            settings,
            slots: Slots::new(settings.concurrency, calls),
            standing: apps.list.iter().map(|_| Standing::default()).collect(),
            evidence: apps.list.iter().map(|_| Evidence::default()).collect(),
            apps,
            made: RefCell::default(),
        }
    }

    /// The apps as they are in force, if TPNS refused a key and one of them has moved meanwhile. Such an app's calls
    /// were not repeated: what is known of its devices is known of another place.
    #[must_use]
    pub fn moved(&self) -> Option<Apps> {
        self.apps.moved(self.renewed.get()?.as_ref()?)
    }

    /// TPNS for the rest of the invocation, with these apps in the places of its own.
    #[must_use]
    pub fn at(&self, apps: Arc<Apps>, calls: &[usize]) -> Self {
        let renewed = OnceCell::new_with(Some(None));
        Self { renewed, ..Self::new(self.client, self.source, apps, self.settings, calls) }
    }

    /// Counts calls that were made besides.
    pub fn add_calls(&self, other: Self) {
        self.made.borrow_mut().extend(other.made.into_inner());
    }

    /// The calls made so far.
    #[must_use]
    pub fn calls(&self) -> Ref<'_, Vec<CallMade>> {
        self.made.borrow()
    }

    /// Carries out the plan, and sets the verdict on each item as it becomes known; what is still without one in the end
    /// was not sent. Never fails as a whole.
    pub async fn push(&self, plan: &Plan, verdicts: &Verdicts, deadline: Deadline) {
        let mut by_app: IndexMap<AppId, Vec<&Call>> = IndexMap::new();
        for call in &plan.calls {
            by_app.entry(call.app).or_default().push(call);
        }
        join_all(by_app.into_iter().map(async |(app, calls)| {
            let Some(evidence) = self.evidence.get(usize::from(app.0)) else { return };
            let rejections = Rejections::begin(evidence, calls.iter().copied());
            let run = Run { plan, verdicts, rejections, deadline };
            join_all(calls.into_iter().map(|call| self.call(&run, call, call.items.clone()))).await;
            join_all(run.rejections.doubtful(app).iter().map(|call| self.settle(&run, call, call.items.clone()))).await;
            // Later answers may have shown more of earlier rejections.
            run.rejections.verdicts().into_iter().for_each(|(item, verdict)| verdicts.set(item, verdict));
        }))
        .await;
    }

    /// Resolves when nothing has become known of a push for a while: some call of it hangs.
    pub async fn quiet(&self, verdicts: &Verdicts) {
        let begun = Instant::now();
        loop {
            let quiet_at = verdicts.last_change().unwrap_or(begun).max(begun) + QUIET;
            if Instant::now() >= quiet_at {
                return;
            }
            sleep_until(quiet_at).await;
        }
    }

    /// The app has no more calls to make: the others get its share of the calls in flight.
    pub fn end(&self, app: AppId) {
        self.slots.end(app);
    }

    /// Sends a call's items, once what they wait for allows it. Those that wait for a call that hangs are left behind, and
    /// sent later.
    async fn call(&self, run: &Run<'_>, call: &Call, mut items: Vec<ItemIndex>) {
        // An item that need not wait gives up half of the time for it.
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
    async fn settle(&self, run: &Run<'_>, call: &Call, items: Vec<ItemIndex>) {
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

    /// Sends these items of a call, and again what TPNS could not take now. Gives back what it rejected as a whole.
    async fn attempt(&self, run: &Run<'_>, call: &Call, items: Vec<ItemIndex>) -> Option<(Vec<ItemIndex>, Failure)> {
        let mut open = items;
        let mut attempt = 1;
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
                    // Where TPNS takes others, it is this item, or a fault of the gateway that passes.
                    let is_last = attempt >= self.settings.max_attempts.max(2);
                    let may_pass = open.len() == 1 && run.rejections.is_understood() && !is_last;
                    if may_pass && pause(attempt, &[], run.deadline).await {
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
            done.into_iter().for_each(|(item, verdict)| run.verdicts.set(item, verdict));
            let is_last = attempt >= self.settings.max_attempts;
            if !again.is_empty() && (is_last || !pause(attempt, &again, run.deadline).await) {
                again.into_iter().for_each(|(item, verdict)| run.verdicts.set(item, verdict));
                return None;
            }
            open = again.into_iter().map(|(item, _)| item).collect();
            attempt += 1;
        }
        None
    }
}

impl Run<'_> {
    fn set_all(&self, items: &[ItemIndex], verdict: &Verdict) {
        items.iter().for_each(|&item| self.verdicts.set(item, verdict.clone()));
    }
}

/// Waits for the next try: full jitter, but as long as TPNS asked. `false` when the deadline comes first.
async fn pause(attempt: u32, again: &[(ItemIndex, Verdict)], deadline: Deadline) -> bool {
    let asked = again.iter().filter_map(|(_, verdict)| match verdict {
        Verdict::Retry(_, after) => *after,
        _ => None,
    });
    let ceiling = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(10)).min(LONGEST_PAUSE);
    let pause = ceiling.mul_f64(fastrand::f64()).max(asked.max().unwrap_or_default());
    if pause + LEAST_TIME > deadline.remaining() {
        return false;
    }
    sleep(pause).await;
    true
}
