//! A standard queue with the ledger and the check queue, before a TPNS that applies accepted calls in any order within
//! 5 s and loses one in a hundred: at the end each device has what the events say, without an exception.
//!
//! [`standard`](crate::standard) has the rounds, their faults and kills; [`time`] lets minutes pass between them, and
//! [`quiet`] holds the drift that the checks count against the drift that there is.

mod drift;
mod quiet;
mod time;

use std::{sync::Arc, time::Duration, time::Instant};

use fastrand::Rng;
use futures_util::future::{join, join_all};
use lambda_sim::{
    AwsApi, Fault as AwsFault, Function, Message, Operation, Queue, Timestamp,
    aws::dynamodb::{Item, Table},
};
use tpns_sim::{Fault, model::OverrideMode};

use crate::{
    control::reset,
    script::{self, End},
    secrets::assert_no_secrets,
    standard::{self, Beside, Delivered, deliver},
    tally::Tally,
};

const CHECKS: &str = "checks";
/// Processes that are invoked with checks, beside those for events.
const CHECKERS: usize = 2;
/// So many that a call lost is not made up for by the next event of its device before a check sees it.
const DEVICES: usize = 60;
/// Events between two comparisons.
const EPOCH: usize = 250;
/// From this delivery on a check meets no faults, so that none is delivered [`MOST_DELIVERIES`] times.
const SPARED_FROM: u32 = 4;
/// Fewer than in the template: a check that does not end is given up, and found.
const MOST_DELIVERIES: u32 = 10;
/// How many calls TPNS accepts and never applies.
const LOST: f64 = 0.01;

struct Checked {
    rng: Rng,
    standard: standard::Chaos,
    /// What simulated time is ahead of the machine's.
    skipped: Duration,
}

/// Runs a seed to its end. Returns what is wrong as an error; other problems panic.
pub(crate) async fn run(seed: u64, count: usize, mode: OverrideMode) -> Result<Tally, String> {
    let begun = Instant::now();
    let mut chaos = Checked::new(seed, count, mode).await;
    let is_wrong = |wrong| format!("seed {seed}: {wrong}");
    while !chaos.standard.unsent.is_empty() {
        chaos.epoch().await.map_err(is_wrong)?;
        chaos.quiet().await.map_err(is_wrong)?;
    }
    chaos.check_at_end().map_err(is_wrong)?;
    let mut tally = chaos.standard.tally;
    for process in &chaos.standard.processes {
        assert_no_secrets(process);
        tally.cold_starts += process.cold_starts();
    }
    let effects = chaos.standard.tpns.effects();
    (tally.lost, tally.overtaken) = (effects.lost, effects.overtaken);
    tally.took = begun.elapsed();
    Ok(tally)
}

impl Checked {
    async fn new(seed: u64, count: usize, mode: OverrideMode) -> Self {
        let mut script = script::write_of(seed, count + count / 8, mode, DEVICES);
        // A gateway refuses each call of these, and so the repair of each check that names their device.
        script.events.retain(|event| event.end != End::Blocked);
        script.events.truncate(count);
        let tpns = script.world.tpns().apply_within(time::BOUND, seed).start().await.unwrap();
        let aws = AwsApi::start().await.unwrap();
        let checks = Queue::builder(CHECKS).delay(time::CHECK_AFTER).visibility_timeout(time::CHECK_AFTER);
        let url = aws.create_queue(checks.dead_letter_after(MOST_DELIVERIES).seed(seed).build().unwrap());
        let after = format!("{}s", time::CHECK_AFTER.as_secs());
        let settings = [("CHECK_QUEUE_URL", url.as_str()), ("CHECK_AFTER", &after), ("RETRY_MAX_DELAY", "30s")];
        Self {
            rng: Rng::with_seed(seed ^ 0xc4ec),
            standard: standard::Chaos::with(seed, script, tpns, aws, &settings, CHECKERS),
            skipped: Duration::ZERO,
        }
    }

    /// Rounds with new events and the checks that are due, until these events are completed. Those that are still in the
    /// queue in the end are spared, so that their checks are not all due before.
    async fn epoch(&mut self) -> Result<(), String> {
        let mut left = EPOCH;
        for _ in 0..200 + EPOCH * 50 {
            let is_over = left == 0 || self.standard.unsent.is_empty();
            if is_over && self.standard.depth().total() == 0 {
                return Ok(());
            }
            left -= self.round(left, is_over).await?;
        }
        Err(format!("no end of an epoch, {:?}", self.standard.depth()))
    }

    /// Returns how many events it sent.
    async fn round(&mut self, most: usize, spared: bool) -> Result<usize, String> {
        self.tick();
        let sent = self.standard.send(most);
        let events: Vec<_> = self.standard.receive_batches().into_iter().map(|batch| self.seen(batch)).collect();
        let checks: Vec<_> = (0..CHECKERS).map_while(|_| self.receive_checks()).collect();
        if events.is_empty() && checks.is_empty() {
            self.skip_to_next(&[standard::QUEUE, CHECKS]);
            return Ok(sent);
        }
        let spared = spared || checks.iter().flatten().any(|check| check.receive_count >= SPARED_FROM);
        let is_young = |message: &Message| message.receive_count < SPARED_FROM;
        let mut last_faults = Vec::new();
        if !spared && events.iter().chain(&checks).flatten().all(is_young) {
            last_faults.extend(self.query_fault());
            self.refuse_checks();
        }
        last_faults.push(self.loss());
        let delivered = checks.into_iter().enumerate().map(|(n, batch)| {
            let kill = self.kill().filter(|_| !spared);
            self.deliver(n, batch, kill)
        });
        let delivered: Vec<_> = delivered.collect();
        // Some of the calls that are pending land while others are made.
        let landings: Vec<_> = (0..self.rng.usize(0..3)).map(|_| self.rng.u64(1..40)).collect();
        let tpns = self.standard.tpns.clone();
        let landing = async move {
            for wait in landings {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                tpns.skip_time(Duration::from_secs(1));
            }
        };
        let future = join(join_all(delivered), landing);
        let (delivered, ()) = self.standard.invoke(events, Beside { spared, last_faults, future }).await?;
        for delivered in delivered {
            self.complete(&delivered?);
        }
        let seconds = if self.rng.u8(0..4) == 0 { self.rng.u64(0..60) } else { self.rng.u64(0..4) };
        self.skip(seconds);
        Ok(sent)
    }

    /// TPNS accepts a call and never applies it. A new one for each round, which ends with the faults removed.
    fn loss(&mut self) -> Fault {
        Fault::lost_effect().probability(LOST, self.rng.u64(..))
    }

    /// A query of a check or of a deletion fails.
    fn query_fault(&mut self) -> Option<Fault> {
        let fault = match self.rng.u8(0..24) {
            0 => Fault::status(503),
            1 => Fault::ret_code(1_008_003),
            2 => Fault::hang(),
            3 => Fault::truncated(),
            4 => Fault::item_code(1_008_004),
            5 => Fault::disconnect(),
            _ => return None,
        };
        Some(fault.on_query().times(self.rng.u64(1..4)))
    }

    /// SQS refuses checks, and parked messages.
    fn refuse_checks(&mut self) {
        if self.rng.u8(0..16) == 0 {
            let faults = [AwsFault::Throttling, AwsFault::CloseAfterwards, AwsFault::AccessDenied];
            let fault = *self.rng.choice(&faults).unwrap();
            self.standard.aws.fail_next(Operation::SendMessageBatch, self.rng.usize(1..6), fault);
            *self.standard.tally.faults.entry("send refused").or_default() += 1;
        }
    }

    /// Perhaps when to kill a process.
    fn kill(&mut self) -> Option<Duration> {
        (self.rng.u8(0..8) == 0).then(|| Duration::from_micros(self.rng.u64(0..40_000)))
    }

    fn receive_checks(&mut self) -> Option<Vec<Message>> {
        let (most, now) = (self.rng.usize(1..=10), self.standard.clock.now());
        let receive = |queue: &mut Queue| queue.receive(most, time::CHECK_AFTER, now);
        let messages = self.standard.aws.with_queue(CHECKS, receive).unwrap();
        (!messages.is_empty()).then(|| self.seen(messages))
    }

    fn checker(&self, n: usize) -> &Arc<Function> {
        &self.standard.processes[self.standard.processes.len() - CHECKERS + n]
    }

    /// Invokes a process with a batch of checks.
    fn deliver(
        &self,
        n: usize,
        batch: Vec<Message>,
        kill: Option<Duration>,
    ) -> impl Future<Output = Result<Delivered, String>> + use<> {
        let process = self.checker(n).clone();
        let arn = self.standard.aws.with_queue(CHECKS, |queue| queue.arn().to_owned()).unwrap();
        async move { deliver(&process, &arn, batch, kill).await }
    }

    fn complete(&mut self, delivered: &Delivered) {
        let Delivered { messages, acknowledged, killed, .. } = delivered;
        self.standard.tally.kills += usize::from(*killed);
        self.standard.tally.checks += messages.len();
        let now = self.standard.clock.now();
        for message in messages.iter().filter(|message| acknowledged.contains(&message.message_id)) {
            let delete = |queue: &mut Queue| queue.delete(&message.receipt_handle, now);
            self.standard.aws.with_queue(CHECKS, delete).unwrap().unwrap();
        }
    }

    fn check_at_end(&mut self) -> Result<(), String> {
        self.standard.check_at_end()?;
        if self.standard.tally.exceptions > 0 {
            return Err(format!("{} accounts are missing", self.standard.tally.exceptions));
        }
        let given_up = |queue: &mut Queue| queue.dead_letter_queue().unwrap().messages().next().cloned();
        match self.standard.aws.with_queue(CHECKS, given_up).unwrap() {
            None => Ok(()),
            Some(check) => Err(format!("a check was never completed: {}", check.body)),
        }
    }
}
