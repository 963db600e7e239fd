//! `replay list`: what is parked or dead-lettered, and why.

use std::io::{self, Write};

use aws_sdk_sqs::Client;

use crate::{
    cli::ListArgs,
    clock,
    contract::Contract,
    interrupt::Interrupt,
    message::Told,
    problem::{Ending, Problem},
    show,
    sqs::{self, Held},
};

/// Shows what the command line says.
pub(crate) async fn run(args: ListArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let client = sqs::client().await;
    let depot = sqs::depot(&client, &args.queue_url, "--queue-url").await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let look = look(&client, &args.queue_url, "--queue-url", &args.contract.contract(), limit, &interrupt).await?;
    let mut out = io::stdout().lock();
    if args.json {
        for told in &look.told {
            serde_json::to_writer(&mut out, told).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        show::messages(&mut out, &look.told, clock::now())?;
        show::reasons(&mut out, &look.told)?;
        writeln!(out, "{}", show::count(look.told.len() as u64, "message"))?;
    }
    drop(out);
    look.note_the_rest(depot.messages);
    Ok(if interrupt.came() { Ending::Interrupted } else { Ending::Done })
}

/// What a look at a queue brought.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) told: Vec<Told>,
    seen: u64,
}

impl Look {
    /// Says on standard error when the queue has more than was seen.
    pub(crate) fn note_the_rest(&self, messages: u64) {
        let rest = messages.saturating_sub(self.seen);
        if rest > 0 {
            eprintln!(
                "about {} more in the queue: beyond --limit, in somebody else's hand, or, in a FIFO queue, behind those of their group",
                show::count(rest, "message")
            );
        }
    }
}

/// Looks at the messages of a queue and gives them back, whatever happens in between.
pub(crate) async fn look(
    client: &Client,
    queue_url: &str,
    option: &'static str,
    contract: &Contract,
    limit: usize,
    interrupt: &Interrupt,
) -> Result<Look, Problem> {
    let (mut held, mut told) = (Held::new(client, queue_url, option), Vec::new());
    let mut looked = Ok(());
    while told.len() < limit && !interrupt.came() {
        match held.receive().await {
            Ok(Some(messages)) => {
                let now = clock::now();
                told.extend(messages.iter().map(|message| Told::new(message, contract, now)));
            }
            Ok(None) => break,
            Err(trouble) => {
                looked = Err(trouble);
                break;
            }
        }
    }
    told.truncate(limit);
    let seen = told.len() as u64;
    let given_back = held.give_back().await;
    looked?;
    given_back?;
    Ok(Look { told, seen })
}
