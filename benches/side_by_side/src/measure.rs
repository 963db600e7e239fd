//! What is measured of a contender: starting, and batches of each size.

use std::time::Duration;

use anyhow::{Context, bail};
use lambda_sim::{Function, Outcome};
use serde_json::Value;

use crate::{
    contenders::{Contender, Stage},
    events::{Events, place_of},
    processor_time::processor_time,
    tpns::Tpns,
};

/// The time for measuring a contender at one size, after its results have been checked.
const BUDGET: Duration = Duration::from_secs(5);
/// Batches that take longer than this are measured once.
const TOO_LONG: Duration = Duration::from_secs(3);
/// Deliveries of a message before it is dead-lettered.
const DELIVERIES: usize = 5;

/// A batch of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) wall: Vec<Duration>,
    /// Of one invocation.
    pub(crate) cpu: Duration,
    pub(crate) peak_bytes: u64,
    /// Of the first delivery.
    pub(crate) calls: usize,
    /// Messages that failed in the first delivery.
    pub(crate) redelivered: usize,
    /// Messages that failed in all deliveries and so are dead letters.
    pub(crate) dead: usize,
}

/// One start of a fresh process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// To its first `/next`.
    pub(crate) ready: Duration,
    /// To the answer to one message.
    pub(crate) first_answer: Duration,
    pub(crate) rss_bytes: u64,
}

/// Starts one fresh process of a contender, and lets it apply one message.
pub(crate) async fn start(stage: &Stage, contender: Contender, one: &Events) -> anyhow::Result<Start> {
    let function = stage.function(contender)?;
    let invocation = function.invoke(one.payload()).await?;
    let ready = invocation.init.context("a fresh process had no Init")?;
    if invocation.outcome.response().is_none() {
        bail!("{}: {:?}\n{}", contender.name(), invocation.outcome, last_output(&function));
    }
    let rss_bytes = function.peak_rss_bytes().context("the process is gone")?;
    Ok(Start { ready, first_answer: ready + invocation.duration, rss_bytes })
}

/// A contender whose bindings have been checked for a size, ready to be measured.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) contender: Contender,
    function: Function,
    pub(crate) batch: Batch,
    cpu_before: Duration,
    done: bool,
}

impl Contestant {
    /// Lets a contender apply the events, with redeliveries of those it reports, and compares the bindings.
    pub(crate) async fn checked(
        stage: &Stage,
        tpns: &Tpns,
        contender: Contender,
        events: &Events,
    ) -> anyhow::Result<Self> {
        let function = stage.function(contender)?;
        // Init and the first connections are part of starting.
        function.invoke(Events::of(1)?.payload()).await?;
        tpns.prepare(events).await?;
        let prepared = tpns.calls();
        let cpu_before = cpu(&function);
        let invocation = function.invoke(events.payload()).await?;
        let cpu = cpu(&function).saturating_sub(cpu_before);
        let mut failed = failed(&invocation.outcome, events)?;
        let mut batch = Batch {
            wall: vec![invocation.duration],
            cpu,
            peak_bytes: 0,
            calls: tpns.calls() - prepared,
            redelivered: failed.len(),
            dead: 0,
        };
        for _ in 1..DELIVERIES {
            if failed.is_empty() {
                break;
            }
            let again = function.invoke(events.payload_of(failed.iter().copied())).await?;
            let places = std::mem::take(&mut failed);
            failed = self::failed(&again.outcome, events)?.into_iter().filter(|place| places.contains(place)).collect();
        }
        batch.dead = failed.len();
        let (bound, right) = (tpns.bound().await, events.bound_after());
        // The table shows contenders that can't apply a batch at all.
        if bound != right && batch.dead == 0 {
            bail!(
                "{} results in wrong bindings: {} missing, {} additional\n{}",
                contender.name(),
                right.difference(&bound).count(),
                bound.difference(&right).count(),
                last_output(&function)
            );
        }
        let done = invocation.duration > TOO_LONG || batch.dead > 0;
        if !done {
            batch.wall.clear();
        }
        let mut contestant = Self { contender, function, batch, cpu_before: Duration::ZERO, done };
        contestant.cpu_before = contestant.cpu();
        contestant.remember_peak();
        Ok(contestant)
    }

    /// One more invocation, unless its time is used up.
    pub(crate) async fn turn(&mut self, events: &Events) -> anyhow::Result<()> {
        if self.done {
            return Ok(());
        }
        let invocation = self.function.invoke(events.payload()).await?;
        if self.batch.redelivered == 0 && !failed(&invocation.outcome, events)?.is_empty() {
            bail!("{} failed a batch that it had applied\n{}", self.contender.name(), last_output(&self.function));
        }
        self.batch.wall.push(invocation.duration);
        self.batch.cpu = (self.cpu() - self.cpu_before) / u32::try_from(self.batch.wall.len())?;
        self.remember_peak();
        self.done = self.batch.wall.iter().sum::<Duration>() > BUDGET;
        Ok(())
    }

    fn cpu(&self) -> Duration {
        cpu(&self.function)
    }

    fn remember_peak(&mut self) {
        // The process is only gone after a crash, which the next invocation reports.
        self.batch.peak_bytes = self.batch.peak_bytes.max(self.function.peak_rss_bytes().unwrap_or_default());
    }
}

fn cpu(function: &Function) -> Duration {
    function.pid().and_then(processor_time).unwrap_or_default()
}

/// The indices of the messages to be redelivered.
fn failed(outcome: &Outcome, events: &Events) -> anyhow::Result<Vec<usize>> {
    let Outcome::Response { body } = outcome else { return Ok(events.places().collect()) };
    let answer: Value = serde_json::from_slice(body).context("a response is not JSON")?;
    let failures = answer["batchItemFailures"].as_array().context("a response has no batchItemFailures")?;
    let place = |failure: &Value| failure["itemIdentifier"].as_str().and_then(place_of);
    failures.iter().map(|failure| place(failure).context("a failure names no message")).collect()
}

/// The last lines printed by its processes.
fn last_output(function: &Function) -> String {
    let output = function.output().unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(500).collect()).collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
