//! A standard queue with the ledger: events are delivered in any order, several times, to any process, and no process
//! waits for another. TPNS fails, DynamoDB fails, and processes are killed at any point.
//!
//! At the end the bindings are those that result from applying the events in version order, except for the ledger's
//! named exception: a deletion that reached TPNS after a newer login of the same account. An additional binding is
//! never an exception.

mod check;
mod deliver;

use std::{collections::HashMap, sync::Arc, time::Duration, time::Instant};

use fastrand::Rng;
use futures_util::future::{join_all, join3};
use lambda_sim::{
    AwsApi, Depth, Fault as AwsFault, Function, ManualClock, Message, Operation, Outcome, Queue, RunningAwsApi,
    SendMessage,
    answer::{Why, interpret},
    event::event_of,
};
use tpns_sim::{
    Fault, RunningSim,
    model::{Account, OverrideMode, Tpns},
};

pub(crate) use self::deliver::{Delivered, deliver};
use crate::{
    contract_event::Change,
    control::reset,
    faults::{self, BatchFaults},
    records::{APPS, apply},
    script::{self, End, Event, Script},
    secrets::{assert_no_secrets, secret_in},
    stage::{function, with_ledger_keys},
    tally::Tally,
};

pub(crate) const QUEUE: &str = "auth-events";
pub(crate) const TABLE: &str = "ledger";
const PARKED: &str = "parked";
const LEDGER_KEY: &str = "a-key-for-the-ledger-of-the-chaos-test";
const VISIBILITY: Duration = Duration::from_secs(120);
/// From this delivery on a message meets no faults,
const SPARED_FROM: u32 = 6;
/// so that none should be received this often.
const MAX_RECEIVE_COUNT: u32 = 60;
const PROCESSES: usize = 4;

pub(crate) struct Chaos {
    pub(crate) rng: Rng,
    pub(crate) script: Script,
    /// The indices of events not sent yet, the next one last; some appear twice.
    pub(crate) unsent: Vec<usize>,
    pub(crate) messages: HashMap<String, usize>,
    pub(crate) tpns: Arc<RunningSim>,
    pub(crate) aws: RunningAwsApi,
    pub(crate) processes: Vec<Arc<Function>>,
    pub(crate) clock: ManualClock,
    pub(crate) tally: Tally,
}

/// What a round has beside its events.
pub(crate) struct Beside<F> {
    /// Whether the round has no faults.
    pub(crate) spared: bool,
    /// Faults of calls that nothing else hits.
    pub(crate) last_faults: Vec<Fault>,
    /// Runs at the same time.
    pub(crate) future: F,
}

/// Runs a seed to its end. Returns what is wrong as an error; other problems panic.
pub(crate) async fn run(seed: u64, count: usize, mode: OverrideMode) -> Result<Tally, String> {
    let begun = Instant::now();
    let mut chaos = Chaos::new(seed, count, mode).await;
    let mut rounds = 0;
    while !chaos.unsent.is_empty() || chaos.depth().total() > 0 {
        chaos.round().await.map_err(|wrong| format!("seed {seed}, round {rounds}: {wrong}"))?;
        rounds += 1;
        if rounds > 200 + count * 50 {
            return Err(format!("seed {seed}: no end after {rounds} rounds, {:?}", chaos.depth()));
        }
    }
    chaos.check_at_end().map_err(|wrong| format!("seed {seed}, at the end: {wrong}"))?;
    chaos.processes.iter().for_each(|process| assert_no_secrets(process));
    chaos.tally.cold_starts = chaos.processes.iter().map(|process| process.cold_starts()).sum();
    chaos.tally.took = begun.elapsed();
    Ok(chaos.tally)
}

impl Chaos {
    async fn new(seed: u64, count: usize, mode: OverrideMode) -> Self {
        let script = script::write(seed, count, mode);
        let tpns = script.world.tpns().start().await.unwrap();
        Self::with(seed, script, tpns, AwsApi::start().await.unwrap(), &[], 0)
    }

    /// With settings of the function beside its own, and with processes beside those for events.
    pub(crate) fn with(
        seed: u64,
        script: Script,
        tpns: RunningSim,
        aws: RunningAwsApi,
        settings: &[(&str, &str)],
        more_processes: usize,
    ) -> Self {
        aws.create_table(TABLE, "pk");
        aws.stale_reads(true);
        let parking = aws.create_queue(Queue::builder(PARKED).build().unwrap());
        let clock = ManualClock::starting_now();
        aws.set_clock(clock.clone());
        let queue = Queue::builder(QUEUE).visibility_timeout(VISIBILITY).dead_letter_after(MAX_RECEIVE_COUNT);
        aws.create_queue(queue.seed(seed).build().unwrap());
        let endpoint = aws.url();
        let own = [
            ("LEDGER_TABLE", TABLE),
            ("PARKING_QUEUE_URL", &parking),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("TPNS_TIMEOUT_MS", "300"),
            ("TPNS_MAX_ATTEMPTS", "2"),
            ("DEADLINE_RESERVE_MS", "5000"),
            ("RETRY_MAX_DELAY", "10m"),
            // The queue's time is simulated, but not the function's.
            ("TPNS_PROBE_INTERVAL", "20ms"),
        ];
        let settings = [&own, settings].concat();
        let processes = (0..PROCESSES + more_processes)
            .map(|_| function(&with_ledger_keys(&tpns.apps_document(), &[LEDGER_KEY]), &settings))
            .collect();
        let mut rng = Rng::with_seed(seed ^ 0x1ed6e5);
        // Most events are sent a little late, some very late, some twice.
        let mut unsent = Vec::new();
        for index in 0..script.events.len() {
            for _ in 0..if rng.u8(0..6) == 0 { 2 } else { 1 } {
                let late = if rng.u8(0..12) == 0 { rng.usize(0..script.events.len().max(1)) } else { rng.usize(0..20) };
                unsent.push((index + late, index));
            }
        }
        unsent.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            rng,
            unsent: unsent.into_iter().map(|(_, index)| index).collect(),
            messages: HashMap::new(),
            processes,
            tpns: Arc::new(tpns),
            aws,
            clock,
            tally: Tally { runs: 1, events: script.events.len(), ..Tally::default() },
            script,
        }
    }

    pub(crate) fn with_queue<T>(&self, use_queue: impl FnOnce(&mut Queue) -> T) -> T {
        self.aws.with_queue(QUEUE, use_queue).unwrap()
    }

    pub(crate) fn depth(&self) -> Depth {
        self.with_queue(|queue| queue.depth(self.clock.now()))
    }

    async fn round(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        self.send(usize::MAX);
        let batches = self.receive_batches();
        if batches.is_empty() {
            if let Some(moment) = self.with_queue(|queue| queue.next_visible_at(now)) {
                self.clock.advance_to(moment);
            }
            return Ok(());
        }
        self.invoke(batches, Beside { spared: false, last_faults: Vec::new(), future: async {} }).await?;
        self.clock.advance(Duration::from_secs(self.rng.u64(0..60)));
        Ok(())
    }

    /// Sends some events, `most` at most, and returns how many.
    pub(crate) fn send(&mut self, most: usize) -> usize {
        let now = self.clock.now();
        let count = self.rng.usize(0..25).min(most).min(self.unsent.len());
        for index in self.unsent.split_off(self.unsent.len() - count).into_iter().rev() {
            let message = SendMessage::new(self.script.events[index].body.as_str());
            let sent = self.with_queue(|queue| queue.send(message, now)).unwrap();
            self.messages.insert(sent.message_id, index);
        }
        self.tally.messages += count;
        count
    }

    /// As many batches as there are processes and messages for them.
    pub(crate) fn receive_batches(&mut self) -> Vec<Vec<Message>> {
        let batches: Vec<_> = (0..PROCESSES).map_while(|_| self.receive()).collect();
        self.tally.batches += batches.len();
        self.tally.concurrent += if batches.len() > 1 { batches.len() } else { 0 };
        batches
    }

    fn receive(&mut self) -> Option<Vec<Message>> {
        let most = self.rng.usize(1..=10);
        let mut messages = self.with_queue(|queue| queue.receive(most, VISIBILITY, self.clock.now()));
        self.rng.shuffle(&mut messages);
        (!messages.is_empty()).then_some(messages)
    }

    /// Invokes a process with each batch, all at the same time.
    pub(crate) async fn invoke<F: Future>(
        &mut self,
        batches: Vec<Vec<Message>>,
        beside: Beside<F>,
    ) -> Result<F::Output, String> {
        // Blocked messages never succeed and would be spared for ever.
        let is_spared =
            |message: &Message| message.receive_count >= SPARED_FROM && self.event(message).end != End::Blocked;
        let spared = beside.spared || batches.iter().flatten().any(is_spared);
        let outage = faults::outage(&mut self.rng).filter(|_| !spared);
        self.tally.outages += usize::from(outage.is_some());
        let (first, last): (Vec<_>, Vec<_>) = outage.into_iter().partition(faults::hides_all_others);
        first.into_iter().for_each(|outage| self.tpns.fault(outage));
        faults::lasting(&self.script.world).into_iter().for_each(|fault| self.tpns.fault(fault));
        let mut kills = Vec::new();
        for batch in &batches {
            let events: Vec<_> = batch.iter().map(|message| self.event(message)).collect();
            let mut rng = Rng::with_seed(self.tally.batches as u64 ^ self.tally.deliveries as u64);
            let of_batch = if spared { BatchFaults::NONE } else { faults::of_batch(&mut rng, &events) };
            of_batch.faults.iter().for_each(|fault| self.tpns.fault(fault.clone()));
            // At any point: in a merge, a call, a verification.
            kills.push((!spared && self.rng.u8(0..8) == 0).then(|| Duration::from_micros(self.rng.u64(0..40_000))));
        }
        last.into_iter().chain(beside.last_faults).for_each(|fault| self.tpns.fault(fault));
        if !spared {
            self.inject_aws_faults();
        }
        // One process is slow: between its merge and its call, or its call and its verification, others do all of
        // theirs.
        let slow = (0..self.rng.usize(0..=3)).map(|_| {
            let operation = if self.rng.u8(0..4) == 0 { Operation::UpdateItem } else { Operation::BatchGetItem };
            let nth = self.rng.usize(1..8);
            let gate = if self.rng.u8(0..4) == 0 {
                self.aws.hold(operation, nth)
            } else {
                self.aws.hold_answer(operation, nth)
            };
            (gate, Duration::from_millis(self.rng.u64(5..60)))
        });
        let slow = slow.collect::<Vec<_>>().into_iter().map(async |(gate, time)| {
            tokio::time::sleep(time).await;
            gate.release();
        });
        let running = batches.into_iter().zip(kills).zip(&self.processes);
        let arn = self.with_queue(|queue| queue.arn().to_owned());
        let running = running.map(|((batch, kill), process)| deliver(process, &arn, batch, kill));
        let (ended, _, of_beside) = join3(join_all(running), join_all(slow), beside.future).await;
        for ended in ended {
            let Delivered { messages, acknowledged, superseded, killed } = ended?;
            self.tally.kills += usize::from(killed);
            self.tally.superseded += superseded;
            self.tally.deliveries += messages.len();
            for message in messages.iter().filter(|message| acknowledged.contains(&message.message_id)) {
                self.with_queue(|queue| queue.delete(&message.receipt_handle, self.clock.now())).unwrap();
            }
            self.tally.applied += acknowledged.len() - superseded;
        }
        self.tally.count(&self.tpns.calls());
        reset(&self.tpns, r#"{"faults":true,"calls":true}"#).await;
        self.aws.clear_faults();
        Ok(of_beside)
    }

    fn inject_aws_faults(&mut self) {
        let rng = &mut self.rng;
        for _ in 0..[0, 0, 1, 2][rng.usize(0..4)] {
            let operation = if rng.bool() { Operation::UpdateItem } else { Operation::BatchGetItem };
            let faults = [
                AwsFault::Throttling,
                AwsFault::InternalError,
                AwsFault::Close,
                AwsFault::CloseAfterwards,
                AwsFault::AccessDenied,
            ];
            self.aws.fail_next(operation, rng.usize(1..6), *rng.choice(&faults).unwrap());
            *self.tally.faults.entry("dynamodb").or_default() += 1;
        }
        if rng.u8(0..6) == 0 {
            let faults = [AwsFault::Throttling, AwsFault::Close, AwsFault::CloseAfterwards, AwsFault::AccessDenied];
            let fault = *rng.choice(&faults).unwrap();
            self.aws.fail_next(Operation::ChangeMessageVisibilityBatch, rng.usize(1..4), fault);
            *self.tally.faults.entry("delay refused").or_default() += 1;
        }
        if rng.u8(0..6) == 0 {
            self.aws.unprocessed_next(rng.usize(1..3), rng.usize(1..5));
        }
    }

    pub(crate) fn event(&self, message: &Message) -> &Event {
        &self.script.events[self.messages[&message.message_id]]
    }
}
