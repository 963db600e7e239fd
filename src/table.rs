//! The ledger's rows in DynamoDB: one table with the string key `pk` (`row.rs` says what they hold).

mod app_keys;
mod app_rows;
mod dynamodb;
mod keys;
mod names;
mod read;
mod row;
mod rows;
mod scan;
mod seal;
mod unreadable;
mod value;
mod version_text;
mod write;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{Instant, timeout_at},
};

pub use self::scan::{Page, Position, ScanError, Segment};
use self::{app_keys::AppKeys, dynamodb::Dynamo, unreadable::Unreadable, value::Attributes};
use crate::{
    aws::{self, AwsError, ProvideErrorMetadata, RequestError, Tries},
    check_queue::{CheckQueue, Gathering},
    ledger::{RowError, WRITES_AT_A_TIME},
    tpns::Apps,
    transport::Transport,
};

/// How long a row of the ledger is kept after its last change: longer than an event may be under way, which is
/// at most 14 days in a queue, 14 in its dead-letter queue, and 14 after a redrive.
pub const LEDGER_ROW_LIFETIME: Duration = Duration::from_secs(45 * 24 * 3600);

/// DynamoDB may take as long to remove a row that has expired.
const TTL_DELAY: Duration = Duration::from_secs(3 * 24 * 3600);
/// By then every sandbox has read the apps document with the keys, whatever `TPNS_APPS_MAX_AGE` is within reason.
const KEYS_KNOWN_AFTER: Duration = Duration::from_secs(24 * 3600);

const READS_AT_A_TIME: usize = 16;
/// Requests in flight, of all apps, merging and verifying: the more there are, the longer each takes on a small part of
/// a core.
const MOST_REQUESTS: usize = WRITES_AT_A_TIME;
/// DynamoDB's limit.
const ROWS_A_READ: usize = 100;
pub(crate) const ROWS_READ_AT_A_TIME: usize = READS_AT_A_TIME * ROWS_A_READ;
/// A row has grown each time a write is refused: more than a few refusals are a storm of writers.
const MOST_WRITES: usize = 12;

/// The table, and the client kept over warm invocations.
#[derive(Debug)]
pub struct Table {
    dynamo: Dynamo,
    app_keys: Mutex<Option<Arc<AppKeys>>>,
}

/// Rows by their keys.
type Found = HashMap<String, Result<Attributes, RowError>>;

/// The table for one invocation.
#[derive(Debug)]
pub struct OpenTable<'a> {
    table: &'a Table,
    /// The queue of the checks that compare TPNS with the rows.
    checks: Option<Gathering<'a>>,
    apps: Arc<Apps>,
    app_keys: OnceCell<Result<Arc<AppKeys>, RowError>>,
    /// Epoch seconds.
    expires_at: u64,
    until: Instant,
    turns: Semaphore,
    /// Of the last request that failed before the end.
    failure: Cell<RowError>,
    is_logged: Cell<bool>,
    /// Why the last request failed.
    last_failure: RefCell<Option<AwsError>>,
    access: Access,
}

/// Who uses the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The function, which gives the table its key and changes what encrypts that.
    Function,
    /// Another one who writes rows.
    Writer,
    /// One who writes nothing, not even which rows belong to which app.
    Reader,
}

impl Table {
    /// The table of this name or ARN. A kept connection may be silent for half of `timeout` at most, the time that a
    /// call to TPNS has.
    #[must_use]
    pub fn new(sdk: &SdkConfig, transport: &Transport, timeout: Duration, name: String) -> Self {
        let dynamo = Dynamo::new(sdk, transport, aws::silence(timeout), name);
        Self { dynamo, app_keys: Mutex::default() }
    }

    /// The table for an invocation that knows these apps and began `now`; no request is waited for after `until`.
    #[must_use]
    pub fn open<'a>(
        &'a self,
        checks: Option<&'a CheckQueue>,
        apps: &Arc<Apps>,
        now: SystemTime,
        until: Instant,
    ) -> OpenTable<'a> {
        let expires_at = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LEDGER_ROW_LIFETIME;
        OpenTable {
            table: self,
            checks: checks.map(Gathering::new),
            apps: apps.clone(),
            app_keys: OnceCell::new(),
            expires_at: expires_at.as_secs(),
            until,
            turns: Semaphore::new(MOST_REQUESTS),
            failure: Cell::new(RowError::Unreachable),
            is_logged: Cell::new(false),
            last_failure: RefCell::default(),
            access: Access::Function,
        }
    }

    /// The same for someone who is not the function, and sends no checks.
    #[must_use]
    pub fn open_as<'a>(&'a self, access: Access, apps: &Arc<Apps>, now: SystemTime, until: Instant) -> OpenTable<'a> {
        OpenTable { access, ..self.open(None, apps, now, until) }
    }
}

impl OpenTable<'_> {
    /// In seconds since 1970.
    fn now(&self) -> u64 {
        self.expires_at.saturating_sub(LEDGER_ROW_LIFETIME.as_secs())
    }

    /// Whether rows of accounts may be left from when the table had no key.
    fn unkeyed(&self, app_keys: &AppKeys) -> bool {
        let kept = LEDGER_ROW_LIFETIME + TTL_DELAY;
        app_keys.seal.as_ref().is_some_and(|seal| self.now() < seal.since.saturating_add(kept.as_secs()))
    }

    /// Whether sandboxes may still run that have not read the keys.
    fn others_may_have_no_key(&self, app_keys: &AppKeys) -> bool {
        app_keys.seal.as_ref().is_some_and(|seal| self.now() < seal.since.saturating_add(KEYS_KNOWN_AFTER.as_secs()))
    }

    /// After the end no request is made. A row that is affected fails for what took the time.
    fn has_time(&self) -> Result<(), RowError> {
        if self.is_over() { Err(self.log(self.failure.get(), "no answer in time")) } else { Ok(()) }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Sends a request that may be carried out twice, and tries again while there is time.
    async fn send<T, F>(&self, request: impl Fn() -> F) -> Result<T, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        // After the end this resolves at once, and no request is made.
        let _turn = timeout_at(self.until, self.turns.acquire()).await;
        aws::send(Tries::until(self.until), request).await
    }

    /// Why the last request that failed did.
    #[must_use]
    pub fn last_failure(&self) -> Option<AwsError> {
        self.last_failure.borrow().clone()
    }

    fn row_error(&self, error: &RequestError) -> RowError {
        // A table that is created again has another data key.
        if error.code() == Some("ResourceNotFoundException") {
            self.table.forget_keys();
        }
        let error = aws::failure(error);
        let row_error = match error {
            AwsError::Timeout if self.is_over() => self.failure.get(),
            _ if error.is_throttling() => RowError::Throttled,
            _ => RowError::Unreachable,
        };
        self.failure.set(row_error);
        let text = error.to_string();
        self.last_failure.replace(Some(error));
        self.log(row_error, &text)
    }

    fn no_key(&self) -> RowError {
        self.log_once(format_args!(
            "LEDGER_TABLE: {}; put the key back into the apps document's ledger_keys",
            "the table was written with a ledger key that the apps document does not have"
        ));
        RowError::NoKey
    }

    fn unreadable(&self, error: &Unreadable) -> RowError {
        if *error == Unreadable::NoKey {
            return self.no_key();
        }
        self.table.forget_keys();
        let remedy =
            "find out what else writes to the table, and delete the row; the event's next delivery recreates it";
        self.log_once(format_args!("LEDGER_TABLE: in a row of the table {error}; {remedy}"));
        RowError::Unreadable
    }

    fn log(&self, row_error: RowError, what: &str) -> RowError {
        self.log_once(format_args!(
            "LEDGER_TABLE: {what}; its events are redelivered. Check the table's name, its capacity and the role's \
             dynamodb:UpdateItem and dynamodb:BatchGetItem"
        ));
        row_error
    }

    /// Logs a failure for the operator, once an invocation. The row's events have lines of their own.
    fn log_once(&self, what: std::fmt::Arguments<'_>) {
        if !self.is_logged.replace(true) {
            tracing::error!("{what}");
        }
    }
}
