//! Which messages of a batch are handled after the others (docs/decisions/0036-often-delivered-messages-come-last.md).

use super::ALONE_FROM;
use crate::ingress::{Batch, MessageIndex, Source};

/// The messages of a batch, by their places, in the order in which they are handled.
///
/// A message that ends the process each time, by exhausting its memory for example, takes its batch with it: nothing
/// that was done for its neighbours is reported. It can't be recognised before, only by the number of its deliveries.
/// So what was delivered often is handled when the others are settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Handled first.
    pub first: Vec<MessageIndex>,
    /// Handled after them; empty if all are handled together.
    pub last: Vec<MessageIndex>,
    /// Those that were delivered often, whenever they are handled.
    pub often: Vec<MessageIndex>,
}

impl Turns {
    /// Of a batch. With a ledger, the order between the two turns does not matter, as between two invocations. Without
    /// one, the batch is all that is known of the order of events, so it must not be divided. In a FIFO queue a message
    /// keeps its place in its group.
    #[must_use]
    pub fn of(batch: &Batch<'_>, has_ledger: bool) -> Self {
        let all = || (0..batch.messages.len()).map(MessageIndex);
        if batch.source != Source::StandardQueue {
            return Self { first: all().collect(), ..Self::default() };
        }
        let (often, others): (Vec<_>, Vec<_>) =
            all().partition(|index| batch.messages[index.0].deliveries() >= ALONE_FROM);
        if has_ledger && !often.is_empty() && !others.is_empty() {
            return Self { first: others, last: often.clone(), often };
        }
        Self { first: all().collect(), last: Vec::new(), often }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The turns of a batch of messages that were delivered this often.
    fn turns(arn: &str, deliveries: &[u32], has_ledger: bool) -> [Vec<usize>; 3] {
        let record = |(n, count): (usize, &u32)| {
            json!({"messageId": format!("m{n}"), "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": arn,
                   "attributes": {"ApproximateReceiveCount": count.to_string()}})
        };
        let payload = json!({"Records": deliveries.iter().enumerate().map(record).collect::<Vec<_>>()}).to_string();
        let Turns { first, last, often } = Turns::of(&Batch::open(&payload).unwrap(), has_ledger);
        [first, last, often].map(|places| places.into_iter().map(|MessageIndex(place)| place).collect())
    }

    #[test]
    fn what_was_delivered_often_is_handled_last_where_the_ledger_keeps_the_order() {
        let none: Vec<usize> = Vec::new();
        assert_eq!(turns("q", &[1, 3, 2, 297], true), [vec![0, 2], vec![1, 3], vec![1, 3]]);
        assert_eq!(turns("q", &[1, 2, 1], true), [vec![0, 1, 2], none.clone(), none.clone()]);
        assert_eq!(turns("q", &[3, 4], true), [vec![0, 1], none.clone(), vec![0, 1]], "there are no others");
        assert_eq!(turns("q", &[1, 3], false), [vec![0, 1], none.clone(), vec![1]], "only the batch knows the order");
        assert_eq!(turns("q.fifo", &[1, 3], true), [vec![0, 1], none.clone(), none]);
    }
}
