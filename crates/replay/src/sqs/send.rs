//! Sends one call's messages, and retries until SQS has accepted or refused each.

use std::{cell::Cell, pin::Pin, time::Duration};

use aws_failure::aws_code;
use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry},
};

use super::{SqsFailure, failure};
use crate::{
    entry::{Outgoing, is_fifo},
    interrupt::Interrupt,
};

/// Attempts for a message, not counting the SDK's own retries; with the pauses this takes half a minute.
const MOST_ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends to one queue.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    queue_url: String,
    /// The option that named the queue.
    option: &'static str,
    interrupt: Interrupt,
    /// Whether SQS has ever answered: a wrong address is reported at once, while an outage is waited out.
    answered: Cell<bool>,
}

/// The outcome for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// SQS has accepted it.
    Accepted,
    /// SQS has refused it for good, with this code.
    Refused(String),
    /// SQS has not confirmed it.
    Unconfirmed,
}

impl Sender {
    pub(crate) fn new(client: Client, queue_url: String, option: &'static str, interrupt: Interrupt) -> Self {
        Self { client, queue_url, option, interrupt, answered: Cell::new(false) }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        is_fifo(&self.queue_url)
    }

    /// Sends those messages of one call. Returns the outcome of each message of the call, and the failure if some of
    /// those are [`Outcome::Unconfirmed`], as all others are; after an interrupt there is no failure.
    pub(crate) async fn send<T>(&self, call: &[Outgoing<T>], those: &[usize]) -> (Vec<Outcome>, Option<SqsFailure>) {
        let mut outcomes = vec![Outcome::Unconfirmed; call.len()];
        let mut last = None;
        for attempt in 0..MOST_ATTEMPTS {
            let is_open = |index: &usize| outcomes[*index] == Outcome::Unconfirmed;
            let open: Vec<usize> = those.iter().copied().filter(is_open).collect();
            if open.is_empty() {
                return (outcomes, None);
            }
            if attempt > 0 && !self.pause(attempt).await {
                return (outcomes, None);
            }
            match self.try_once(call, &open, &mut outcomes).await {
                Ok(()) => last = None,
                Err(failure) if failure.transient && (self.answered.get() || failure.answered) => last = Some(failure),
                Err(failure) => return (outcomes, Some(failure)),
            }
        }
        let busy = || SqsFailure::busy(self.option);
        let unconfirmed = those.iter().any(|&index| outcomes[index] == Outcome::Unconfirmed);
        (outcomes, unconfirmed.then(|| last.unwrap_or_else(busy)))
    }

    /// Pauses, longer after each attempt and with jitter. `false` when interrupted.
    async fn pause(&self, attempts: u32) -> bool {
        let longest = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(attempts));
        let pause = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.interrupt.is_requested(),
            () = self.interrupt.wait() => false,
        }
    }

    fn try_once<'a, T>(
        &'a self,
        call: &'a [Outgoing<T>],
        open: &'a [usize],
        outcomes: &'a mut [Outcome],
    ) -> Pin<Box<dyn Future<Output = Result<(), SqsFailure>> + 'a>> {
        Box::pin(async move {
            let entries = open.iter().filter_map(|&index| entry(index, &call[index])).collect();
            let asked = self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
            match asked.send().await {
                Ok(answer) => {
                    self.answered.set(true);
                    for accepted in answer.successful() {
                        settle(outcomes, accepted.id(), Outcome::Accepted);
                    }
                    for failed in answer.failed().iter().filter(|failed| failed.sender_fault()) {
                        let code = aws_code(failed.code()).unwrap_or("a code that is not an AWS code");
                        settle(outcomes, failed.id(), Outcome::Refused(code.to_owned()));
                    }
                    Ok(())
                }
                Err(error) => {
                    let failure = failure(&error, "sqs:SendMessage", self.option);
                    match open {
                        // SQS refuses the whole call for one of its messages: sent one by one, they show which.
                        [_, _, ..] if failure.concerns_a_message => {
                            for one in open.chunks(1) {
                                self.try_once(call, one, outcomes).await?;
                            }
                            Ok(())
                        }
                        [one] if failure.concerns_a_message => {
                            outcomes[*one] = Outcome::Refused(failure.what().to_owned());
                            Ok(())
                        }
                        _ => Err(failure),
                    }
                }
            }
        })
    }
}

fn settle(outcomes: &mut [Outcome], id: &str, outcome: Outcome) {
    if let Some(entry) = id.parse::<usize>().ok().and_then(|index| outcomes.get_mut(index)) {
        *entry = outcome;
    }
}

/// The entry; its id is the message's index in the call.
fn entry<T>(index: usize, message: &Outgoing<T>) -> Option<SendMessageBatchRequestEntry> {
    let mut entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(&message.body);
    if let Some(fifo) = &message.fifo {
        entry = entry.message_group_id(&fifo.group).message_deduplication_id(&fifo.deduplication);
    }
    if let Some(trace) = &message.trace {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().ok()?;
        entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    for (name, value) in &message.attributes {
        entry = entry.message_attributes(name, value.clone());
    }
    entry.build().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;
    use crate::{entry::Fifo, lane::Lane};

    #[test]
    fn an_entry_has_everything_of_the_message() {
        let tenant = MessageAttributeValue::builder().data_type("String").string_value("one").build().unwrap();
        let message = Outgoing {
            body: "body".into(),
            lane: Lane::Main,
            fifo: Some(Fifo { group: "device".into(), deduplication: "once".into() }),
            trace: Some("Root=1-2-3".into()),
            attributes: HashMap::from([("tenant".to_owned(), tenant.clone())]),
            context: (),
        };
        let entry = entry(3, &message).unwrap();
        assert_eq!((entry.id(), entry.message_body()), ("3", "body"));
        assert_eq!((entry.message_group_id(), entry.message_deduplication_id()), (Some("device"), Some("once")));
        assert_eq!(entry.message_attributes().unwrap()["tenant"], tenant);
        let trace = &entry.message_system_attributes().unwrap()[&MessageSystemAttributeNameForSends::AwsTraceHeader];
        assert_eq!((trace.data_type(), trace.string_value()), ("String", Some("Root=1-2-3")));
    }
}
