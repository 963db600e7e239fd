//! The rows in DynamoDB: one table with the string key `pk` (`row.rs` says what they hold).

mod app_rows;

use std::{
    cell::Cell,
    collections::HashMap,
    error::Error,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    config::{http::HttpResponse, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use futures_util::stream::{self, StreamExt};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout_at},
};

use super::{
    AccountKey, DeletionRow, DeviceState, Read, Rows, Trouble,
    app_keys::AppKeys,
    row::{self, ACCEPTED, ACCOUNTS, Attributes, DELETED, DeviceRow, EXPIRES, KEY, OWNER, Register, Unreadable},
};
use crate::{
    aws::AwsError,
    config::{Apps, LEDGER_ROW_LIFETIME},
    event::{Device, Version},
};

const READS_AT_A_TIME: usize = 16;
/// DynamoDB's limit.
const ROWS_A_READ: usize = 100;
/// A condition may have 4 KB, and a register takes some 60 bytes of it.
const REGISTERS_A_WRITE: usize = 50;
/// So many overtaken logouts are taken out of a row at a time; fewer are not worth a write.
const DEAD_A_SWEEP: usize = 20;
/// A row has grown each time a write is refused: more than a few refusals are a storm of writers.
const MOST_WRITES: usize = 12;
const MOST_READS: u32 = 6;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The table, and the client kept over warm invocations.
#[derive(Debug)]
pub struct Table {
    client: Client,
    name: String,
    app_keys: Mutex<Option<Arc<AppKeys>>>,
}

/// The table for one invocation.
#[derive(Debug)]
pub struct OpenTable<'a> {
    table: &'a Table,
    apps: Arc<Apps>,
    app_keys: OnceCell<Result<Arc<AppKeys>, Trouble>>,
    /// Epoch seconds.
    expires_at: u64,
    until: Instant,
    told: Cell<bool>,
}

impl Table {
    /// The table of this name or ARN.
    #[must_use]
    pub fn new(sdk: &SdkConfig, name: String) -> Self {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(50));
        let config =
            aws_sdk_dynamodb::config::Builder::from(sdk).timeout_config(timeouts.build()).retry_config(retries).build();
        Self { client: Client::from_conf(config), name, app_keys: Mutex::default() }
    }

    /// The table for an invocation that knows these apps and began `now`; no request is waited for after `until`.
    #[must_use]
    pub fn open(&self, apps: &Arc<Apps>, now: SystemTime, until: Instant) -> OpenTable<'_> {
        let expires_at = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LEDGER_ROW_LIFETIME;
        OpenTable {
            table: self,
            apps: apps.clone(),
            app_keys: OnceCell::new(),
            expires_at: expires_at.as_secs(),
            until,
            told: Cell::new(false),
        }
    }
}

impl Rows for OpenTable<'_> {
    async fn raise_device(&self, device: &Device, said: &DeviceState) -> Result<DeviceState, Trouble> {
        let key = row::device_key(device, self.app_keys().await?);
        let mut row = DeviceRow::default();
        for _ in 0..MOST_WRITES {
            let mut lacking = row.lacks(said);
            if lacking.is_empty() {
                self.sweep(&key, &row).await;
                return Ok(row.state);
            }
            lacking.truncate(REGISTERS_A_WRITE);
            row = DeviceRow::read(&self.raise(&key, &lacking).await?).map_err(|error| self.unreadable(&error))?;
        }
        Err(Trouble::KeepsChanging)
    }

    async fn raise_deletion(&self, key: &AccountKey, version: &Version) -> Result<DeletionRow, Trouble> {
        let deleted = Register::Version { name: DELETED.into(), version: row::text(version) };
        let row = self.raise(&row::account_key(key, self.app_keys().await?), &[deleted]).await?;
        let row = DeletionRow::read(&row).map_err(|error| self.unreadable(&error))?;
        row.ok_or_else(|| self.unreadable(&Unreadable(DELETED)))
    }

    async fn accept_deletion(&self, key: &AccountKey, version: &Version) -> Result<(), Trouble> {
        let update = self
            .update(&row::account_key(key, self.app_keys().await?))
            .update_expression("SET #accepted = :version")
            .condition_expression("#deleted = :version")
            .expression_attribute_names("#accepted", ACCEPTED)
            .expression_attribute_names("#deleted", DELETED)
            .expression_attribute_values(":version", AttributeValue::S(row::text(version)));
        match self.within(update.send()).await? {
            Err(error) if !is_condition(&error) => Err(self.trouble(&error)),
            // Refused: a newer deletion has come, and its own message sees to it.
            _ => Ok(()),
        }
    }

    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read {
        let app_keys = match self.app_keys().await {
            Ok(app_keys) => app_keys,
            Err(trouble) => {
                return Read {
                    devices: devices.iter().map(|device| (device.clone(), Err(trouble))).collect(),
                    deletions: accounts.iter().map(|key| (key.clone(), Err(trouble))).collect(),
                };
            }
        };
        let device_keys: Vec<_> = devices.iter().map(|device| row::device_key(device, app_keys)).collect();
        let account_keys: Vec<_> = accounts.iter().map(|key| row::account_key(key, app_keys)).collect();
        let keys: Vec<&str> = device_keys.iter().chain(&account_keys).map(String::as_str).collect();
        let reads = stream::iter(keys.chunks(ROWS_A_READ)).map(|keys| self.read_batch(keys));
        let read: Vec<_> = reads.buffer_unordered(READS_AT_A_TIME).collect().await;
        let rows: HashMap<String, Result<Attributes, Trouble>> = read.into_iter().flatten().collect();
        let attributes = |key: &String| {
            rows.get(key).map_or(Err(Trouble::Unreachable), |row| row.as_ref().map_err(|&trouble| trouble))
        };
        let device =
            |key| DeviceRow::read(attributes(key)?).map(|row| row.state).map_err(|error| self.unreadable(&error));
        let deletion = |key| DeletionRow::read(attributes(key)?).map_err(|error| self.unreadable(&error));
        Read {
            devices: devices.iter().cloned().zip(device_keys.iter().map(device)).collect(),
            deletions: accounts.iter().cloned().zip(account_keys.iter().map(deletion)).collect(),
        }
    }
}

impl OpenTable<'_> {
    fn update(&self, key: &str) -> UpdateItemFluentBuilder {
        let update = self.table.client.update_item().table_name(&self.table.name);
        update.key(KEY, AttributeValue::S(key.into()))
    }

    /// Raises the registers if each of them grows by it; gives the row as it then is, raised or not.
    async fn raise(&self, key: &str, registers: &[Register]) -> Result<Attributes, Trouble> {
        let mut update = self
            .update(key)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":expires", AttributeValue::N(self.expires_at.to_string()));
        let mut set = "SET #expires = :expires".to_owned();
        let mut conditions = Vec::with_capacity(registers.len());
        for (n, register) in registers.iter().enumerate() {
            let (name, version) = match register {
                Register::Owner { version, accounts } => {
                    update = update
                        .expression_attribute_names("#accounts", ACCOUNTS)
                        .expression_attribute_values(":accounts", AttributeValue::S(accounts.clone()));
                    set += ", #accounts = :accounts";
                    (OWNER, version)
                }
                Register::Version { name, version } => (name.as_str(), version),
            };
            update = update
                .expression_attribute_names(format!("#r{n}"), name)
                .expression_attribute_values(format!(":r{n}"), AttributeValue::S(version.clone()));
            set += &format!(", #r{n} = :r{n}");
            let tie = match register {
                Register::Owner { .. } => format!(" OR (#r{n} = :r{n} AND #accounts < :accounts)"),
                Register::Version { .. } => String::new(),
            };
            conditions.push(format!("(attribute_not_exists(#r{n}) OR #r{n} < :r{n}{tie})"));
        }
        let update = update.update_expression(set).condition_expression(conditions.join(" AND "));
        match self.within(update.send()).await? {
            Ok(answer) => {
                // A row that has just been written has attributes.
                answer.attributes.ok_or_else(|| self.tell(Trouble::Unreachable, "an answer without the row"))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    Ok(refusal.item.clone().unwrap_or_default())
                }
                // DynamoDB has one code for everything it finds wrong with a write, so the row itself has to be looked at.
                _ if error.code() == Some("ValidationException") && self.is_full(key, registers).await => {
                    self.tell_once(format_args!(
                        "LEDGER_TABLE: the row of a device has reached the 400 KB of a DynamoDB item; delete the row: the \
                         event's next delivery writes it again"
                    ));
                    Err(Trouble::RowFull)
                }
                _ => Err(self.trouble(&error)),
            },
        }
    }

    /// Whether the row has no space for these registers.
    async fn is_full(&self, key: &str, registers: &[Register]) -> bool {
        let Ok((rows, _)) = self.read_some(&[key.to_owned()]).await else { return false };
        let size = rows.iter().map(|(_, row)| row::size(row)).sum::<usize>()
            + registers.iter().map(Register::size).sum::<usize>();
        size > row::LARGEST
    }

    /// Takes overtaken logouts out of a row, once there are enough of them, so that a device many people sign in on does
    /// not outgrow a row. Whether it succeeds matters to nobody.
    async fn sweep(&self, key: &str, row: &DeviceRow) {
        if row.dead.len() < DEAD_A_SWEEP {
            return;
        }
        let dead = row.dead.iter().take(REGISTERS_A_WRITE).enumerate();
        let (mut update, mut names, mut conditions) = (self.update(key), Vec::new(), Vec::new());
        for (n, (name, version)) in dead {
            update = update
                .expression_attribute_names(format!("#r{n}"), name)
                .expression_attribute_values(format!(":r{n}"), AttributeValue::S(version.clone()));
            names.push(format!("#r{n}"));
            conditions.push(format!("#r{n} = :r{n}"));
        }
        let update = update
            .update_expression(format!("REMOVE {}", names.join(", ")))
            .condition_expression(conditions.join(" AND "));
        _ = self.within(update.send()).await;
    }

    /// Reads up to a hundred rows, all there were, with nothing in those there are not.
    async fn read_batch(&self, keys: &[&str]) -> Vec<(String, Result<Attributes, Trouble>)> {
        let mut rows: HashMap<String, Result<Attributes, Trouble>> = HashMap::with_capacity(keys.len());
        let mut open: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let mut trouble = Trouble::Throttled;
        for attempt in 0..MOST_READS {
            if attempt > 0 {
                let pause = Duration::from_millis(20 << attempt).mul_f64(fastrand::f64());
                if Instant::now() + pause >= self.until {
                    break;
                }
                sleep(pause).await;
            }
            match self.read_some(&open).await {
                Ok((found, unread)) => {
                    rows.extend(found.into_iter().map(|(key, row)| (key, Ok(row))));
                    // Rows that are neither there nor unread do not exist.
                    for key in open.iter().filter(|key| !unread.contains(key)) {
                        rows.entry(key.clone()).or_insert_with(|| Ok(Attributes::new()));
                    }
                    open = unread;
                }
                Err(error) => {
                    trouble = error;
                    break;
                }
            }
            if open.is_empty() {
                break;
            }
        }
        rows.extend(open.into_iter().map(|key| (key, Err(trouble))));
        rows.into_iter().collect()
    }

    /// The rows found, and the keys that were not looked for. What is in neither does not exist, so an answer of which a
    /// part is missing is none.
    async fn read_some(&self, keys: &[String]) -> Result<(Vec<(String, Attributes)>, Vec<String>), Trouble> {
        let keys = keys.iter().map(|key| HashMap::from([(KEY.to_owned(), AttributeValue::S(key.clone()))]));
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
        let wanted = wanted.map_err(|_| Trouble::Unreachable)?;
        let name = &self.table.name;
        let answer = self.within(self.table.client.batch_get_item().request_items(name, wanted).send()).await?;
        let answer = answer.map_err(|error| self.trouble(&error))?;
        let key = |row: &Attributes| row.get(KEY).and_then(|key| key.as_s().ok()).cloned();
        // One table was asked for, whatever name the answer gives it.
        let found = answer.responses.map(|tables| tables.into_values().flatten());
        let found = found.and_then(|rows| rows.map(|row| Some((key(&row)?, row))).collect());
        let unread = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys);
        let unread = unread.map(|row| key(&row)).collect::<Option<_>>();
        found.zip(unread).ok_or_else(|| self.tell(Trouble::Unreachable, "an answer without the rows"))
    }

    /// One request, and not longer than there is time.
    async fn within<T>(&self, request: impl Future<Output = T>) -> Result<T, Trouble> {
        timeout_at(self.until, request).await.map_err(|_| self.tell(Trouble::Unreachable, "no answer in time"))
    }

    fn trouble<E: ProvideErrorMetadata + Error + 'static>(&self, error: &SdkError<E, HttpResponse>) -> Trouble {
        let error = AwsError::of(error);
        let throttles = |code: &str| {
            matches!(code, "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded")
        };
        let trouble = if error.code().is_some_and(throttles) { Trouble::Throttled } else { Trouble::Unreachable };
        self.tell(trouble, &error.to_string())
    }

    fn unreadable(&self, error: &Unreadable) -> Trouble {
        let mend = "find who else writes to the table, and delete the row: the event's next delivery makes it anew";
        self.tell_once(format_args!("LEDGER_TABLE: in a row of the table {error}; {mend}"));
        Trouble::Unreadable
    }

    fn tell(&self, trouble: Trouble, what: &str) -> Trouble {
        self.tell_once(format_args!(
            "LEDGER_TABLE: {what}; its events come again. Check the table's name, its capacity and the role's \
             dynamodb:UpdateItem and dynamodb:BatchGetItem"
        ));
        trouble
    }

    /// Tells the operator, once an invocation. The row's events have lines of their own.
    fn tell_once(&self, what: std::fmt::Arguments<'_>) {
        if !self.told.replace(true) {
            tracing::error!("{what}");
        }
    }
}

fn is_condition<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}
