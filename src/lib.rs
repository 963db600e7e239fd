//! An AWS Lambda function that keeps Tencent Push Notification Service (TPNS) account bindings correct.
//!
//! The path of a batch, each step a module:
//!
//! ```text
//! ingress -> event -> ledger -> plan -> tpns -> settlement -> parking -> report
//! ```
//!
//! The rule behind everything: an event is acknowledged only when everything it shaped has been accepted by TPNS, or
//! when it is safely parked with a reason; every other event is reported for redelivery. Every event starts out as
//! failed.

pub mod apply;
pub mod aws;
pub mod check;
pub mod check_queue;
pub mod config;
pub mod finished;
mod in_force;
pub mod ledger;
pub mod log;
pub mod metrics;
mod moment;
pub mod parking;
pub mod plan;
pub mod redelivery;
pub mod redelivery_delay;
pub mod report;
pub mod settlement;
pub mod source_queue;
mod sqs_batch;
pub mod table;
#[cfg(test)]
mod testing;
pub mod tpns;
pub mod transport;
mod turns;
mod warm;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
// The contract is a crate of its own, so that `replay` and backends can use it without the function.
pub use contract::{apps, event, fingerprint, ingress, opaque, outcome};
use futures_util::FutureExt;
use lambda_runtime::Diagnostic;
use tracing::Instrument;

use check::Checked;
use check_queue::CheckQueue;
use config::{CheckSettings, Config, ConfigError, Limits};
use event::{Event, Invalid, Millis, Rules};
use finished::{Finished, FinishedChecks};
use ingress::{Batch, MessageIndex, Unrecognised};
use metrics::Metrics;
use outcome::{Failure, Outcome, Reason};
use parking::Parking;
use report::{Answer, NotApplied};
use source_queue::SourceQueue;
use table::Table;
use tpns::{Apps, AppsFrom, AppsInForce, CallSettings, Client, SecretError};
use transport::Transport;
use turns::{Handled, Span};

/// The function: configuration and connections, made in Init and kept over warm invocations. No state of a batch.
#[derive(Debug)]
pub struct AccountSync {
    calls: CallSettings,
    limits: Limits,
    apps: AppsInForce,
    transport: Transport,
    client: Client,
    table: Option<Table>,
    parking: Option<Parking>,
    check_queue: Option<CheckQueue>,
    checks: CheckSettings,
    source_queue: SourceQueue,
    /// Where checks are sent to.
    sqs: Option<String>,
    metrics: Metrics,
    /// Whether the log has a line about it: one for each process is enough.
    short_of_time: Once,
}

/// The function can't be made ready.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The secret with the apps document can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The TLS library refuses its settings; not seen in practice, since nothing of the environment enters.
    #[error("TLS can't be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// An invocation that fails as a whole, so that Lambda redelivers all of it.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The trigger is not one that the function knows.
    #[error(transparent)]
    Unrecognised(#[from] Unrecognised),
    /// Events straight from EventBridge that are not applied.
    #[error(transparent)]
    NotApplied(#[from] NotApplied),
}

/// An invocation as Lambda sends it.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Lambda's id of it, for the log.
    pub request_id: &'a str,
    /// X-Ray's header of the trace it belongs to, for the log.
    pub trace: Option<&'a str>,
    /// The event, as JSON.
    pub payload: &'a str,
    /// When Lambda gives up on it.
    pub deadline: SystemTime,
}

impl AccountSync {
    /// Makes the function ready for its first batch, connections included.
    ///
    /// # Errors
    /// [`StartError`], one line that names the setting and what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let function = Self::over(Transport::new()?, config).await?;
        function.warm().await;
        Ok(function)
    }

    /// The same over connections that are made this way, none of them so far unless the apps document is fetched. AWS's
    /// clients are made only if a setting needs them.
    ///
    /// # Errors
    /// [`StartError`], one line that names the setting and what to do.
    pub async fn over(transport: Transport, config: Config) -> Result<Self, StartError> {
        let needs_aws = config.ledger_table.is_some()
            || config.parking_queue_url.is_some()
            || !matches!(config.apps, AppsFrom::Environment(_));
        let sdk = if needs_aws { Some(aws::sdk(&transport, config.calls.timeout).await) } else { None };
        let sqs = config.check_queue_url.clone().map(|url| match sdk.as_ref().and_then(SdkConfig::endpoint_url) {
            Some(endpoint) => endpoint.to_owned(),
            None => url,
        });
        let parking = sdk.as_ref().zip(config.parking_queue_url).map(|(sdk, url)| Parking::new(sdk, url));
        let check_queue = sdk.as_ref().zip(config.check_queue_url).map(|(sdk, url)| CheckQueue::new(sdk, url));
        let table = sdk
            .as_ref()
            .zip(config.ledger_table)
            .map(|(sdk, name)| Table::new(sdk, &transport, config.calls.timeout, name));
        let apps = AppsInForce::read(config.apps, config.apps_max_age, sdk.as_ref(), &transport).await?;
        if table.is_some() && apps.current().ledger_keys.is_empty() {
            tracing::warn!(
                "the apps document has no ledger_keys, so the ledger keeps accounts in clear text; add a key, see \
                 docs/security.md"
            );
        }
        Ok(Self {
            table,
            calls: config.calls,
            limits: config.limits,
            apps,
            client: Client::new(transport.clone(), config.probe_interval),
            source_queue: SourceQueue::new(config.redelivery_delays, transport.clone(), config.calls.timeout),
            transport,
            parking,
            check_queue,
            checks: config.checks,
            metrics: Metrics::new(config.function_name),
            sqs,
            short_of_time: Once::new(),
        })
    }

    /// Handles an invocation, from the payload to the answer.
    ///
    /// # Errors
    /// [`InvocationError`] if Lambda has to redeliver the whole invocation. It is never that for a single message.
    pub async fn handle(&self, invocation: Invocation<'_>) -> Result<Answer, InvocationError> {
        let span = log::invocation(invocation.request_id, invocation.trace);
        self.take(invocation).instrument(span).await
    }

    async fn take(&self, invocation: Invocation<'_>) -> Result<Answer, InvocationError> {
        let begun = Instant::now();
        self.transport.begin_invocation();
        self.client.begin_invocation();
        let now = SystemTime::now();
        let batch = Batch::open(invocation.payload).inspect_err(log::unrecognised)?;
        let mut outcomes = vec![Outcome::UNTOUCHED; batch.messages.len()];

        // Lambda's deadline is a clock time. The clock is read once: from here on time is measured, since clocks may be
        // set.
        let time = invocation.deadline.duration_since(now).unwrap_or_default();
        let end = tokio::time::Instant::now() + time;
        let span = Span { opening: begun.elapsed(), now, end, reserve: self.reserve(time) };
        if self.check_queue.as_ref().is_some_and(|queue| queue.is_source_of(&batch)) {
            return Ok(self.take_checks(&batch, invocation.request_id, begun, span).await);
        }
        let Handled { events, apps, calls, delayed } = self.turns(&batch, span, &mut outcomes).await;

        let took = begun.elapsed();
        let finished = Finished {
            batch: &batch,
            events: &events,
            outcomes: &outcomes,
            delayed,
            calls: &calls,
            apps: &apps.names,
            at: now + took,
            took,
            remaining: end.duration_since(tokio::time::Instant::now()),
        };
        log::finished(&finished);
        self.metrics.print(invocation.request_id, &finished);
        Ok(report::answer(&batch, &outcomes)?)
    }

    /// Handles a batch of the check queue.
    async fn take_checks(&self, batch: &Batch<'_>, request_id: &str, begun: Instant, span: Span) -> Answer {
        let mut outcomes = vec![Outcome::UNTOUCHED; batch.messages.len()];
        let times = span.times(Duration::ZERO);
        let checked = AssertUnwindSafe(self.check(batch, times, &mut outcomes)).catch_unwind().await;
        let checked = checked.unwrap_or_else(|_| {
            outcomes.fill(Outcome::Retry(PANIC));
            Checked::nothing(self.apps.current())
        });
        if let Some(parking) = &self.parking {
            parking.park(batch, &mut outcomes, span.remaining() / 2).await;
        }
        let finished = FinishedChecks {
            batch,
            outcomes: &outcomes,
            keys: &checked.keys,
            findings: &checked.findings,
            calls: &checked.calls,
            apps: &checked.apps.names,
            at: span.now + begun.elapsed(),
            took: begun.elapsed(),
            after: self.checks.after,
        };
        log::checks_finished(&finished);
        self.metrics.print_checks(request_id, &finished);
        report::answer_queue(batch, &outcomes)
    }

    /// The time to keep free at the end of an invocation that has this time: no more than half of it, or no call would
    /// ever be made.
    fn reserve(&self, time: Duration) -> Duration {
        let (wanted, most) = (self.limits.deadline_reserve, time / 2);
        if wanted > most {
            self.short_of_time.call_once(|| {
                tracing::warn!(
                    "DEADLINE_RESERVE_MS: is more than half of the {} ms that an invocation has, so half of them is kept; \
                     set less, or a longer timeout",
                    time.as_millis()
                );
            });
        }
        wanted.min(most)
    }

    /// ingress -> event: the events of those of these messages that hold one, with the messages' indices.
    fn read(
        &self,
        batch: &Batch<'_>,
        messages: &[MessageIndex],
        apps: &Apps,
        now: SystemTime,
        outcomes: &mut [Outcome],
    ) -> Vec<(MessageIndex, Event)> {
        let rules = Rules {
            apps: &apps.names,
            now: millis_since_epoch(now),
            max_age: millis(self.limits.max_event_age),
            max_skew: millis(self.limits.max_clock_skew),
            ledger: self.table.is_some(),
        };
        // The ledger keeps versions, and an id may be made of an account. One of random form stays, and with it the
        // order of two events of one millisecond, which ULIDs have.
        let key = apps.ledger_keys.current().filter(|_| rules.ledger);
        let mut events = Vec::with_capacity(messages.len());
        for &index in messages {
            match isolated(|| batch.messages[index.0].event(&rules)) {
                Ok(mut event) => {
                    if let Some(key) = key.filter(|_| !opaque::may_be_shown(&event.id, &event)) {
                        event.name_in_version(|id| key.pseudonym(id));
                    }
                    events.push((index, event));
                }
                Err(failed) => outcomes[index.0] = failed,
            }
        }
        events
    }
}

/// A fault of this program, in handling one event.
const PANIC: Failure = Failure::new(Reason::Panic, "the function panicked; please report it");

/// Reads one event. A panic in it is this program's fault and fails that event alone, which is redelivered.
fn isolated(read: impl FnOnce() -> Result<Event, Invalid>) -> Result<Event, Outcome> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(event)) => Ok(event),
        Ok(Err(invalid)) => Err(Outcome::Rejected(invalid.into())),
        Err(_) => Err(Outcome::Retry(PANIC)),
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match error {
            InvocationError::Unrecognised(_) => "UnrecognisedInvocation",
            InvocationError::NotApplied(_) => "EventsNotApplied",
        };
        Self { error_type: error_type.into(), error_message: error.to_string() }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn millis_since_epoch(time: SystemTime) -> Millis {
    time.duration_since(UNIX_EPOCH).map(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_one_event_fails_that_event_and_not_the_batch() {
        assert_eq!(isolated(|| panic!("a bug")), Err(Outcome::Retry(PANIC)));
    }

    /// cargo-lambda sets `panic = "abort"` for a profile that does not set it; then nothing above would catch anything.
    #[test]
    fn the_release_profile_unwinds() {
        let manifest = include_str!("../Cargo.toml");
        let release = manifest.split("[profile.release]").nth(1).unwrap().split("\n[").next().unwrap();
        assert!(release.contains("\npanic = \"unwind\"\n"), "{release}");
    }
}
