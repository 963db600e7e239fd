//! Goes through the queue once: chosen messages are sent and, once SQS has accepted them, deleted; the others are made
//! visible again.

use std::{borrow::Cow, collections::HashSet};

use aws_sdk_sqs::Client;

use crate::{
    batch::{Batcher, MOST_ENTRIES},
    clock,
    entry::{self, Fifo, Outgoing},
    interrupt::Interrupt,
    lane::Lane,
    lanes::Lanes,
    message::Summary,
    problem::Problem,
    reading::Contract,
    sqs::{Held, Message, Outcome},
    stamp::stamp,
};

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    /// The messages chosen.
    pub(crate) ids: HashSet<String>,
    pub(crate) stamp: bool,
    pub(crate) contract: &'a Contract,
}

/// What has been done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// How many of those chosen have been received.
    found: usize,
    pub(crate) sent: u64,
    pub(crate) stamped: u64,
    /// Not sent, because they have no time of their own.
    pub(crate) timeless: u64,
    /// All that were not sent, those included.
    pub(crate) refused: u64,
    pub(crate) not_deleted: u64,
}

/// What is known of a message in flight.
#[derive(Debug)]
struct Redriven {
    id: String,
    stamped: bool,
}

impl Sweep<'_> {
    pub(crate) async fn run(
        self,
        client: &Client,
        from: &str,
        lanes: &Lanes,
        interrupt: &Interrupt,
    ) -> (Done, Result<(), Problem>) {
        let (mut held, mut done) = (Held::new(client, from, "--from"), Done::default());
        let swept = self.all(&mut held, from, lanes, interrupt, &mut done).await;
        let given_back = held.give_back().await.map_err(Problem::from);
        (done, swept.and(given_back))
    }

    async fn all(
        &self,
        held: &mut Held<'_>,
        from: &str,
        lanes: &Lanes,
        interrupt: &Interrupt,
        done: &mut Done,
    ) -> Result<(), Problem> {
        while done.found < self.ids.len() && !interrupt.is_requested() {
            let Some(messages) = held.receive().await? else { return Ok(()) };
            let mut batcher = Batcher::new();
            for message in messages {
                if let Some(outgoing) = self.choose(message, from, lanes, done) {
                    batcher.push(outgoing);
                }
            }
            while batcher.len() > 0 && !interrupt.is_requested() {
                let call = batcher.take(MOST_ENTRIES);
                self.send(&call, held, lanes, done).await?;
                call.iter().for_each(|message| batcher.finish(message));
            }
        }
        Ok(())
    }

    fn choose(&self, message: Message, from: &str, lanes: &Lanes, done: &mut Done) -> Option<Outgoing<Redriven>> {
        if !self.ids.contains(&message.id) {
            return None;
        }
        done.found += 1;
        if let Some(given_up) = message.given_up.as_ref().filter(|given_up| given_up.events != 1) {
            done.refused += 1;
            eprintln!(
                "{}: holds {} events, which can't be sent back as one message; it stays in its queue: take `requestPayload` \
                 from it, one event per line, and use `replay send`",
                message.id, given_up.events
            );
            return None;
        }
        let summary = Summary::new(&message, self.contract, clock::now());
        let body = match (summary.timeless, summary.sent_millis) {
            (false, _) => Cow::Borrowed(message.body.as_str()),
            (true, Some(at)) if self.stamp => Cow::Owned(stamp(&message.body, at).ok()?),
            (true, _) => {
                done.timeless += 1;
                done.refused += 1;
                return None;
            }
        };
        let body = body.into_owned();
        let fifo = lanes.is_fifo().then(|| fifo(&message, entry::is_fifo(from), self.contract, &body));
        let mut attributes = message.attributes;
        // The function's attributes of a parked message, which no longer apply.
        attributes.retain(|name, _| name != "reason" && name != "detail");
        let context = Redriven { id: message.id, stamped: summary.timeless };
        let lane = Lane::of(summary.kind);
        Some(Outgoing { body, lane, fifo, trace: message.trace, attributes, context })
    }

    async fn send(
        &self,
        call: &[Outgoing<Redriven>],
        held: &mut Held<'_>,
        lanes: &Lanes,
        done: &mut Done,
    ) -> Result<(), Problem> {
        let (outcomes, failure) = lanes.send(call).await;
        let mut accepted = Vec::new();
        for (message, outcome) in call.iter().zip(outcomes) {
            match outcome {
                Outcome::Accepted => {
                    done.sent += 1;
                    done.stamped += u64::from(message.context.stamped);
                    accepted.push(message.context.id.clone());
                }
                Outcome::Refused(code) => {
                    done.refused += 1;
                    eprintln!("{}: SQS refused it: {code}; it stays in its queue", message.context.id);
                }
                Outcome::Unconfirmed => {}
            }
        }
        match held.delete(&accepted).await {
            Ok(left) => done.not_deleted += left.len() as u64,
            Err(failure) => {
                done.not_deleted += accepted.len() as u64;
                return Err(failure.into());
            }
        }
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

/// The group it had, if it comes from a FIFO queue; otherwise the one a producer would give it. The deduplication id is
/// the message's id: with the producer's, SQS would silently drop the copy within five minutes of the first.
fn fifo(message: &Message, from_fifo: bool, contract: &Contract, body: &str) -> Fifo {
    let own = message.group.clone().filter(|_| from_fifo);
    let group = own.unwrap_or_else(|| entry::group(contract.read(body).token.as_deref(), body));
    Fifo { group, deduplication: format!("redrive-{}", message.id) }
}
