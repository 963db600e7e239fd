//! Parking: rejected events are sent to a queue of their own, as received and with the reason, and only then
//! acknowledged (ARCHITECTURE.md, "The answer").

mod message;

use std::{collections::VecDeque, fmt::Display, time::Duration};

use aws_sdk_sqs::Client;
use futures_util::{StreamExt, stream::FuturesUnordered};
use indexmap::IndexMap;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    ingress::{Batch, Source},
    outcome::Outcome,
    report,
    sqs_batch::{self, CALLS_AT_A_TIME, CallResult, PAUSE, Problem, halves, in_calls},
};
use message::{ParkedMessage, messages};

/// The queue that keeps rejected events for the operator.
#[derive(Debug)]
pub struct Parking {
    client: Client,
    queue_url: String,
}

/// What is to be parked, and the result so far.
struct Sending<'o> {
    /// Places in `messages`.
    calls: VecDeque<Vec<usize>>,
    messages: &'o [ParkedMessage],
    outcomes: &'o mut [Outcome],
    /// Lambda redelivers all messages or none.
    whole: bool,
    some_parked: bool,
    /// What is wrong with the queue, and for how many messages.
    problems: IndexMap<Problem, usize>,
}

impl Parking {
    /// Parks in the queue of this URL.
    #[must_use]
    pub fn new(sdk: &aws_config::SdkConfig, queue_url: String) -> Self {
        Self { client: Client::new(sdk), queue_url }
    }

    /// Parks the rejected messages that [may be parked](report::parkable). Those that SQS took within `limit` become
    /// [`Outcome::Parked`]; the others stay rejected, and so are reported.
    pub async fn park(&self, batch: &Batch<'_>, outcomes: &mut [Outcome], limit: Duration) {
        let parkable = report::parkable(batch, outcomes);
        let rejected = parkable.iter().filter_map(|&index| match &outcomes[index.0] {
            Outcome::Rejected(failure) => Some((index, &batch.messages[index.0], failure)),
            _ => None,
        });
        let (messages, unfit) = messages(rejected, self.queue_url.ends_with(".fifo"));
        for &(index, why) in &unfit {
            not_parked(&mut outcomes[index.0], why);
        }
        // One that can't be parked makes Lambda redeliver all: the others would be parked each time.
        let whole = batch.source == Source::EventBridge;
        if whole && !unfit.is_empty() {
            return;
        }
        let calls = in_calls(messages.iter().map(|message| message.size));
        let mut sending =
            Sending { calls, messages: &messages, outcomes, whole, some_parked: false, problems: IndexMap::new() };
        let until = Instant::now() + limit;
        tokio::select! {
            // What is answered at the end still counts.
            biased;
            () = self.send_all(&mut sending, until) => {}
            () = sleep_until(until) => {
                tracing::error!("PARKING_QUEUE_URL: no time left to park the rejected events; they are redelivered");
            }
        }
        sending.log_problems();
    }

    /// Each call's result counts by itself, so what is parked when the time is up stays parked.
    async fn send_all(&self, sending: &mut Sending<'_>, until: Instant) {
        let most_at_a_time = if sending.whole { 1 } else { CALLS_AT_A_TIME };
        let mut answers = FuturesUnordered::new();
        loop {
            while answers.len() < most_at_a_time
                && let Some(call) = sending.calls.pop_front()
            {
                answers.push(self.send(call, sending.messages, until));
            }
            let Some(answer) = answers.next().await else { return };
            if sending.take(answer) == Next::AfterAPause {
                sleep(PAUSE).await;
            }
        }
    }

    async fn send(&self, call: Vec<usize>, messages: &[ParkedMessage], until: Instant) -> CallResult {
        let entry = |place: usize| messages[place].entry.clone();
        sqs_batch::send(&self.client, &self.queue_url, call, entry, until).await
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    AtOnce,
    AfterAPause,
}

impl Sending<'_> {
    /// Records what SQS answered, and what has to be sent again.
    fn take(&mut self, answer: CallResult) -> Next {
        for message in answer.taken.iter().filter_map(|&place| self.messages.get(place)) {
            self.some_parked = true;
            message.indices.iter().for_each(|&index| parked(&mut self.outcomes[index.0]));
        }
        for (place, code) in &answer.refused {
            let message = self.messages.get(*place).into_iter();
            message.flat_map(|message| &message.indices).for_each(|&index| {
                not_parked(&mut self.outcomes[index.0], format_args!("SQS refuses it with {code}"));
            });
        }
        if let Some(problem) = answer.problem {
            // It concerns those that are sent again or, if there are none, the one message of the call.
            *self.problems.entry(problem).or_default() += answer.later.len().max(1);
        }
        if self.whole {
            return self.take_whole(answer.later, answer.suspects.is_empty() && answer.refused.is_empty());
        }
        if !answer.suspects.is_empty() {
            self.calls.extend(halves(&answer.suspects));
        }
        Next::AtOnce
    }

    /// If Lambda redelivers all or nothing: once some are parked, the rest must follow, and if one can't be parked, no
    /// other should be.
    fn take_whole(&mut self, later: Vec<usize>, all_fit: bool) -> Next {
        if later.is_empty() && all_fit {
            return Next::AtOnce;
        }
        if !all_fit || !self.some_parked {
            self.calls.clear();
            return Next::AtOnce;
        }
        self.calls.push_front(later);
        Next::AfterAPause
    }

    fn log_problems(&self) {
        for (problem, events) in &self.problems {
            tracing::error!(events, "PARKING_QUEUE_URL: {problem}");
        }
        let mut places = self.messages.iter().flat_map(|message| &message.indices);
        if self.whole && self.some_parked && places.any(|&index| !self.outcomes[index.0].is_acknowledged()) {
            tracing::error!(
                "PARKING_QUEUE_URL: only some of an invocation's events are parked; Lambda redelivers all, so those are \
                 parked again"
            );
        }
    }
}

fn parked(outcome: &mut Outcome) {
    if let Outcome::Rejected(failure) = outcome {
        *outcome = Outcome::Parked(failure.clone());
    }
}

/// It stays rejected, and its log line says why it is not parked.
fn not_parked(outcome: &mut Outcome, why: impl Display) {
    if let Outcome::Rejected(failure) = outcome {
        failure.add(format_args!("not parked: {why}"));
    }
}
