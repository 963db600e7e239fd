//! Carrying out a plan: app by app, call by call, until the deadline.

mod ask;
mod call;
mod exchange;
mod rejections;
mod slots;
mod verdicts;

use std::{cell::RefCell, sync::Arc, time::Duration};

use exchange::AppHealth;
use futures_util::future::join_all;
use indexmap::IndexMap;
use rejections::{Evidence, Rejections};
use slots::Slots;
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep_until},
};
pub use verdicts::Verdicts;

use super::{
    Apps, AppsInForce, Client,
    calls::{Call, calls},
};
use crate::{
    apps::AppId,
    outcome::{Failure, Reason},
    plan::{Plan, Verdict},
};

/// A call with less time than this is not begun, since it might remain unknown whether TPNS accepted it.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// The longest first pause before trying again; it doubles with each try, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// When no verdict of a push has been set for this long, some call hangs: what does not depend on it goes on without
/// it.
const QUIET: Duration = Duration::from_secs(1);

const NOT_SENT: Verdict = Verdict::Retry(Failure::of(Reason::NotAttempted), None);

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct CallSettings {
    /// Calls in flight in one invocation.
    pub concurrency: usize,
    /// One call, connect to last byte.
    pub timeout: Duration,
    /// Tries of one call within one invocation.
    pub max_attempts: u32,
    /// Whether TPNS is compared with the ledger later on, by a check. If not, an item that TPNS accepted after a try of it
    /// had no answer is left for the redelivery: that try may take effect after newer calls.
    pub checked: bool,
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
    /// The apps its events are opened with: events name apps by their places in it.
    apps: Arc<Apps>,
    source: &'a AppsInForce,
    /// The apps after a rotation, read once an invocation, if TPNS refuses a key.
    renewed: OnceCell<Option<Arc<Apps>>>,
    settings: CallSettings,
    slots: Slots,
    health: Vec<AppHealth>,
    evidence: Vec<Evidence>,
    made: RefCell<Vec<CallMade>>,
}

/// A call that was made: one HTTP exchange, whether a first try, a repetition or a half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallMade {
    /// The app it was made to.
    pub app: AppId,
    /// The items it carried, or those it asked for.
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
    /// Begins an invocation with these apps, which are those in force at `source`. `calls` says how many calls each
    /// app, by its place, will need.
    #[must_use]
    pub fn new(
        client: &'a Client,
        source: &'a AppsInForce,
        apps: Arc<Apps>,
        settings: CallSettings,
        calls: &[usize],
    ) -> Self {
        Self {
            client,
            source,
            renewed: OnceCell::new(),
            settings,
            slots: Slots::new(settings.concurrency, calls),
            health: apps.list.iter().map(|_| AppHealth::default()).collect(),
            evidence: apps.list.iter().map(|_| Evidence::default()).collect(),
            apps,
            made: RefCell::default(),
        }
    }

    /// The apps in force, if TPNS refused a key and one of the apps has moved meanwhile. The calls of that app were not
    /// repeated: the known state of its devices belongs to another access point.
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

    /// Adds calls that were made elsewhere.
    pub fn add_calls(&self, other: Self) {
        self.made.borrow_mut().extend(other.made.into_inner());
    }

    /// The calls that were made, in the order in which they ended.
    #[must_use]
    pub fn into_calls(self) -> Vec<CallMade> {
        self.made.into_inner()
    }

    /// Carries out the plan, and sets the verdict on each item as it becomes known; what is still without one in the
    /// end was not sent. Never fails as a whole.
    pub async fn push(&self, plan: &Plan, verdicts: &Verdicts, deadline: Deadline) {
        let calls = calls(&plan.items);
        let mut by_app: IndexMap<AppId, Vec<&Call>> = IndexMap::new();
        for call in &calls {
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

    /// Resolves when no verdict of a push has been set for a while: some call of it hangs.
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
}
