//! One call's messages, tried until SQS has said yes or no to each.

use std::{cell::Cell, pin::Pin, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry},
};
use tpns_account_sync::aws::aws_code;

use super::{Trouble, trouble};
use crate::{
    entry::{Outgoing, is_fifo},
    interrupt::Interrupt,
};

/// Tries of a message, the SDK's own within each not counted; with the pauses that is half a minute.
const MOST_TRIES: u32 = 10;
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
    /// Whether SQS has ever answered: a wrong address is told at once, and an outage is waited out.
    answered: Cell<bool>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// SQS has it.
    Taken,
    /// SQS will not have it, and this is its code.
    Refused(String),
    /// It is not known to have been taken.
    Open,
}

impl Sender {
    pub(crate) fn new(client: Client, queue_url: String, option: &'static str, interrupt: Interrupt) -> Self {
        Self { client, queue_url, option, interrupt, answered: Cell::new(false) }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        is_fifo(&self.queue_url)
    }

    /// Sends one call. Gives the fate of each message, and what stopped it when some are [`Fate::Open`]; nothing did
    /// when it was an interrupt.
    pub(crate) async fn send<T>(&self, call: &[Outgoing<T>]) -> (Vec<Fate>, Option<Trouble>) {
        let mut fates = vec![Fate::Open; call.len()];
        let mut last = None;
        for tried in 0..MOST_TRIES {
            let open: Vec<usize> = (0..call.len()).filter(|&index| fates[index] == Fate::Open).collect();
            if open.is_empty() {
                return (fates, None);
            }
            if tried > 0 && !self.pause(tried).await {
                return (fates, None);
            }
            match self.try_once(call, &open, &mut fates).await {
                Ok(()) => last = None,
                Err(trouble) if trouble.passing && (self.answered.get() || !trouble.silent) => last = Some(trouble),
                Err(trouble) => return (fates, Some(trouble)),
            }
        }
        let busy = || Trouble::busy(self.option);
        let open = fates.contains(&Fate::Open);
        (fates, open.then(|| last.unwrap_or_else(busy)))
    }

    /// Longer from try to try, and never in step with others. `false` when it was interrupted.
    async fn pause(&self, tried: u32) -> bool {
        let longest = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(tried));
        let pause = longest.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.interrupt.came(),
            () = self.interrupt.wait() => false,
        }
    }

    fn try_once<'a, T>(
        &'a self,
        call: &'a [Outgoing<T>],
        open: &'a [usize],
        fates: &'a mut [Fate],
    ) -> Pin<Box<dyn Future<Output = Result<(), Trouble>> + 'a>> {
        Box::pin(async move {
            let entries = open.iter().filter_map(|&index| entry(index, &call[index])).collect();
            let asked = self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
            match asked.send().await {
                Ok(answer) => {
                    self.answered.set(true);
                    for taken in answer.successful() {
                        settle(fates, taken.id(), Fate::Taken);
                    }
                    for failed in answer.failed().iter().filter(|failed| failed.sender_fault()) {
                        let code = aws_code(failed.code()).unwrap_or("a code that is not an AWS code");
                        settle(fates, failed.id(), Fate::Refused(code.to_owned()));
                    }
                    Ok(())
                }
                Err(error) => {
                    let trouble = trouble(&error, "sqs:SendMessage", self.option);
                    match open {
                        // SQS refuses the call for one of its messages: which, they tell one by one.
                        [_, _, ..] if trouble.of_a_message => {
                            for one in open.chunks(1) {
                                self.try_once(call, one, fates).await?;
                            }
                            Ok(())
                        }
                        [one] if trouble.of_a_message => {
                            fates[*one] = Fate::Refused(trouble.what().to_owned());
                            Ok(())
                        }
                        _ => Err(trouble),
                    }
                }
            }
        })
    }
}

fn settle(fates: &mut [Fate], id: &str, fate: Fate) {
    if let Some(place) = id.parse::<usize>().ok().and_then(|index| fates.get_mut(index)) {
        *place = fate;
    }
}

/// The entry, whose id is the message's place in the call.
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
    use crate::entry::Fifo;

    #[test]
    fn an_entry_has_all_that_is_known_of_the_message() {
        let tenant = MessageAttributeValue::builder().data_type("String").string_value("one").build().unwrap();
        let message = Outgoing {
            body: "body".into(),
            fifo: Some(Fifo { group: "device".into(), deduplication: "once".into() }),
            trace: Some("Root=1-2-3".into()),
            attributes: HashMap::from([("tenant".to_owned(), tenant.clone())]),
            of: (),
        };
        let entry = entry(3, &message).unwrap();
        assert_eq!((entry.id(), entry.message_body()), ("3", "body"));
        assert_eq!((entry.message_group_id(), entry.message_deduplication_id()), (Some("device"), Some("once")));
        assert_eq!(entry.message_attributes().unwrap()["tenant"], tenant);
        let trace = &entry.message_system_attributes().unwrap()[&MessageSystemAttributeNameForSends::AwsTraceHeader];
        assert_eq!((trace.data_type(), trace.string_value()), ("String", Some("Root=1-2-3")));
    }
}
