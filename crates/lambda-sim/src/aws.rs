//! A small local AWS over HTTP, for functions and tests with real AWS SDK clients: SQS (`SendMessage`, `SendMessageBatch`,
//! `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch`, `GetQueueAttributes`), Secrets Manager `GetSecretValue`,
//! DynamoDB `UpdateItem`, `PutItem`, `DeleteItem`, `GetItem` and `BatchGetItem`. A client finds it by `AWS_ENDPOINT_URL`,
//! the function under test too:
//!
//! ```no_run
//! # use lambda_sim::{AwsApi, EntryFault, Fault, Function, Operation, Queue};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let api = AwsApi::start().await?;
//! let parking_queue_url = api.create_queue(Queue::builder("parked").build()?);
//! api.put_secret("tpns/apps", r#"{"android": …}"#)?;
//! let function = Function::builder("target/debug/tpns-account-sync")
//!     .env("AWS_ENDPOINT_URL", api.url())
//!     .env("PARKING_QUEUE_URL", parking_queue_url)
//!     .env("TPNS_APPS_SECRET_ID", "tpns/apps")
//!     .build()?;
//! api.fail_next(Operation::GetSecretValue, 1, Fault::Throttling);
//! api.fail_entries_next(1, [EntryFault::body_containing("user-7")]);
//! api.create_table("ledger", "id");
//! api.stale_reads(true);
//! let gate = api.hold(Operation::UpdateItem, 1);
//! // … invoke …
//! gate.reached().await;
//! // … what happens before the write …
//! gate.release();
//! let parked = api.with_queue("parked", |queue| queue.messages().cloned().collect::<Vec<_>>());
//! # Ok(()) }
//! ```

pub mod dynamodb;
mod error;
mod fault;
mod garble;
mod gate;
mod operation;
mod secrets;
mod server;
mod signature;
mod sqs;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sim_connections::{Connections, Death};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use fault::{EntryFault, Fault};
pub use garble::Garbling;
pub use gate::Gate;
pub use operation::{ApiRequest, Operation, Service};
pub use secrets::{SecretError, SecretValue};
pub use signature::Credentials;

use crate::clock::Clock;
use crate::queue::Queue;
use dynamodb::Table;
use fault::What;
use gate::Stage;
use state::State;

/// An API that couldn't be started.
#[derive(Debug, thiserror::Error)]
#[error("no free port on 127.0.0.1 for the AWS API")]
pub struct StartError(#[from] std::io::Error);

/// The way to a [`RunningAwsApi`].
#[derive(Debug)]
pub struct AwsApi;

impl AwsApi {
    /// Starts an API on a free port of 127.0.0.1 and the current tokio runtime, with this machine's time.
    ///
    /// # Errors
    /// [`StartError`] when there is no port.
    pub async fn start() -> Result<RunningAwsApi, StartError> {
        Self::start_with(Clock::System).await
    }

    /// The same with a clock of the test's, which dates messages and secrets. Signatures aren't dated by it.
    ///
    /// # Errors
    /// [`StartError`] when there is no port.
    pub async fn start_with(clock: impl Into<Clock>) -> Result<RunningAwsApi, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::new(clock.into())));
        let connections = Connections::default();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), connections.clone())).abort_handle();
        Ok(RunningAwsApi { address, state, server, connections })
    }
}

/// A local AWS API, serving until it is dropped.
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

    /// What `AWS_ENDPOINT_URL` is to say.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes `queue` in under its name, in place of one of the same name, and gives its URL.
    pub fn create_queue(&self, queue: Queue) -> String {
        let name = queue.name().to_owned();
        self.state().queues.insert(name.clone(), queue);
        self.queue_url(&name)
    }

    /// The URL of the queue `name`, or the one it would have in AWS's example account.
    pub fn queue_url(&self, name: &str) -> String {
        let state = self.state();
        let account = state.queues.get(name).map_or("123456789012", sqs::account_of);
        format!("{}/{account}/{name}", self.url())
    }

    /// Looks at the queue `name`, receives from it, deletes in it; `None` when there is none. `look` is not to call the API.
    pub fn with_queue<T>(&self, name: &str, look: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        self.state().queues.get_mut(name).map(look)
    }

    /// Takes the queue `name` out, to receive from as an [`EventSource`](crate::EventSource) or to have requests fail.
    pub fn take_queue(&self, name: &str) -> Option<Queue> {
        self.state().queues.remove(name)
    }

    /// Makes the secret `id` (a name or an ARN), or rotates it: a new version becomes `AWSCURRENT`, the one before `AWSPREVIOUS`. Text becomes
    /// a `SecretString`, a `Vec` of bytes a `SecretBinary`. Gives the version's id.
    ///
    /// # Errors
    /// [`SecretError`] for what Secrets Manager refuses.
    pub fn put_secret(&self, id: &str, value: impl Into<SecretValue>) -> Result<String, SecretError> {
        let mut state = self.state();
        let now = state.clock.now();
        state.secrets.put(id, value.into(), now)
    }

    /// Removes the secret `id` and says whether it was there.
    pub fn remove_secret(&self, id: &str) -> bool {
        self.state().secrets.remove(id)
    }

    /// Makes an empty DynamoDB table `name`, in place of one of the same name, with the text attribute `partition_key` as its key.
    pub fn create_table(&self, name: impl Into<String>, partition_key: impl Into<String>) {
        self.state().dynamodb.tables.insert(name.into(), Table::new(partition_key.into()));
    }

    /// Looks at the table `name`, puts and deletes items in it; `None` when there is none. `look` is not to call the API.
    pub fn with_table<T>(&self, name: &str, look: impl FnOnce(&mut Table) -> T) -> Option<T> {
        self.state().dynamodb.tables.get_mut(name).map(look)
    }

    /// Whether `GetItem` and `BatchGetItem` without `ConsistentRead` answer with each item as it was before its last write: the worst that
    /// eventual consistency allows, so that who forgot to ask for a consistent read is found out.
    pub fn stale_reads(&self, stale: bool) {
        self.state().dynamodb.stale = stale;
    }

    /// Whether a failed condition shows no item though the request asks for it: so answer DynamoDB-compatible stores, and old local ones, that do
    /// not know `ReturnValuesOnConditionCheckFailure`.
    pub fn failed_conditions_hide_items(&self, hide: bool) {
        self.state().dynamodb.hides_items = hide;
    }

    /// Accepts `credentials` besides [`Credentials::of_the_sandbox`].
    pub fn accept(&self, credentials: Credentials) {
        self.state().accepted.push(credentials);
    }

    /// Every request so far, in the order they were carried out; one that is [held](Self::hold) before isn't among them.
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.state().requests.clone()
    }

    /// The next `times` requests for `operation` fail; after those planned before. A retry of the SDK's is a request too. `usize::MAX` is
    /// until [`clear_faults`](Self::clear_faults).
    pub fn fail_next(&self, operation: Operation, times: usize, fault: Fault) {
        self.state().plan.add(operation, times, What::Request(fault));
    }

    /// In the next `times` requests for `SendMessageBatch` the chosen entries come back in `Failed`, and the others are sent.
    pub fn fail_entries_next(&self, times: usize, faults: impl IntoIterator<Item = EntryFault>) {
        let faults = faults.into_iter().collect();
        self.state().plan.add(Operation::SendMessageBatch, times, What::Entries(faults));
    }

    /// In the next `times` requests for `BatchGetItem` the last `count` keys come back in `UnprocessedKeys`; when that is all of them,
    /// DynamoDB answers with `ProvisionedThroughputExceededException` instead.
    pub fn unprocessed_next(&self, times: usize, count: usize) {
        self.state().plan.add(Operation::BatchGetItem, times, What::Unprocessed(count));
    }

    /// From now on every request to `service` is carried out this much later; many at once wait side by side. Zero ends it.
    pub fn latency(&self, service: Service, latency: Duration) {
        self.state().latencies.insert(service, latency);
    }

    /// The same for one operation, on top of its service's.
    pub fn latency_of(&self, operation: Operation, latency: Duration) {
        self.state().latencies_of.insert(operation, latency);
    }

    /// Holds the `nth` request for `operation` from now, counted from 1, before it is carried out: what a function does up to there is done,
    /// and what others do meanwhile comes before it. The request is carried out when it is let go on, even if its sender is gone by then.
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

    /// Every connection open now is dead at its next use; later ones live. Gives their number.
    pub fn kill_connections(&self, death: Death) -> usize {
        self.connections.kill(death)
    }

    /// Forgets the faults still to come.
    pub fn clear_faults(&self) {
        self.state().plan.clear();
    }
}

impl Drop for RunningAwsApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}
