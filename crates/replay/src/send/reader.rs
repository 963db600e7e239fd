//! The lines of a file of events, as the messages that they become.

use std::collections::HashMap;

use tokio::sync::mpsc::Receiver;

use super::check::{LineError, check};
use crate::{
    clock,
    entry::{self, Fifo, Outgoing},
    input::Input,
    lane::Lane,
    lines::{Digest256, Line},
    reader,
    reading::{Age, Contract},
    stamp::stamp,
    state::State,
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

/// How lines are checked and become messages.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) contract: Contract,
    pub(crate) stamp_now: bool,
    pub(crate) fifo: bool,
}

/// What is read.
pub(crate) type Read = reader::Read<Outgoing<LineInfo>, LineError>;

/// Starts reading.
pub(crate) fn start(input: Input, state: State, rules: Rules) -> Receiver<Read> {
    reader::start(input, state, move |line, state| message(line, &rules, state))
}

fn message(line: Line, rules: &Rules, state: &State) -> Result<Outgoing<LineInfo>, LineError> {
    let checked = check(&line, &rules.contract, rules.stamp_now, clock::now())?;
    let body = line.text.unwrap_or_default();
    // It gets its time when it is sent; this one is a placeholder of the same length.
    let body = if checked.to_be_stamped { stamp(&body, clock::now()).unwrap_or(body) } else { body };
    let fifo = |body: &str| Fifo {
        group: entry::group(checked.reading.token.as_deref(), body),
        deduplication: entry::deduplication(state.run(), body),
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
    Ok(Outgoing { body, lane, fifo, trace: None, attributes: HashMap::new(), context })
}
