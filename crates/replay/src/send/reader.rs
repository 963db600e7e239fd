//! Reads and checks the file on a thread of its own: standard input may block for ever, and Ctrl-C must still work.

use std::{collections::HashMap, thread};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::check::{LineError, check};
use crate::{
    clock,
    entry::{self, Fifo, Outgoing},
    input::{Input, failed},
    lane::Lane,
    lines::{Digest256, Lines},
    problem::Problem,
    reading::{Age, Contract},
    stamp::stamp,
    state::{Resume, State},
};

/// What is known of a line in flight.
#[derive(Debug)]
pub(crate) struct LineInfo {
    pub(crate) number: u64,
    pub(crate) nth: u64,
    pub(crate) digest: Digest256,
    /// The offset in the file at which it ends.
    pub(crate) end: u64,
    pub(crate) age: Age,
    pub(crate) to_be_stamped: bool,
}

/// What the thread reports.
#[derive(Debug)]
pub(crate) enum Read {
    Line(Box<Outgoing<LineInfo>>),
    Refused { number: u64, error: LineError },
    Failed(Problem),
}

/// What the thread needs to check lines.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) contract: Contract,
    pub(crate) stamp_now: bool,
    pub(crate) fifo: bool,
    /// What earlier runs have sent.
    pub(crate) state: State,
}

/// Starts reading; the channel closes at the end of the file.
pub(crate) fn start(input: Input, rules: Rules) -> Receiver<Read> {
    let (sender, receiver) = channel(256);
    thread::spawn(move || {
        if let Err(problem) = read(input, &rules, &sender) {
            // If the receiver is gone, the run has ended and no one needs the problem.
            let _ = sender.blocking_send(Read::Failed(problem));
        }
    });
    receiver
}

fn read(input: Input, rules: &Rules, sender: &Sender<Read>) -> Result<(), Problem> {
    let path = input.path().to_owned();
    let mut gate = Resume::new(&rules.state);
    for line in Lines::new(input.reader()) {
        for line in gate.pass(line.map_err(|error| failed(&path, error))?)? {
            let read = match check(&line, &rules.contract, rules.stamp_now, clock::now()) {
                Err(error) => Read::Refused { number: line.number, error },
                Ok(checked) => {
                    let body = line.text.unwrap_or_default();
                    // It gets its time when it is sent; this one is a placeholder of the same length.
                    let body = if checked.to_be_stamped { stamp(&body, clock::now()).unwrap_or(body) } else { body };
                    let fifo = |body: &str| Fifo {
                        group: entry::group(checked.reading.token.as_deref(), body),
                        deduplication: entry::deduplication(rules.state.run(), body),
                    };
                    let fifo = rules.fifo.then(|| fifo(&body));
                    let context = LineInfo {
                        number: line.number,
                        nth: line.nth,
                        digest: line.digest,
                        end: line.end,
                        age: checked.age,
                        to_be_stamped: checked.to_be_stamped,
                    };
                    let lane = Lane::of(checked.reading.kind);
                    let (trace, attributes) = (None, HashMap::new());
                    Read::Line(Box::new(Outgoing { body, lane, fifo, trace, attributes, context }))
                }
            };
            if sender.blocking_send(read).is_err() {
                return Ok(());
            }
        }
    }
    Ok(gate.end()?)
}
