//! What Lambda reads of the outcomes (ARCHITECTURE.md, "The answer").
//!
//! A message is either deleted because everything it shaped is true at TPNS, or reported so that it is redelivered.
//! Nothing is dropped in silence, and what was never attempted counts as failed.

use std::collections::HashSet;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use serde::Serialize;

use crate::{
    ingress::{Batch, MessageIndex, Source},
    outcome::{Failure, Outcome, Reason},
};

/// What the invocation answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"batchItemFailures":[…]}`, also if it is empty.
    Queue(SqsBatchResponse),
    /// `null`: EventBridge only reads whether there is an error.
    Bridge(()),
}

/// Events that came straight from EventBridge and are not applied: a function error makes Lambda redeliver them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failed} of {all} events not applied; the first: {}", .first.as_ref().map(Failure::to_string).unwrap_or_default())]
pub struct NotApplied {
    failed: usize,
    all: usize,
    first: Option<Failure>,
}

/// The answer to a batch; `outcomes` has one for each message.
///
/// # Errors
/// [`NotApplied`] for EventBridge as the invocation, which has no other way to say that an event failed.
pub fn answer(batch: &Batch<'_>, outcomes: &[Outcome]) -> Result<Answer, NotApplied> {
    let failed = failed(outcomes);
    match batch.source {
        Source::EventBridge => {
            let count = (0..batch.messages.len()).filter(|&index| failed(index)).count();
            let first = outcomes.iter().filter(|outcome| !outcome.is_acknowledged()).find_map(Outcome::failure);
            match first {
                None if count == 0 => Ok(Answer::Bridge(())),
                first => Err(NotApplied { failed: count, all: batch.messages.len(), first: first.cloned() }),
            }
        }
        Source::StandardQueue | Source::FifoQueue => Ok(queue(batch, failed)),
    }
}

/// The answer to a batch of the check queue.
#[must_use]
pub fn answer_queue(batch: &Batch<'_>, outcomes: &[Outcome]) -> Answer {
    queue(batch, failed(outcomes))
}

fn failed(outcomes: &[Outcome]) -> impl Fn(usize) -> bool + '_ {
    |index| outcomes.get(index).is_none_or(|outcome| !outcome.is_acknowledged())
}

fn queue(batch: &Batch<'_>, failed: impl Fn(usize) -> bool) -> Answer {
    let mut response = SqsBatchResponse::default();
    let mut seen = HashSet::new();
    for (index, message) in batch.messages.iter().enumerate() {
        if failed(index) && seen.insert(&message.id) {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.id.clone().into_owned();
            response.batch_item_failures.push(failure);
        }
    }
    Answer::Queue(response)
}

/// In a FIFO queue, holds back messages behind one of their group that is redelivered: acknowledged now, they would be
/// overtaken by that one. A rejected message does not hold its group, since it will not be applied later either.
pub fn hold_groups(batch: &Batch<'_>, outcomes: &mut [Outcome]) {
    const BEHIND: Outcome =
        Outcome::Retry(Failure::new(Reason::BehindAFailedMessage, "an earlier message of its group is redelivered"));
    if batch.source != Source::FifoQueue || !outcomes.iter().any(Outcome::is_redelivered) {
        return;
    }
    let mut waiting = HashSet::new();
    for (message, outcome) in batch.messages.iter().zip(outcomes) {
        let group = message.attributes().group_id;
        if outcome.is_redelivered() {
            waiting.insert(group);
        } else if outcome.is_acknowledged() && waiting.contains(&group) {
            *outcome = BEHIND;
        }
    }
}

/// The rejected messages that may be parked now, by index. A message that is delivered again must not be parked, or
/// there would be one more copy of it with each delivery: with EventBridge one failure makes Lambda redeliver all
/// events, in a FIFO queue a message waits for its predecessors, and an id can only be reported for all messages that
/// have it.
#[must_use]
pub fn parkable(batch: &Batch<'_>, outcomes: &[Outcome]) -> Vec<MessageIndex> {
    let rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
    let messages = || batch.messages.iter().zip(outcomes).enumerate();
    let all_settled = !outcomes.iter().any(Outcome::is_redelivered);
    if all_settled || !outcomes.iter().any(rejected) {
        return messages()
            .filter(|(_, (_, outcome))| rejected(outcome))
            .map(|(index, _)| MessageIndex(index))
            .collect();
    }
    if batch.source == Source::EventBridge {
        return Vec::new();
    }
    let reported = messages().filter(|(_, (_, outcome))| outcome.is_redelivered());
    let reported: HashSet<_> = reported.map(|(_, (message, _))| &message.id).collect();
    let (mut parkable, mut waiting) = (Vec::new(), HashSet::new());
    for (index, (message, outcome)) in messages() {
        let group = || (batch.source == Source::FifoQueue).then(|| message.attributes().group_id);
        if outcome.is_redelivered() {
            waiting.extend(group());
        } else if rejected(outcome)
            && !reported.contains(&message.id)
            && group().is_none_or(|group| !waiting.contains(&group))
        {
            parkable.push(MessageIndex(index));
        }
    }
    parkable
}

#[cfg(test)]
mod tests;
