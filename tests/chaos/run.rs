//! A run: rounds of sending, receiving and invoking, until everything is completed.
//!
//! The event source mapping is written out here instead of using `lambda_sim::EventSource`: batches have a random size
//! and order, and each has its own faults.

use std::{collections::BTreeMap, sync::Arc, time::Duration, time::Instant};

use fastrand::Rng;
use futures_util::future::join_all;
use lambda_sim::{
    AwsApi, Depth, Function, ManualClock, Message, Outcome, Queue, RunningAwsApi,
    answer::{Why, interpret},
    event::event_of,
};
use serde_json::Value;
use tpns_sim::{RunningSim, model::OverrideMode};

use crate::{
    control::reset,
    faults::{self, BatchFaults},
    producer::Producer,
    records::Records,
    script::{self, End, Event, Script},
    secrets::{assert_no_secrets, secret_in},
    stage::function,
    tally::Tally,
};

const QUEUE: &str = "auth-events.fifo";
const VISIBILITY: Duration = Duration::from_secs(120);
/// From this delivery on a message meets no faults,
const SPARED_FROM: u32 = 5;
/// so that only a message that can never be applied is received this often and dead-lettered.
const MAX_RECEIVE_COUNT: u32 = 10;
/// Concurrent calls and attempts of each, by process. One at a time, or all at once: with a number in between, the
/// order in which calls end would influence the next ones, and a seed would not be repeatable.
const PROCESSES: [(&str, &str); 3] = [("1", "1"), ("20", "2"), ("1", "3")];

/// A batch, and its result.
pub(crate) struct Delivery {
    pub(crate) messages: Vec<Message>,
    pub(crate) acknowledged: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) killed: bool,
}

struct Chaos {
    rng: Rng,
    script: Script,
    producer: Producer,
    records: Records,
    tpns: RunningSim,
    processes: Vec<Arc<Function>>,
    aws: RunningAwsApi,
    clock: ManualClock,
    tally: Tally,
}

/// Runs a seed to its end. Returns what is wrong as an error; other problems panic.
pub(crate) async fn run(seed: u64, count: usize, mode: OverrideMode) -> Result<Tally, String> {
    let begun = Instant::now();
    let mut chaos = Chaos::new(seed, count, mode).await;
    let mut rounds = 0;
    while !chaos.is_over() {
        chaos.round().await.map_err(|wrong| format!("seed {seed}, round {rounds}: {wrong}"))?;
        rounds += 1;
        if rounds > 200 + count * 50 {
            return Err(format!("seed {seed}: no end after {rounds} rounds, {:?}", chaos.depth()));
        }
    }
    chaos
        .records
        .check_at_end(&chaos.tpns, &chaos.script)
        .map_err(|wrong| format!("seed {seed}, at the end: {wrong}"))?;
    chaos.processes.iter().for_each(|process| assert_no_secrets(process));
    chaos.tally.cold_starts = chaos.processes.iter().map(|process| process.cold_starts()).sum();
    chaos.tally.took = begun.elapsed();
    Ok(chaos.tally)
}

impl Chaos {
    async fn new(seed: u64, count: usize, mode: OverrideMode) -> Self {
        let script = script::write(seed, count, mode);
        let tpns = script.world.tpns().start().await.unwrap();
        let aws = AwsApi::start().await.unwrap();
        let clock = ManualClock::starting_now();
        aws.set_clock(clock.clone());
        let queue = Queue::builder(QUEUE).visibility_timeout(VISIBILITY).dead_letter_after(MAX_RECEIVE_COUNT);
        aws.create_queue(queue.seed(seed).build().unwrap());
        let endpoint = aws.url();
        let process = |(concurrency, attempts)| {
            let settings = [
                ("TPNS_CONCURRENCY", concurrency),
                ("TPNS_MAX_ATTEMPTS", attempts),
                ("TPNS_TIMEOUT_MS", "300"),
                ("AWS_ENDPOINT_URL", &endpoint),
                // With a longer one the delays would be random, and a seed would not be repeatable.
                ("RETRY_MAX_DELAY", "1s"),
            ];
            function(&tpns.apps_document(), &settings)
        };
        Self {
            // A different random stream from the script's, so that a change in one does not shift the other.
            rng: Rng::with_seed(seed ^ 0x5eed),
            producer: Producer::new(script.events.len()),
            records: Records::new(&script),
            processes: PROCESSES.map(process).to_vec(),
            tpns,
            aws,
            clock,
            tally: Tally { runs: 1, events: script.events.len(), ..Tally::default() },
            script,
        }
    }

    fn with_queue<T>(&self, use_queue: impl FnOnce(&mut Queue) -> T) -> T {
        self.aws.with_queue(QUEUE, use_queue).unwrap()
    }

    fn depth(&self) -> Depth {
        self.with_queue(|queue| queue.depth(self.clock.now()))
    }

    fn is_over(&self) -> bool {
        self.producer.is_done() && self.depth().total() == 0
    }

    async fn round(&mut self) -> Result<(), String> {
        let most = self.rng.usize(0..25);
        let now = self.clock.now();
        let (producer, events, rng) = (&mut self.producer, &self.script.events, &mut self.rng);
        let sent = self.aws.with_queue(QUEUE, |queue| producer.send(most, events, queue, now, rng)).unwrap();
        self.tally.messages += sent.len();
        self.records.sent(sent, &self.script.events);

        let batches: Vec<_> = (0..self.processes.len()).map_while(|_| self.receive()).collect();
        if batches.is_empty() {
            if let Some(moment) = self.with_queue(|queue| queue.next_visible_at(now)) {
                self.clock.advance_to(moment);
            }
        } else {
            self.tally.batches += batches.len();
            self.tally.concurrent += if batches.len() > 1 { batches.len() } else { 0 };
            self.invoke(batches).await?;
            self.clock.advance(Duration::from_secs(self.rng.u64(0..40)));
        }
        let (records, producer, tally) = (&mut self.records, &mut self.producer, &mut self.tally);
        let record = |queue: &mut Queue| records.record_dead_letters(queue, &self.script.events, producer, tally);
        self.aws.with_queue(QUEUE, record).unwrap()?;
        self.records.check_between_rounds(&self.tpns, &self.producer)
    }

    /// Receives a batch of random size. FIFO: no group is in two batches at once.
    fn receive(&mut self) -> Option<Vec<Message>> {
        let most = self.rng.usize(1..=10);
        let messages = self.with_queue(|queue| queue.receive(most, VISIBILITY, self.clock.now()));
        (!messages.is_empty()).then(|| self.shuffled(messages))
    }

    /// Interleaves groups, and within a group shuffles events of the same time. A FIFO queue keeps the rest of a
    /// group's order.
    fn shuffled(&mut self, mut messages: Vec<Message>) -> Vec<Message> {
        self.rng.shuffle(&mut messages);
        let at = |message: &Message| self.script.events[self.records.event_of(&message.message_id)].at;
        let mut in_order = messages.clone();
        in_order.sort_by_key(at);
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for message in in_order.into_iter().rev() {
            groups.entry(message.group_id.clone()).or_default().push(message);
        }
        // Whichever places in the batch a group got, its messages take them in order.
        messages.iter().map(|place| groups.get_mut(&place.group_id).unwrap().pop().unwrap()).collect()
    }

    /// Invokes a process for each batch, all at the same time.
    async fn invoke(&mut self, batches: Vec<Vec<Message>>) -> Result<(), String> {
        // Blocked messages never succeed and would be spared for ever.
        let is_spared =
            |message: &Message| message.receive_count >= SPARED_FROM && self.event(message).end != End::Blocked;
        let spared: Vec<_> = batches.iter().map(|batch| batch.iter().any(is_spared)).collect();
        let outage = faults::outage(&mut self.rng).filter(|_| !spared.contains(&true));
        self.tally.outages += usize::from(outage.is_some());
        let (first, last): (Vec<_>, Vec<_>) = outage.into_iter().partition(faults::hides_all_others);
        first.into_iter().for_each(|outage| self.tpns.fault(outage));
        faults::lasting(&self.script.world).into_iter().for_each(|fault| self.tpns.fault(fault));
        let mut of_batches = Vec::new();
        let mut rng = self.rng.fork();
        for (batch, spared) in batches.iter().zip(spared) {
            let events: Vec<_> = batch.iter().map(|message| self.event(message)).collect();
            let of_batch = if spared { BatchFaults::NONE } else { faults::of_batch(&mut rng, &events) };
            of_batch.faults.iter().for_each(|fault| self.tpns.fault(fault.clone()));
            of_batches.push(of_batch);
        }
        last.into_iter().for_each(|outage| self.tpns.fault(outage));
        let running = batches.into_iter().zip(&of_batches).zip(&self.processes);
        let ended = join_all(running.map(|((batch, faults), process)| self.deliver(process, batch, faults))).await;
        for ended in ended {
            let (delivery, outcomes) = ended?;
            self.record(&delivery, &outcomes)?;
        }
        self.tally.count(&self.tpns.calls());
        reset(&self.tpns, r#"{"faults":true,"calls":true}"#).await;
        Ok(())
    }

    fn event(&self, message: &Message) -> &Event {
        &self.script.events[self.records.event_of(&message.message_id)]
    }

    async fn deliver(
        &self,
        process: &Function,
        messages: Vec<Message>,
        faults: &BatchFaults,
    ) -> Result<(Delivery, BTreeMap<String, String>), String> {
        if faults.kill_first {
            process.kill();
        }
        let mark = process.output_len().unwrap();
        let arn = self.with_queue(|queue| queue.arn().to_owned());
        let invocation = process.invoke(event_of(&arn, &messages));
        tokio::pin!(invocation);
        let mut killed = false;
        let invocation = tokio::select! {
            invocation = &mut invocation => invocation,
            () = self.a_call_hangs(&messages), if faults.kill => {
                process.kill();
                killed = true;
                invocation.await
            }
        };
        let ids: Vec<_> = messages.iter().map(|message| message.message_id.clone()).collect();
        let (acknowledged, failed) = match invocation.unwrap().outcome {
            // On a slow machine it may still have been in its init phase.
            Outcome::Exited { .. } | Outcome::InitFailed(_) if killed => (Vec::new(), ids),
            Outcome::Response { body } => {
                killed = false;
                if let Some(found) = secret_in(&body) {
                    return Err(format!("the response: {found}"));
                }
                let verdict = interpret(&body, &ids);
                match verdict.why {
                    Why::Partial | Why::EmptyList => (verdict.deletes, verdict.fails),
                    why => return Err(format!("not a valid partial batch response: {why:?}")),
                }
            }
            other => return Err(format!("neither answered nor killed: {other:?}")),
        };
        let lines = process.lines_since(mark).unwrap();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let outcomes = lines.filter_map(|line| Some((text(&line["message_id"])?, text(&line["outcome"])?))).collect();
        Ok((Delivery { messages, acknowledged, failed, killed }, outcomes))
    }

    /// Waits until a call hangs that contains something of this batch.
    async fn a_call_hangs(&self, messages: &[Message]) {
        let tokens: Vec<_> = messages.iter().filter_map(|message| self.event(message).change.token()).collect();
        let accounts: Vec<_> = messages.iter().flat_map(|message| self.event(message).change.accounts()).collect();
        let is_ours = |request: &Value| {
            let deletes = request["account_list"].as_array().into_iter().flatten();
            let mut deletes = deletes.filter_map(|account| account["account"].as_str());
            deletes.any(|name| accounts.iter().any(|account| account.account == name)) || {
                let text = request.to_string();
                tokens.iter().any(|token| text.contains(&format!("\"{token}\"")))
            }
        };
        let hangs = |call: tpns_sim::Call| call.fault == Some("hang") && call.request.as_ref().is_some_and(is_ours);
        while !self.tpns.calls().into_iter().any(hangs) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn record(&mut self, delivery: &Delivery, outcomes: &BTreeMap<String, String>) -> Result<(), String> {
        let now = self.clock.now();
        self.tally.deliveries += delivery.messages.len();
        self.tally.kills += usize::from(delivery.killed);
        for message in &delivery.messages {
            let acknowledged = delivery.acknowledged.contains(&message.message_id);
            if acknowledged {
                self.with_queue(|queue| queue.delete(&message.receipt_handle, now)).unwrap();
            }
            // FNV-1a over what was delivered and its result.
            for byte in message.message_id.bytes().chain([u8::from(acknowledged)]) {
                self.tally.trace = (self.tally.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        self.records.delivered(delivery, outcomes, &self.script.events, &mut self.producer, &mut self.tally)
    }
}
