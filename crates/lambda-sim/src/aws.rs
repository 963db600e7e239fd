//! A small local AWS over HTTP, for functions and tools with the AWS SDK. The SDK finds it by `AWS_ENDPOINT_URL`; the
//! README has an example.
//!
//! - SQS: `SendMessageBatch`, `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch`,
//!   `GetQueueAttributes`
//! - Secrets Manager: `GetSecretValue`; Systems Manager: `GetParameter`
//! - DynamoDB: `UpdateItem`, `BatchGetItem`

mod credentials;
pub mod dynamodb;
mod error;
mod fault;
mod garble;
mod gate;
mod operation;
mod secrets;
mod server;
mod sqs;
mod state;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sim_connections::{Connections, Death};
use tokio::{net::TcpListener, task::AbortHandle};

pub use credentials::Credentials;
pub use fault::{EntryFault, Fault};
pub use garble::Garbling;
pub use gate::Gate;
pub use operation::{ApiRequest, Operation, Service};
pub use secrets::SecretError;

use crate::{clock::ManualClock, queue::Queue};
use dynamodb::Table;
use fault::PlannedFailure;
use gate::Stage;
use state::State;

/// Starts a [`RunningAwsApi`].
#[derive(Debug)]
pub struct AwsApi;

impl AwsApi {
    /// Starts an API on a free port of 127.0.0.1 and the current tokio runtime.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start() -> io::Result<RunningAwsApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let connections = Connections::default();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), connections.clone())).abort_handle();
        Ok(RunningAwsApi { address, state, server, connections })
    }
}

/// A local AWS API, serving until it is dropped.
///
/// A request that it does not model is answered with an error whose message begins "not modelled: ". As a client may
/// take that for one of many failures, dropping the API panics then, and so fails the test.
#[derive(Debug)]
pub struct RunningAwsApi {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: AbortHandle,
    connections: Connections,
}

impl RunningAwsApi {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panics inside `with_queue` fails anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The queues' time is from now on that of `clock`.
    pub fn set_clock(&self, clock: ManualClock) {
        self.state().queues.1 = Some(clock);
    }

    /// Adds `queue` under its name, in place of one of the same name, and returns its URL.
    pub fn create_queue(&self, queue: Queue) -> String {
        let name = queue.name().to_owned();
        let url = self.queue_url(&name);
        self.state().queues.0.insert(name, queue);
        url
    }

    /// The URL of the queue `name`, whether it exists or not.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.url(), sqs::ACCOUNT)
    }

    /// Calls `use_queue` with the queue `name`; `None` when there is none. `use_queue` must not call the API.
    pub fn with_queue<T>(&self, name: &str, use_queue: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        self.state().queues.0.get_mut(name).map(use_queue)
    }

    /// Creates the secret `name`, and the parameter of that name, or replaces its value.
    ///
    /// # Errors
    /// [`SecretError`] for what Secrets Manager refuses.
    pub fn put_secret(&self, name: &str, text: impl Into<String>) -> Result<(), SecretError> {
        self.state().secrets.put(name, text.into())
    }

    /// Creates an empty DynamoDB table `name`, in place of one of the same name, with the text attribute
    /// `partition_key` as its key.
    pub fn create_table(&self, name: impl Into<String>, partition_key: impl Into<String>) {
        self.state().dynamodb.tables.insert(name.into(), Table::new(partition_key.into()));
    }

    /// Calls `use_table` with the table `name`; `None` when there is none. `use_table` must not call the API.
    pub fn with_table<T>(&self, name: &str, use_table: impl FnOnce(&mut Table) -> T) -> Option<T> {
        self.state().dynamodb.tables.get_mut(name).map(use_table)
    }

    /// Whether `BatchGetItem` without `ConsistentRead` answers with each item as it was before its last write: the
    /// worst that eventual consistency allows, so that a forgotten `ConsistentRead` is found.
    pub fn stale_reads(&self, stale: bool) {
        self.state().dynamodb.stale = stale;
    }

    /// Whether a failed condition shows no item although the request asks for it. That is how DynamoDB-compatible
    /// stores answer, and old local ones, that do not support `ReturnValuesOnConditionCheckFailure`.
    pub fn failed_conditions_hide_items(&self, hide: bool) {
        self.state().dynamodb.hides_items = hide;
    }

    /// Every request so far, in the order they were carried out; one that is [held](Self::hold) before that is not
    /// among them.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.state().requests.clone()
    }

    /// Every request that is not modelled. Once returned here, it no longer fails the test.
    pub fn take_not_modelled(&self) -> Vec<String> {
        std::mem::take(&mut self.state().not_modelled)
    }

    /// The next `times` requests for `operation` fail, after those planned before. A retry by the SDK is a request,
    /// too. `usize::MAX` means until [`clear_faults`](Self::clear_faults).
    pub fn fail_next(&self, operation: Operation, times: usize, fault: Fault) {
        self.state().plan.add(operation, times, PlannedFailure::Request(fault));
    }

    /// In the next `times` requests for `SendMessageBatch` the chosen entries come back in `Failed`, and the others
    /// are sent.
    pub fn fail_entries_next(&self, times: usize, faults: impl IntoIterator<Item = EntryFault>) {
        let faults = faults.into_iter().collect();
        self.state().plan.add(Operation::SendMessageBatch, times, PlannedFailure::Entries(faults));
    }

    /// In the next `times` requests for `BatchGetItem` the last `count` keys come back in `UnprocessedKeys`; when that
    /// is all of them, DynamoDB answers with `ProvisionedThroughputExceededException` instead.
    pub fn unprocessed_next(&self, times: usize, count: usize) {
        self.state().plan.add(Operation::BatchGetItem, times, PlannedFailure::Unprocessed(count));
    }

    /// From now on every request to `service` is carried out this much later; simultaneous ones wait side by side.
    /// Zero ends it.
    pub fn latency(&self, service: Service, latency: Duration) {
        self.state().latencies.insert(service, latency);
    }

    /// The same for one operation, in addition to the latency of its service.
    pub fn latency_of(&self, operation: Operation, latency: Duration) {
        self.state().latencies_of.insert(operation, latency);
    }

    /// Holds the `nth` request for `operation` from now, counted from 1, before it is carried out: everything the
    /// function does up to there has happened, and everything others do meanwhile comes before it. The request is
    /// carried out when it is released, even if its sender is gone by then.
    pub fn hold(&self, operation: Operation, nth: usize) -> Gate {
        self.hold_at(Stage::Before, operation, nth)
    }

    /// The same after it was carried out: only the answer is held.
    pub fn hold_answer(&self, operation: Operation, nth: usize) -> Gate {
        self.hold_at(Stage::After, operation, nth)
    }

    fn hold_at(&self, stage: Stage, operation: Operation, nth: usize) -> Gate {
        let (gate, hold) = gate::new(stage, operation, nth);
        self.state().holds.push(hold);
        gate
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.connections.open()
    }

    /// Every connection open now is dead at its next use; later ones live. Returns their number.
    pub fn kill_connections(&self, death: Death) -> usize {
        self.connections.kill(death)
    }

    /// Discards the faults still to come.
    pub fn clear_faults(&self) {
        self.state().plan.clear();
    }
}

impl Drop for RunningAwsApi {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            assert_eq!(self.take_not_modelled(), [""; 0]);
        }
    }
}
