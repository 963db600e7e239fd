//! Writes rows as the function does, by its own conditional write.

use std::{
    cell::RefCell,
    time::{Duration, Instant, SystemTime},
};

use tpns_account_sync::{
    ledger::{Owner, RowError, Rows},
    table::{Access, Table},
    tpns::AppsInForce,
};

use super::{check::LineError, reader::ReadLine};
use crate::{interrupt::Interrupt, problem::Problem, rate::Pace};

/// For one row, with all retries.
const LIMIT: Duration = Duration::from_secs(30);

/// What rows are written with.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) table: Table,
    pub(crate) apps: AppsInForce,
    pub(crate) pace: RefCell<Pace>,
    pub(crate) interrupt: Interrupt,
}

/// The outcome of a line.
#[derive(Debug)]
pub(crate) enum Written {
    /// The row has it.
    Yes,
    /// The row has something newer, and is as it was.
    NewerIsThere,
    /// The program is to end.
    Interrupted,
    Refused(LineError),
    Failed(Problem),
}

impl Writer {
    /// Writes a line's row when it is its turn.
    pub(crate) async fn write(&self, line: Box<ReadLine>) -> (Box<ReadLine>, Written) {
        let start = self.pace.borrow_mut().start(1, Instant::now());
        tokio::select! {
            () = tokio::time::sleep_until(start.into()) => {}
            () = self.interrupt.wait() => return (line, Written::Interrupted),
        }
        let until = tokio::time::Instant::now() + LIMIT;
        let table = self.table.open_as(Access::Writer, &self.apps.current(), SystemTime::now(), until);
        let written = match table.raise_device(&line.signed_in.device, &line.signed_in.state).await {
            Ok(row) if row.owner().map(|Owner { version, .. }| version) == Some(&line.signed_in.version) => {
                Written::Yes
            }
            Ok(_) => Written::NewerIsThere,
            Err(RowError::Unreadable | RowError::RowFull) => Written::Refused(LineError::Row),
            Err(RowError::NoKey) => Written::Failed(Problem::Stopped(
                "ledger_keys: the table was written with other keys, or with none; use the apps document that the function \
                 has, and if a key in it is new, wait until the function has handled an event"
                    .to_owned(),
            )),
            Err(_) => {
                let why =
                    table.last_failure().map_or_else(|| "no answer in time".to_owned(), |error| error.to_string());
                Written::Failed(Problem::Stopped(format!(
                    "--table: a row could not be written ({why}); check the name and AWS_REGION, and allow \
                     dynamodb:UpdateItem and dynamodb:BatchGetItem on it"
                )))
            }
        };
        (line, written)
    }
}
