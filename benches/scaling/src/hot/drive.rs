//! A load: messages are sent, sandboxes receive and delete them, until all are acknowledged.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use lambda_sim::{Function, Message, Outcome, SendMessage, SqsEvent, Timestamp, event_of, interpret};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use super::{
    cpu::cpu,
    events::Sending,
    stage::{Requests, Stage},
};

/// How long a sandbox waits when the queue is empty.
const PAUSE: Duration = Duration::from_millis(2);
/// Nothing takes as long. A run that does is an error, not a figure.
const LONGEST: Duration = Duration::from_secs(300);

/// The answer when all is well.
const NO_FAILURES: &[u8] = br#"{"batchItemFailures":[]}"#;

/// What a load led to.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) events: usize,
    /// From the first sending to the last acknowledgement.
    pub(super) took: Duration,
    /// From an event's sending to its acknowledgement, in ascending order.
    pub(super) late: Vec<Duration>,
    pub(super) invocations: usize,
    /// Deliveries that were reported as failed.
    pub(super) failed: usize,
    /// Why, as the log has it.
    pub(super) reasons: BTreeSet<String>,
    pub(super) requests: Requests,
    pub(super) calls: usize,
    pub(super) cpu: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    sent: Mutex<HashMap<String, Instant>>,
    late: Mutex<Vec<Duration>>,
    invocations: AtomicUsize,
    failed: AtomicUsize,
}

/// Starts the sandboxes, and has each apply one event of its own, which counts nowhere.
pub(super) async fn sandboxes(stage: &Arc<Stage>, count: usize) -> anyhow::Result<Vec<Arc<Function>>> {
    let mut starting: JoinSet<_> = (0..count).map(|n| start(stage.clone(), n)).collect();
    let mut sandboxes = Vec::new();
    while let Some(started) = starting.join_next().await {
        sandboxes.push(Arc::new(started??));
    }
    Ok(sandboxes)
}

async fn start(stage: Arc<Stage>, n: usize) -> anyhow::Result<Function> {
    let function = stage.sandbox()?;
    let now = Timestamp::now().as_millis();
    let body = format!(r#"{{"type":"user.logout","id":"w{n}","occurred_at":{now},"token":"warm{n}"}}"#);
    let event = SqsEvent::of_queue(arn(&stage)?).message(Message::new(format!("warm-{n}"), body)).to_bytes();
    let outcome = function.invoke(event).await?.outcome;
    if outcome.response().is_none_or(|body| body[..] != *NO_FAILURES) {
        bail!("a sandbox could not apply its first event: {outcome:?}\n{}", output(&function));
    }
    Ok(function)
}

/// Sends each message at its time, and has the sandboxes apply them in batches of at most so many.
pub(super) async fn load(
    stage: &Arc<Stage>,
    sandboxes: &[Arc<Function>],
    sendings: Vec<Sending>,
    batch: usize,
) -> anyhow::Result<Load> {
    let events = sendings.len();
    let (mark, calls, used) = (stage.mark(), stage.tpns.calls().len(), total_cpu(sandboxes));
    let shared = Arc::new(Shared::default());
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    // What is sent at once is there before the first batch is received, so that batches are full.
    let (at_once, later): (Vec<_>, Vec<_>) = sendings.into_iter().partition(|sending| sending.after.is_zero());
    send(stage.clone(), shared.clone(), at_once, begun).await?;
    tasks.spawn(send(stage.clone(), shared.clone(), later, begun));
    for sandbox in sandboxes {
        tasks.spawn(work(stage.clone(), shared.clone(), sandbox.clone(), [events, batch]));
    }
    let finished = async {
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LONGEST, finished).await.context("the events were not acknowledged in time")??;
    let took = begun.elapsed();
    let mut late = std::mem::take(&mut *lock(&shared.late));
    late.sort_unstable();
    Ok(Load {
        events,
        took,
        late,
        invocations: shared.invocations.load(Ordering::Relaxed),
        failed: shared.failed.load(Ordering::Relaxed),
        reasons: sandboxes.iter().flat_map(|sandbox| reasons(sandbox)).collect(),
        requests: stage.requests_since(mark),
        calls: stage.tpns.calls().len() - calls,
        cpu: total_cpu(sandboxes).saturating_sub(used),
    })
}

/// One invocation with these messages of the check queue.
pub(super) async fn check(stage: &Stage, sandbox: &Function, messages: Vec<SendMessage>) -> anyhow::Result<Load> {
    let (mark, calls, used) = (stage.mark(), stage.tpns.calls().len(), cpu(sandbox));
    let count = messages.len();
    let now = Timestamp::now();
    let received = stage.aws.with_queue(stage.empty_check_queue()?, |queue| {
        for message in messages {
            queue.send(message, now)?;
        }
        anyhow::Ok((queue.arn().to_owned(), queue.receive(count, queue.visibility_timeout(), now)))
    });
    let (arn, received) = received.context("no check queue")??;
    let begun = Instant::now();
    let invocation = sandbox.invoke(event_of(&arn, &received)).await?;
    if invocation.outcome.response().is_none_or(|body| body[..] != *NO_FAILURES) {
        bail!("checks failed: {:?}\n{}", invocation.outcome, output(sandbox));
    }
    Ok(Load {
        events: count,
        took: begun.elapsed(),
        late: Vec::new(),
        invocations: 1,
        failed: 0,
        reasons: BTreeSet::new(),
        requests: stage.requests_since(mark),
        calls: stage.tpns.calls().len() - calls,
        cpu: cpu(sandbox).saturating_sub(used),
    })
}

async fn send(stage: Arc<Stage>, shared: Arc<Shared>, sendings: Vec<Sending>, begun: Instant) -> anyhow::Result<()> {
    for Sending { after, message } in sendings {
        let wait = after.saturating_sub(begun.elapsed());
        if !wait.is_zero() {
            sleep(wait).await;
        }
        // Before it can be received.
        let mut sent = lock(&shared.sent);
        let answer = stage.aws.with_queue(stage.queue(), |queue| queue.send(message, Timestamp::now()));
        sent.insert(answer.context("no queue")??.message_id, Instant::now());
    }
    Ok(())
}

/// As an event source mapping does it, for one sandbox.
async fn work(
    stage: Arc<Stage>,
    shared: Arc<Shared>,
    sandbox: Arc<Function>,
    [events, batch]: [usize; 2],
) -> anyhow::Result<()> {
    let arn = arn(&stage)?;
    while lock(&shared.late).len() < events {
        let receive =
            |queue: &mut lambda_sim::Queue| queue.receive(batch, queue.visibility_timeout(), Timestamp::now());
        let messages = stage.aws.with_queue(stage.queue(), receive).context("no queue")?;
        if messages.is_empty() {
            sleep(PAUSE).await;
            continue;
        }
        let outcome = sandbox.invoke(event_of(&arn, &messages)).await?.outcome;
        shared.invocations.fetch_add(1, Ordering::Relaxed);
        let Outcome::Response { body } = &outcome else { bail!("{outcome:?}\n{}", output(&sandbox)) };
        let ids: Vec<_> = messages.iter().map(|message| message.message_id.clone()).collect();
        let verdict = interpret(body, &ids);
        shared.failed.fetch_add(verdict.fails.len(), Ordering::Relaxed);
        for message in messages.iter().filter(|message| verdict.deletes.contains(&message.message_id)) {
            let delete = |queue: &mut lambda_sim::Queue| queue.delete(&message.receipt_handle, Timestamp::now());
            stage.aws.with_queue(stage.queue(), delete).context("no queue")??;
            let sent = lock(&shared.sent).get(&message.message_id).copied();
            lock(&shared.late).push(sent.context("a message that was not sent")?.elapsed());
        }
    }
    Ok(())
}

fn arn(stage: &Stage) -> anyhow::Result<String> {
    stage.aws.with_queue(stage.queue(), |queue| queue.arn().to_owned()).context("no queue")
}

fn total_cpu(sandboxes: &[Arc<Function>]) -> Duration {
    sandboxes.iter().map(|sandbox| cpu(sandbox)).sum()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reasons of the events that a sandbox reported as failed.
fn reasons(sandbox: &Function) -> BTreeSet<String> {
    let lines = sandbox.lines_since(0).unwrap_or_default();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| Some(line["reason"].as_str()?.to_owned())).collect()
}

/// The end of what a sandbox printed.
fn output(sandbox: &Function) -> String {
    let output = sandbox.output().unwrap_or_default();
    String::from_utf8_lossy(&output[output.len().saturating_sub(2_000)..]).into_owned()
}
