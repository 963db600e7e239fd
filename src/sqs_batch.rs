//! Messages into an SQS queue, ten in a call: which of them SQS took, and why not all.

mod refusal;

use std::{collections::VecDeque, time::Duration};

use aws_sdk_sqs::{Client, operation::send_message_batch::SendMessageBatchOutput, types::SendMessageBatchRequestEntry};
use tokio::time::Instant;

use crate::aws::{self, AwsError, Tries, aws_code};

/// SQS takes ten messages in a call.
const MOST_ENTRIES: usize = 10;
/// Bytes in a message and in a call: SQS counts bodies and attributes.
pub(crate) const MOST_BYTES: usize = 1 << 20;
pub(crate) const CALLS_AT_A_TIME: usize = 8;
/// The pause before a retry of what SQS could not take.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// What SQS answered to a call; messages are given by their places.
#[derive(Default)]
pub(crate) struct CallResult {
    pub(crate) taken: Vec<usize>,
    /// SQS will never take these.
    pub(crate) refused: Vec<(usize, Refusal)>,
    /// SQS can't take these now.
    pub(crate) later: Vec<usize>,
    /// SQS refused these together for one of them.
    pub(crate) suspects: Vec<usize>,
    pub(crate) problem: Option<Problem>,
}

/// What is wrong with the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Problem {
    #[error("could not send to it ({0}); check the URL and the role's sqs:SendMessage")]
    Call(#[source] AwsError),
    #[error("SQS did not report the outcome of a message")]
    NoOutcome,
    #[error("SQS did not take a message ({0})")]
    NotTaken(Refusal),
}

/// What SQS refuses a message with. SQS's own text may quote the body; its code does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Code(String),
    #[error("a code that is not an AWS code")]
    ForeignCode,
    /// The call of this one message.
    #[error(transparent)]
    Call(#[from] AwsError),
}

/// Sends the messages of a call, given by their places; the id of an entry is its message's place.
pub(crate) async fn send(
    client: &Client,
    queue_url: &str,
    call: Vec<usize>,
    entry: impl Fn(usize) -> SendMessageBatchRequestEntry,
    until: Instant,
) -> CallResult {
    let request = || {
        let entries = call.iter().map(|&place| entry(place)).collect();
        client.send_message_batch().queue_url(queue_url).set_entries(Some(entries)).send()
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

/// As few calls as SQS allows for messages of these sizes, in their order.
pub(crate) fn in_calls(sizes: impl IntoIterator<Item = usize>) -> VecDeque<Vec<usize>> {
    let mut calls = VecDeque::<Vec<usize>>::new();
    let mut bytes = 0;
    for (place, size) in sizes.into_iter().enumerate() {
        match calls.back_mut() {
            Some(call) if call.len() < MOST_ENTRIES && bytes + size <= MOST_BYTES => call.push(place),
            _ => {
                calls.push_back(vec![place]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    calls
}

/// A call that SQS refused for one of its messages, in two halves: down to the one at fault.
pub(crate) fn halves(suspects: &[usize]) -> [Vec<usize>; 2] {
    let (first, second) = suspects.split_at(suspects.len() / 2);
    [first.to_vec(), second.to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_ten_messages_and_one_mebibyte_at_most() {
        let lengths = |sizes: Vec<usize>| in_calls(sizes).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(vec![]), [0; 0]);
        assert_eq!(lengths(vec![1; 25]), [10, 10, 5]);
        assert_eq!(lengths(vec![MOST_BYTES / 2; 5]), [2, 2, 1]);
        assert_eq!(lengths(vec![MOST_BYTES, 1, MOST_BYTES]), [1, 1, 1]);
        assert_eq!(in_calls([1, 1]), [vec![0, 1]]);
    }
}
