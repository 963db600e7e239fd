//! `replay list`: what is parked or dead-lettered, and why.

use std::io::{self, Write};

use aws_sdk_sqs::Client;

use crate::{
    cli::ListArgs,
    clock,
    ending::Ending,
    interrupt::Interrupt,
    listing,
    message::Summary,
    problem::Problem,
    reading::Contract,
    show,
    sqs::{self, Held},
};

/// Shows the messages of the queue named on the command line.
pub(crate) async fn run(args: ListArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let client = sqs::client().await;
    let depth = sqs::depth(&client, &args.queue_url, "--queue-url").await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let found = inspect(&client, &args.queue_url, "--queue-url", &args.contract.contract(), limit, &interrupt).await?;
    let mut out = io::stdout().lock();
    if args.json {
        for message in &found.messages {
            serde_json::to_writer(&mut out, message).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        listing::messages(&mut out, &found.messages, clock::now())?;
        listing::reasons(&mut out, &found.messages)?;
        writeln!(out, "{}", show::count(found.messages.len() as u64, "message"))?;
    }
    drop(out);
    found.report_the_rest(depth);
    Ok(if interrupt.is_requested() { Ending::Interrupted } else { Ending::Done })
}

/// The messages found in a queue.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) messages: Vec<Summary>,
    seen: u64,
}

impl Inspection {
    /// Reports on standard error when the queue holds more messages than were seen.
    pub(crate) fn report_the_rest(&self, depth: u64) {
        let rest = depth.saturating_sub(self.seen);
        if rest > 0 {
            eprintln!(
                "about {} more in the queue: beyond --limit, in flight to another consumer, or, in a FIFO queue, behind \
                 others of their group",
                show::count(rest, "message")
            );
        }
    }
}

/// Receives the messages of a queue and makes them visible again, whatever happens in between.
pub(crate) async fn inspect(
    client: &Client,
    queue_url: &str,
    option: &'static str,
    contract: &Contract,
    limit: usize,
    interrupt: &Interrupt,
) -> Result<Inspection, Problem> {
    let (mut held, mut summaries) = (Held::new(client, queue_url, option), Vec::new());
    let mut received = Ok(());
    while summaries.len() < limit && !interrupt.is_requested() {
        match held.receive().await {
            Ok(Some(messages)) => {
                let now = clock::now();
                summaries.extend(messages.iter().map(|message| Summary::new(message, contract, now)));
            }
            Ok(None) => break,
            Err(failure) => {
                received = Err(failure);
                break;
            }
        }
    }
    summaries.truncate(limit);
    let seen = summaries.len() as u64;
    let given_back = held.give_back().await;
    received?;
    given_back?;
    Ok(Inspection { messages: summaries, seen })
}
