//! Once through the queue: those chosen are sent and, when SQS has them, deleted; the others are given back.

use std::{borrow::Cow, collections::HashSet};

use aws_sdk_sqs::Client;

use crate::{
    batch::{Batcher, MOST_ENTRIES},
    clock,
    contract::Contract,
    entry::{self, Fifo, Outgoing},
    interrupt::Interrupt,
    message::Told,
    problem::Problem,
    sqs::{Fate, Held, Message, Sender},
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
    /// How many of those chosen have come.
    found: usize,
    pub(crate) sent: u64,
    pub(crate) stamped: u64,
    /// Not sent, for they have no time of their own.
    pub(crate) timeless: u64,
    /// Not sent, those and others.
    pub(crate) refused: u64,
    pub(crate) not_deleted: u64,
}

/// What is remembered of a message on its way.
#[derive(Debug)]
struct Driven {
    id: String,
    stamped: bool,
}

impl Sweep<'_> {
    pub(crate) async fn run(
        self,
        client: &Client,
        from: &str,
        sender: &Sender,
        interrupt: &Interrupt,
    ) -> (Done, Result<(), Problem>) {
        let (mut held, mut done) = (Held::new(client, from, "--from"), Done::default());
        let swept = self.all(&mut held, from, sender, interrupt, &mut done).await;
        let given_back = held.give_back().await.map_err(Problem::from);
        (done, swept.and(given_back))
    }

    async fn all(
        &self,
        held: &mut Held<'_>,
        from: &str,
        sender: &Sender,
        interrupt: &Interrupt,
        done: &mut Done,
    ) -> Result<(), Problem> {
        while done.found < self.ids.len() && !interrupt.came() {
            let Some(messages) = held.receive().await? else { return Ok(()) };
            let mut batcher = Batcher::new();
            for message in messages {
                if let Some(outgoing) = self.choose(message, from, sender, done) {
                    batcher.push(outgoing);
                }
            }
            while batcher.len() > 0 && !interrupt.came() {
                let call = batcher.take(MOST_ENTRIES);
                self.send(&call, held, sender, done).await?;
                call.iter().for_each(|message| batcher.is_over(message));
            }
        }
        Ok(())
    }

    fn choose(&self, message: Message, from: &str, sender: &Sender, done: &mut Done) -> Option<Outgoing<Driven>> {
        if !self.ids.contains(&message.id) {
            return None;
        }
        done.found += 1;
        let told = Told::new(&message, self.contract, clock::now());
        let body = match (told.timeless, told.sent_millis) {
            (false, _) => Cow::Borrowed(message.body.as_str()),
            (true, Some(at)) if self.stamp => Cow::Owned(stamp(&message.body, at).ok()?),
            (true, _) => {
                done.timeless += 1;
                done.refused += 1;
                return None;
            }
        };
        let body = body.into_owned();
        let fifo = sender.is_fifo().then(|| fifo(&message, entry::is_fifo(from), self.contract, &body));
        let mut attributes = message.attributes;
        // The function's words about it, which will not be true of it any more.
        attributes.retain(|name, _| name != "reason" && name != "detail");
        let of = Driven { id: message.id, stamped: told.timeless };
        Some(Outgoing { body, fifo, trace: message.trace, attributes, of })
    }

    async fn send(
        &self,
        call: &[Outgoing<Driven>],
        held: &mut Held<'_>,
        sender: &Sender,
        done: &mut Done,
    ) -> Result<(), Problem> {
        let (fates, trouble) = sender.send(call).await;
        let mut taken = Vec::new();
        for (message, fate) in call.iter().zip(fates) {
            match fate {
                Fate::Taken => {
                    done.sent += 1;
                    done.stamped += u64::from(message.of.stamped);
                    taken.push(message.of.id.clone());
                }
                Fate::Refused(code) => {
                    done.refused += 1;
                    eprintln!("{}: SQS refused it: {code}; it stays where it is", message.of.id);
                }
                Fate::Open => {}
            }
        }
        match held.delete(&taken).await {
            Ok(left) => done.not_deleted += left.len() as u64,
            Err(trouble) => {
                done.not_deleted += taken.len() as u64;
                return Err(trouble.into());
            }
        }
        trouble.map_or(Ok(()), |trouble| Err(trouble.into()))
    }
}

/// The group it had, if it had one for its order; else as a producer would give it. What SQS tells doubles by is the
/// message's id here: the producer's would make SQS drop the copy without a word, within five minutes of the first.
fn fifo(message: &Message, from_fifo: bool, contract: &Contract, body: &str) -> Fifo {
    let own = message.group.clone().filter(|_| from_fifo);
    let group = own.unwrap_or_else(|| entry::group(contract.read(body).token.as_deref(), body));
    Fifo { group, deduplication: format!("redrive-{}", message.id) }
}
