//! Parking: rejected events are sent to a queue of their own, as received and with the reason, and only then
//! acknowledged (ARCHITECTURE.md, "The answer").

mod message;
mod refusal;

use std::{collections::VecDeque, fmt::Display, time::Duration};

use aws_sdk_sqs::{Client, operation::send_message_batch::SendMessageBatchOutput};
use futures_util::{StreamExt, stream::FuturesUnordered};
use indexmap::IndexMap;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    aws::{self, AwsError, Tries, aws_code},
    ingress::{Batch, Source},
    outcome::Outcome,
    report,
};
use message::{MOST_BYTES, ParkedMessage, messages};

/// SQS takes ten messages in a call.
const MOST_ENTRIES: usize = 10;
const CALLS_AT_A_TIME: usize = 8;
/// The pause before a retry of what SQS could not take.
const PAUSE: Duration = Duration::from_millis(200);

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

/// What SQS answered to a call; messages are given by their places.
#[derive(Default)]
struct CallResult {
    taken: Vec<usize>,
    /// SQS will never take these.
    refused: Vec<(usize, Refusal)>,
    /// SQS can't take these now.
    later: Vec<usize>,
    /// SQS refused these together for one of them.
    suspects: Vec<usize>,
    problem: Option<Problem>,
}

/// What is wrong with the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
enum Problem {
    #[error("could not park ({0}); check the URL and the role's sqs:SendMessage")]
    Call(#[source] AwsError),
    #[error("SQS did not report the outcome of an event")]
    NoOutcome,
    #[error("SQS did not take an event ({0})")]
    NotTaken(Refusal),
}

/// What SQS refuses a message with. SQS's own text may quote the body; its code does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Code(String),
    #[error("a code that is not an AWS code")]
    ForeignCode,
    /// The call of this one message.
    #[error(transparent)]
    Call(#[from] AwsError),
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
        let calls = in_calls(&messages);
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
        let request = || {
            let entries = call.iter().map(|&place| messages[place].entry.clone()).collect();
            self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries)).send()
        };
        match aws::send(Tries::until(until), request).await {
            Ok(answer) => CallResult::read(&answer, &call),
            Err(error) if refusal::is_of_a_message(&error) => match call.as_slice() {
                [one] => {
                    let what = aws::failure(&error);
                    // SQS refuses with a code: without one something else refused, and the message is not at fault.
                    let problem = what.code().is_none().then(|| Problem::Call(what.clone()));
                    CallResult { refused: vec![(*one, what.into())], problem, ..CallResult::default() }
                }
                _ => CallResult { suspects: call, ..CallResult::default() },
            },
            Err(error) => {
                let problem = Problem::Call(aws::failure(&error));
                CallResult { later: call, problem: Some(problem), ..CallResult::default() }
            }
        }
    }
}

impl CallResult {
    /// Only ids that were sent count, and none that is in both parts of the answer.
    fn read(answer: &SendMessageBatchOutput, call: &[usize]) -> Self {
        let mut result = Self::default();
        for &place in call {
            let id = place.to_string();
            let is_taken = answer.successful().iter().any(|taken| taken.id() == id);
            match answer.failed().iter().find(|failed| failed.id() == id) {
                None if is_taken => result.taken.push(place),
                None => {
                    result.later.push(place);
                    result.problem = Some(Problem::NoOutcome);
                }
                Some(failed) => {
                    let code = aws_code(failed.code());
                    let refusal = code.map_or(Refusal::ForeignCode, |code| Refusal::Code(code.to_owned()));
                    if failed.sender_fault() {
                        result.refused.push((place, refusal));
                    } else {
                        result.later.push(place);
                        result.problem = Some(Problem::NotTaken(refusal));
                    }
                }
            }
        }
        result
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
        // Down to the one at fault.
        if !answer.suspects.is_empty() {
            let (first, second) = answer.suspects.split_at(answer.suspects.len() / 2);
            self.calls.extend([first.to_vec(), second.to_vec()]);
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

/// As few calls as SQS allows, in the messages' order.
fn in_calls(messages: &[ParkedMessage]) -> VecDeque<Vec<usize>> {
    let mut calls = VecDeque::<Vec<usize>>::new();
    let mut bytes = 0;
    for (place, message) in messages.iter().enumerate() {
        match calls.back_mut() {
            Some(call) if call.len() < MOST_ENTRIES && bytes + message.size <= MOST_BYTES => call.push(place),
            _ => {
                calls.push_back(vec![place]);
                bytes = 0;
            }
        }
        bytes += message.size;
    }
    calls
}
