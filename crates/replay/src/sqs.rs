//! SQS: the client, sending, and messages in hand.

mod held;
mod send;
mod trouble;

use aws_config::BehaviorVersion;
use aws_sdk_sqs::{Client, types::QueueAttributeName};

pub(crate) use held::{Held, Message};
pub(crate) use send::{Fate, Sender};
pub(crate) use trouble::{Trouble, trouble};

use crate::problem::Problem;

/// A client with the usual credentials, region and endpoint.
pub(crate) async fn client() -> Client {
    Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await)
}

/// The URL, if it can be one of a queue.
///
/// # Errors
/// What a queue's URL looks like.
pub(crate) fn queue_url(text: &str) -> Result<String, String> {
    let path = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match path.and_then(|rest| rest.split_once('/')) {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => Ok(text.to_owned()),
        _ => Err("must be a queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/tpns-parked".into()),
    }
}

/// A queue that keeps messages for people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depot {
    /// How many messages it says it has.
    pub(crate) messages: u64,
}

/// Looks at a queue before anything is received from it.
///
/// # Errors
/// [`Problem`] also for a queue that the function reads: receiving there hides messages from it, and counts as a delivery.
pub(crate) async fn depot(client: &Client, url: &str, option: &str) -> Result<Depot, Problem> {
    use QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, RedrivePolicy};
    let names = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, RedrivePolicy];
    let asked = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.into())).send().await;
    let answer = asked.map_err(|error| trouble(&error, "sqs:GetQueueAttributes", option))?;
    // A queue always has a number of messages: without it, this is not the queue's answer, and it may have a dead-letter queue.
    let attributes = answer.attributes().filter(|all| all.contains_key(&ApproximateNumberOfMessages));
    let attributes = attributes.ok_or_else(Trouble::empty_answer)?;
    let attribute = |name| attributes.get(&name);
    if attribute(RedrivePolicy).is_some() {
        return Err(Problem::Usage(format!(
            "{option}: this queue has a dead-letter queue of its own, so reading it counts as a delivery; name the parking queue or the dead-letter queue"
        )));
    }
    let number = |name| attribute(name).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    Ok(Depot { messages: number(ApproximateNumberOfMessages) + number(ApproximateNumberOfMessagesNotVisible) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_from_a_name_and_an_arn() {
        for url in ["https://sqs.eu-west-1.amazonaws.com/1/q", "http://127.0.0.1:4566/000000000000/q.fifo"] {
            assert_eq!(queue_url(url).as_deref(), Ok(url));
        }
        for text in ["", "q", "arn:aws:sqs:eu-west-1:1:q", "https://", "https://host", "https:///q", "ftp://host/q"] {
            assert!(queue_url(text).is_err(), "{text}");
        }
    }
}
