//! SQS: the client, sending, and received messages.

mod failure;
mod held;
mod send;

use aws_config::BehaviorVersion;
use aws_sdk_sqs::{Client, types::QueueAttributeName};

pub(crate) use failure::{SqsFailure, failure};
pub(crate) use held::{Held, Message};
pub(crate) use send::{Outcome, Sender};

/// A client with the usual credentials, region and endpoint.
pub(crate) async fn client() -> Client {
    Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await)
}

/// No URL of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/tpns-parked")]
pub(crate) struct NotAQueueUrl;

/// The text, if it has the form of a queue's URL.
///
/// # Errors
/// [`NotAQueueUrl`].
pub(crate) fn queue_url(text: &str) -> Result<String, NotAQueueUrl> {
    let path = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match path.and_then(|rest| rest.split_once('/')) {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => Ok(text.to_owned()),
        _ => Err(NotAQueueUrl),
    }
}

/// A queue is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DepthError {
    /// It is one that a function reads.
    #[error(
        "{option}: this queue has a dead-letter queue of its own, so reading it counts as a delivery; name the parking queue \
         or the dead-letter queue"
    )]
    HasDeadLetters { option: &'static str },
    /// SQS does not say.
    #[error(transparent)]
    Sqs(#[from] SqsFailure),
}

/// The number of messages in a queue, in flight ones included, asked before anything is received from it.
///
/// # Errors
/// [`DepthError`] also for a queue with a dead-letter queue, such as the one that the function reads: receiving from it
/// hides messages from the function, and counts as a delivery.
pub(crate) async fn depth(client: &Client, url: &str, option: &'static str) -> Result<u64, DepthError> {
    use QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, RedrivePolicy};
    let names = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, RedrivePolicy];
    let asked = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.into())).send().await;
    let answer = asked.map_err(|error| failure(&error, "sqs:GetQueueAttributes", option))?;
    // A queue always has a number of messages: an answer without it is not SQS's, and does not rule out a dead-letter
    // queue.
    let attributes = answer.attributes().filter(|all| all.contains_key(&ApproximateNumberOfMessages));
    let attributes = attributes.ok_or_else(SqsFailure::empty_answer)?;
    let attribute = |name| attributes.get(&name);
    if attribute(RedrivePolicy).is_some() {
        return Err(DepthError::HasDeadLetters { option });
    }
    let number = |name| attribute(name).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    Ok(number(ApproximateNumberOfMessages) + number(ApproximateNumberOfMessagesNotVisible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_url_is_accepted_and_a_name_or_an_arn_is_not() {
        for url in ["https://sqs.eu-west-1.amazonaws.com/1/q", "http://127.0.0.1:4566/000000000000/q.fifo"] {
            assert_eq!(queue_url(url), Ok(url.to_owned()));
        }
        for text in ["", "q", "arn:aws:sqs:eu-west-1:1:q", "https://", "https://host", "https:///q", "ftp://host/q"] {
            assert!(queue_url(text).is_err(), "{text}");
        }
    }
}
