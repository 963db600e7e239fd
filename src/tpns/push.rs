//! Carrying out a plan: waves, retries, halving, and the deadline (design, "Calls").

mod exchange;
mod rejections;

use std::{
    cell::{Ref, RefCell},
    collections::HashMap,
    sync::Arc,
    time::Duration,
};

use exchange::Standing;
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream::FuturesUnordered,
};
use rejections::Rejections;
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, sleep},
};

use super::{
    Client, Verdict, Why,
    answer::{HELD, Judgement},
};
use crate::{
    config::{AppId, Apps},
    plan::{Call, Gate, Plan},
    secret::AppsInForce,
};

/// A call with less time than this is not begun: it would leave in doubt whether TPNS took it.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// The longest first pause before trying again; it doubles with each try, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

const NOT_SENT: Verdict = Verdict::Retry(Why::of("not_attempted"), None);

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
    deadline: Deadline,
    permits: Semaphore,
    standing: Vec<Standing>,
    rejections: Vec<Rejections>,
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
    pub failures: Vec<&'static str>,
}

/// What became of each item of the plan, by its index.
pub type Pushed = Vec<Verdict>;

type Settled = Vec<(usize, Verdict)>;

impl<'a> Tpns<'a> {
    /// Begins an invocation with these apps, which are those in force at `source`.
    #[must_use]
    pub fn new(
        client: &'a Client,
        source: &'a AppsInForce,
        apps: Arc<Apps>,
        settings: Settings,
        deadline: Deadline,
    ) -> Self {
        Self {
            client,
            source,
            renewed: OnceCell::new(),
            settings,
            deadline,
            permits: Semaphore::new(settings.concurrency),
            standing: apps.list.iter().map(|_| Standing::default()).collect(),
            rejections: apps.list.iter().map(|_| Rejections::default()).collect(),
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
    pub fn at(&self, apps: Arc<Apps>) -> Self {
        let renewed = OnceCell::new_with(Some(None));
        Self { renewed, ..Self::new(self.client, self.source, apps, self.settings, self.deadline) }
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

    /// Carries out the plan and says of each item what became of it. Never fails as a whole: what was not attempted is
    /// to be tried again.
    pub async fn push(&self, plan: &Plan) -> Pushed {
        let mut by_app: HashMap<AppId, Vec<&Call>> = HashMap::new();
        for call in &plan.calls {
            by_app.entry(call.app).or_default().push(call);
        }
        // The apps' waves run side by side: one app's trouble must not hold up another's.
        let settled = join_all(by_app.into_iter().map(|(app, calls)| self.push_app(plan, app, calls))).await;
        let mut verdicts = vec![NOT_SENT; plan.items.len()];
        for (item, verdict) in settled.into_iter().flatten() {
            verdicts[item] = verdict;
        }
        verdicts
    }

    async fn push_app(&self, plan: &Plan, app: AppId, calls: Vec<&Call>) -> HashMap<usize, Verdict> {
        let mut known = HashMap::new();
        let Some(rejections) = self.rejections.get(usize::from(app.0)) else { return known };
        rejections.begin(&calls);
        for wave in 0..=2 {
            let mut free = Vec::new();
            for call in calls.iter().filter(|call| call.wave == wave) {
                let mut items = Vec::with_capacity(call.items.len());
                for &item in &call.items {
                    match held(&plan.items[item].after, &known) {
                        Some(verdict) => _ = known.insert(item, verdict),
                        None => items.push(item),
                    }
                }
                free.push(self.settle(plan, call, rejections, items));
            }
            known.extend(join_all(free).await.into_iter().flatten());
            // Later answers may tell more of earlier rejections.
            known.extend(rejections.verdicts());
        }
        known
    }

    /// Sends these items of a call until each has a verdict. What TPNS rejects without saying which item is at fault is
    /// searched for it.
    async fn settle(&self, plan: &Plan, call: &Call, rejections: &Rejections, items: Vec<usize>) -> Settled {
        if let Some(verdict) = rejections.of(call.operator_type).halted() {
            return all(Vec::new(), items, verdict);
        }
        let (mut settled, rejected) = self.attempt(plan, call, rejections, items).await;
        match rejected {
            None => {}
            Some((items, why)) if items.len() == 1 => {
                rejections.alone(items[0], call.operator_type, why);
                settled.push((items[0], Verdict::Rejected(why)));
            }
            Some((items, _)) => settled.extend(Box::pin(self.search(plan, call, rejections, items)).await),
        }
        settled
    }

    /// Finds the items at fault by halving. If TPNS still takes nothing, a few items are sent alone: if all of them are
    /// rejected alike, it is not the items.
    async fn search(&self, plan: &Plan, call: &Call, rejections: &Rejections, mut items: Vec<usize>) -> Settled {
        let of = rejections.of(call.operator_type);
        let mut settled = Vec::with_capacity(items.len());
        let mut sample = FuturesUnordered::new();
        if of.rejected()
            && let Some(_turn) = of.turn().await
        {
            let alone = of.sample(&mut items).into_iter();
            sample.extend(alone.map(|item| self.settle(plan, call, rejections, vec![item])));
            // Once it is clear, the rest does not wait for the one that hangs.
            while of.is_unclear()
                && let Some(one) = sample.next().await
            {
                settled.extend(one);
            }
            if of.is_unclear() {
                of.conclude(items.len());
            }
        }
        let right = items.split_off(items.len() / 2);
        let halves = [items, right].into_iter().filter(|half| !half.is_empty());
        let halves = join_all(halves.map(|half| self.settle(plan, call, rejections, half)));
        let (halves, sample) = join(halves, sample.collect::<Vec<_>>()).await;
        settled.extend(halves.into_iter().chain(sample).flatten());
        settled
    }

    /// Sends these items of a call, and again what TPNS could not take now. Gives back what it rejected as a whole.
    async fn attempt(
        &self,
        plan: &Plan,
        call: &Call,
        rejections: &Rejections,
        items: Vec<usize>,
    ) -> (Settled, Option<(Vec<usize>, Why)>) {
        let mut settled = Vec::with_capacity(items.len());
        let mut open = items;
        let mut attempt = 1;
        while !open.is_empty() {
            let judgement = match self.send(plan, call, &open).await {
                Ok(judgement) => judgement,
                Err(verdict) => return (all(settled, open, verdict), None),
            };
            rejections.note(call.operator_type, &judgement);
            let verdicts = match judgement {
                Judgement::Whole(Verdict::Rejected(why)) => return (settled, Some((open, why))),
                Judgement::Whole(verdict) => vec![verdict; open.len()],
                Judgement::Each(verdicts) => verdicts,
            };
            let (again, done): (Settled, Settled) =
                open.into_iter().zip(verdicts).partition(|(_, verdict)| verdict.is_retry());
            settled.extend(done);
            if again.is_empty() {
                break;
            }
            if attempt >= self.settings.max_attempts || !self.pause(attempt, &again).await {
                settled.extend(again);
                break;
            }
            open = again.into_iter().map(|(item, _)| item).collect();
            attempt += 1;
        }
        (settled, None)
    }

    /// Waits before the next try: full jitter, but as long as TPNS asked. `false` when the deadline comes first.
    async fn pause(&self, attempt: u32, again: &Settled) -> bool {
        let asked = again.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Retry(_, after) => *after,
            _ => None,
        });
        let ceiling = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(10)).min(LONGEST_PAUSE);
        let pause = ceiling.mul_f64(fastrand::f64()).max(asked.max().unwrap_or_default());
        if pause + LEAST_TIME > self.deadline.remaining() {
            return false;
        }
        sleep(pause).await;
        true
    }
}

/// The verdict of an item that must not be sent, given what became of those it waits for.
fn held(gates: &[Gate], known: &HashMap<usize, Verdict>) -> Option<Verdict> {
    gates.iter().find_map(|gate| {
        let (Gate::Cleared(item) | Gate::Deleted(item)) = gate;
        match (known.get(item), gate) {
            (Some(Verdict::Accepted), _) | (Some(Verdict::Rejected(_)), Gate::Deleted(_)) => None,
            (Some(verdict @ (Verdict::Rejected(_) | Verdict::Misconfigured(_))), _) => Some(*verdict),
            (Some(Verdict::Retry(..)) | None, _) => Some(Verdict::Retry(HELD, None)),
        }
    })
}

fn all(mut settled: Settled, items: Vec<usize>, verdict: Verdict) -> Settled {
    settled.extend(items.into_iter().map(|item| (item, verdict)));
    settled
}
