//! Reads and checks the file on a thread of its own: standard input may block for ever, and Ctrl-C must still work.

use std::thread;

use contract::{apps::AppNames, event::Millis};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::check::{LineError, SignedIn, check};
use crate::{
    clock,
    input::{Input, failed},
    lines::{Digest256, Lines},
    problem::Problem,
    state::{Resume, State},
};

/// A line that may be written.
#[derive(Debug)]
pub(crate) struct ReadLine {
    pub(crate) number: u64,
    pub(crate) nth: u64,
    pub(crate) digest: Digest256,
    /// The offset in the file at which it ends.
    pub(crate) end: u64,
    pub(crate) signed_in: SignedIn,
}

/// What the thread reports.
#[derive(Debug)]
pub(crate) enum Read {
    Line(Box<ReadLine>),
    Refused { number: u64, error: LineError },
    Failed(Problem),
}

/// What the thread needs to check lines.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) apps: AppNames,
    /// How far in the future a sign-in may be.
    pub(crate) max_skew: Millis,
    /// What earlier runs have written.
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
            let latest = clock::now().saturating_add(rules.max_skew);
            let read = match check(&line, &rules.apps, latest) {
                Err(error) => Read::Refused { number: line.number, error },
                Ok(signed_in) => Read::Line(Box::new(ReadLine {
                    number: line.number,
                    nth: line.nth,
                    digest: line.digest,
                    end: line.end,
                    signed_in,
                })),
            };
            if sender.blocking_send(read).is_err() {
                return Ok(());
            }
        }
    }
    Ok(gate.end()?)
}
