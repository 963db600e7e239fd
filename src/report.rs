//! What became of each message, and what Lambda reads of it (ARCHITECTURE.md, "The answer").
//!
//! A message is either deleted because everything it shaped is true at TPNS, or reported so that it comes again.
//! Nothing is dropped in silence, and what was never attempted counts as failed.

use std::{borrow::Cow, collections::HashSet};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use serde::Serialize;

use crate::{
    event::{Invalid, UNKNOWN_APP, WHICH_APP},
    ingress::{Batch, Source},
    tpns::Why,
};

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything it shaped has been accepted by TPNS.
    Applied,
    /// The same, but it is a logout that names an account which the device's known login does not have, and the device
    /// still has an account.
    AppliedNotBound,
    /// A newer event overtook it, and what that one shaped has been accepted.
    Superseded,
    /// The same, but the newer event has the same time: something else than time decided.
    SupersededAtSameTime,
    /// Not now; redelivery brings it back.
    Retry(Reason),
    /// Never as it is.
    Rejected(Reason),
    /// Never as it is, and kept in the parking queue.
    Parked(Reason),
    /// Never until the operator mends the configuration.
    Misconfigured(Reason),
}

/// Why a message failed. Holds no account, token or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A short stable word.
    pub reason: &'static str,
    /// The field and the mend, or TPNS's code.
    pub detail: Cow<'static, str>,
}

impl Reason {
    /// A fault of this program, in handling one event.
    pub const PANIC: Self = Self { reason: "panic", detail: Cow::Borrowed("the function panicked; please report it") };

    /// A deletion for all apps, while the apps document can't be read again: an app may have been added since.
    pub const APPS_DOCUMENT_UNREAD: Self = Self {
        reason: "apps_document_unread",
        detail: Cow::Borrowed(
            "TPNS_APPS_SECRET_ID: the apps document could not be read again, and may name more apps by now",
        ),
    };

    /// Whether another apps document might make an event of it.
    #[must_use]
    pub fn is_of_the_apps(&self) -> bool {
        self.reason == UNKNOWN_APP || self.detail == WHICH_APP
    }

    /// Whether the ledger's table is at fault, which the operator is told apart.
    #[must_use]
    pub fn is_of_the_ledger(&self) -> bool {
        self.reason.starts_with("ledger_")
    }
}

impl From<Invalid> for Reason {
    fn from(invalid: Invalid) -> Self {
        Self { reason: invalid.reason, detail: invalid.detail }
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        let detail = match why {
            Why { code: Some(code), .. } => Cow::Owned(format!("TPNS answered {code}")),
            Why { transport: Some(error), .. } => Cow::Owned(error.to_string()),
            Why { code: None, transport: None, .. } => Cow::Borrowed(""),
        };
        Self { reason: why.reason, detail }
    }
}

impl Outcome {
    /// How every message starts out.
    pub const UNTOUCHED: Self = Self::Retry(Reason { reason: "not_attempted", detail: Cow::Borrowed("") });

    /// Whether the message may be deleted.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        match self {
            Self::Applied | Self::AppliedNotBound | Self::Superseded | Self::SupersededAtSameTime | Self::Parked(_) => {
                true
            }
            Self::Retry(_) | Self::Rejected(_) | Self::Misconfigured(_) => false,
        }
    }

    fn comes_again(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Misconfigured(_))
    }

    /// Why it could not be applied, if it could not; or what is odd about it.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        const NOT_BOUND: &Reason = &Reason {
            reason: "account_not_bound",
            detail: Cow::Borrowed(
                "account_list: names an account that the device's known login does not have; compare spelling and account_type",
            ),
        };
        match self {
            Self::Applied | Self::Superseded | Self::SupersededAtSameTime => None,
            Self::AppliedNotBound => Some(NOT_BOUND),
            Self::Retry(reason) | Self::Rejected(reason) | Self::Parked(reason) | Self::Misconfigured(reason) => {
                Some(reason)
            }
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Applied | Self::AppliedNotBound => "applied",
            Self::Superseded | Self::SupersededAtSameTime => "superseded",
            Self::Retry(_) => "retry",
            Self::Rejected(_) => "rejected",
            Self::Parked(_) => "parked",
            Self::Misconfigured(_) => "misconfigured",
        }
    }
}

/// What the invocation answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"batchItemFailures":[…]}`, always there, empty when all is well.
    Queue(SqsBatchResponse),
    /// `null`: EventBridge reads no more than that there is no error.
    Bridge(()),
}

/// Events that came straight from EventBridge and are not applied: a function error makes Lambda bring them again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failed} of {all} events not applied; the first: {first}")]
pub struct NotApplied {
    failed: usize,
    all: usize,
    first: String,
}

/// The answer to a batch; `outcomes` has one for each message.
///
/// # Errors
/// [`NotApplied`] for EventBridge as the invocation, which has no other way to say that an event failed.
pub fn answer(batch: &Batch<'_>, outcomes: &[Outcome]) -> Result<Answer, NotApplied> {
    let failed = |index: usize| outcomes.get(index).is_none_or(|outcome| !outcome.is_acknowledged());
    match batch.source {
        Source::EventBridge => {
            let count = (0..batch.messages.len()).filter(|&index| failed(index)).count();
            let first = outcomes.iter().filter(|outcome| !outcome.is_acknowledged()).find_map(Outcome::reason);
            match first {
                None if count == 0 => Ok(Answer::Bridge(())),
                first => Err(NotApplied {
                    failed: count,
                    all: batch.messages.len(),
                    first: first.map(|reason| format!("{} {}", reason.reason, reason.detail)).unwrap_or_default(),
                }),
            }
        }
        Source::StandardQueue | Source::FifoQueue => Ok(queue(batch, failed)),
    }
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

/// In a FIFO queue, takes back what stands behind a message of its group that must come again: acknowledged now, it
/// would be overtaken by that one. A rejected message lets its group go on, for it will not be applied later either.
pub fn hold_groups(batch: &Batch<'_>, outcomes: &mut [Outcome]) {
    const BEHIND: Outcome = Outcome::Retry(Reason {
        reason: "behind_a_failed_message",
        detail: Cow::Borrowed("an earlier message of its group is redelivered"),
    });
    if batch.source != Source::FifoQueue || !outcomes.iter().any(Outcome::comes_again) {
        return;
    }
    let mut waiting = HashSet::new();
    for (message, outcome) in batch.messages.iter().zip(outcomes) {
        let group = message.attributes().group_id;
        if outcome.comes_again() {
            waiting.insert(group);
        } else if outcome.is_acknowledged() && waiting.contains(&group) {
            *outcome = BEHIND;
        }
    }
}

/// The rejected messages that may be parked now, by index. A message that is delivered again must not be parked, or
/// there would be one more copy of it with each delivery: with EventBridge one failure brings all events again, in a FIFO
/// queue a message waits for its predecessors, and an id can only be reported for all messages that bear it.
#[must_use]
pub fn parkable(batch: &Batch<'_>, outcomes: &[Outcome]) -> Vec<usize> {
    let rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
    let messages = || batch.messages.iter().zip(outcomes).enumerate();
    let all_settled = !outcomes.iter().any(Outcome::comes_again);
    if all_settled || !outcomes.iter().any(rejected) {
        return messages().filter(|(_, (_, outcome))| rejected(outcome)).map(|(index, _)| index).collect();
    }
    if batch.source == Source::EventBridge {
        return Vec::new();
    }
    let reported = messages().filter(|(_, (_, outcome))| outcome.comes_again());
    let reported: HashSet<_> = reported.map(|(_, (message, _))| &message.id).collect();
    let (mut parkable, mut waiting) = (Vec::new(), HashSet::new());
    for (index, (message, outcome)) in messages() {
        let group = || (batch.source == Source::FifoQueue).then(|| message.attributes().group_id);
        if outcome.comes_again() {
            waiting.extend(group());
        } else if rejected(outcome)
            && !reported.contains(&message.id)
            && group().is_none_or(|group| !waiting.contains(&group))
        {
            parkable.push(index);
        }
    }
    parkable
}

#[cfg(test)]
mod tests;
