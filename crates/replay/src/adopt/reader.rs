//! The lines of a file of sign-ins.

use std::sync::Arc;

use contract::event::Millis;
use tokio::sync::mpsc::Receiver;
use tpns_account_sync::tpns::Apps;

use super::check::{LineError, SignedIn, check};
use crate::{clock, input::Input, lines::Digest256, reader, state::State};

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

/// What is read.
pub(crate) type Read = reader::Read<ReadLine, LineError>;

/// Starts reading. `max_skew` is how far in the future a sign-in may be.
pub(crate) fn start(input: Input, state: State, apps: Arc<Apps>, max_skew: Millis) -> Receiver<Read> {
    reader::start(input, state, move |line, _| {
        let signed_in = check(&line, &apps, clock::now().saturating_add(max_skew))?;
        Ok(ReadLine { number: line.number, nth: line.nth, digest: line.digest, end: line.end, signed_in })
    })
}
