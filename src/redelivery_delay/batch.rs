//! The delays of a batch's messages.

use std::collections::HashMap;

use super::RedeliveryDelays;
use crate::{
    ingress::{Batch, MessageIndex, Source},
    outcome::Outcome,
};

/// A message that only blocks its group is delivered again after this number of seconds.
const SHORTEST: u32 = 1;

/// The seconds after which SQS is to deliver each of these messages again that is reported as failed; `outcomes` has the
/// outcome of every message of the batch, and `random` draws numbers from 0 to 1 (excluded).
///
/// In a FIFO queue a message in flight keeps its whole group back. So all messages of a group that is held get the delay
/// of the first of them, and come back together and in their order. A rejected message, which does not hold its group,
/// must not keep it back either: it gets the shortest delay, and is in the dead-letter queue within minutes.
pub fn of_batch(
    batch: &Batch<'_>,
    messages: &[MessageIndex],
    outcomes: &[Outcome],
    delays: RedeliveryDelays,
    mut random: impl FnMut() -> f64,
) -> Vec<(MessageIndex, u32)> {
    let mut seconds = Vec::new();
    let mut of_groups: HashMap<Option<String>, u32> = HashMap::new();
    for &index in messages {
        let (message, outcome) = (&batch.messages[index.0], &outcomes[index.0]);
        let Some(failure) = outcome.failure().filter(|_| !outcome.is_acknowledged()) else { continue };
        let mut own = || delays.seconds(failure.reason, message.deliveries(), failure.retry_after, random());
        let delay = match batch.source {
            Source::FifoQueue => {
                let group = message.attributes().group_id;
                match of_groups.get(&group) {
                    Some(of_first) => *of_first,
                    None if outcome.is_redelivered() => *of_groups.entry(group).or_insert_with(own),
                    None => SHORTEST,
                }
            }
            Source::StandardQueue | Source::EventBridge => own(),
        };
        seconds.push((index, delay));
    }
    seconds
}
