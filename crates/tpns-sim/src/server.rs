//! The HTTP service around the model: TPNS's two paths, and `/_sim` to control and inspect it.

mod account_api;
mod api_answer;
mod auth_failure;
mod builder;
mod changes;
mod connection;
mod control;
mod exchange;
mod intake;
mod listener;
mod page;
mod refusal;
mod reply;
mod state;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use serde_json::{Map, json};
use sim_connections::{Connections, Death};
use tokio::{task::JoinHandle, time::Instant};

use self::state::{Reset, Shared};
pub use self::{
    auth_failure::AuthFailureStatus,
    builder::{Sim, SimBuilder, StartError},
};
use crate::{
    calls::Call,
    effects::{DAY, Effects},
    fault::Fault,
    model::{Account, Bindings},
};

/// A running simulator; it stops when it is dropped.
///
/// It lives on the runtime that started it; a test that blocks its only thread blocks the
/// simulator too.
#[derive(Debug)]
pub struct RunningSim {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    connections: Connections,
}

impl RunningSim {
    fn serve(shared: Shared, listener: tokio::net::TcpListener, address: SocketAddr) -> Self {
        let shared = Arc::new(shared);
        let router = router(Arc::clone(&shared));
        let connections = Connections::default();
        let serving = tokio::spawn(connection::accept(listener, router, connections.clone()));
        Self { shared, address, serving, connections }
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The apps document for a client, `TPNS_APPS` of the function: this server is the endpoint
    /// of every app.
    #[must_use]
    pub fn apps_document(&self) -> String {
        let apps: Map<_, _> = self
            .shared
            .apps
            .iter()
            .map(|app| {
                let document = json!({
                    "access_id": app.access_id,
                    "secret_key": app.secret_key,
                    "endpoint": self.url(),
                });
                (app.name.clone(), document)
            })
            .collect();
        serde_json::Value::Object(apps).to_string()
    }

    /// The bindings applied so far, of every app.
    #[must_use]
    pub fn bindings(&self) -> BTreeMap<String, Bindings> {
        self.shared.bindings()
    }

    /// The calls in order of arrival: as many of the newest as the log keeps.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.core().calls.since(0)
    }

    /// Adds a fault after those still active.
    pub fn fault(&self, fault: Fault) {
        self.shared.core().faults.add(fault);
    }

    /// The number of faults still active.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.core().faults.len()
    }

    /// Deletes bindings, pending operations, calls and faults. Connections stay open.
    pub fn reset(&self) {
        self.shared.reset(Reset::EVERYTHING);
    }

    /// The number of open connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.connections.open()
    }

    /// Every connection open now dies at its next use; later ones live. Returns the number of these connections.
    pub fn kill_connections(&self, death: Death) -> usize {
        self.connections.kill(death)
    }

    /// Waits until everything accepted before this call has been applied.
    pub async fn flush(&self) {
        self.shared.flush().await;
    }

    /// What has taken effect so far, and what has not.
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.shared.effects()
    }

    /// Waits until everything received has taken effect and queries show it, late operations included.
    pub async fn settle(&self) {
        self.shared.settle().await;
    }

    /// Lets `time`, a day at most, pass without waiting: what was accepted takes effect, and is shown, that much
    /// earlier. Operations that a `delay` fault made late are not accepted earlier.
    pub fn skip_time(&self, time: Duration) {
        self.shared.core().timeline.skip(time.min(DAY), Instant::now());
    }

    /// The bindings of every app if each accepted operation had taken effect, at once and in the order of acceptance.
    /// Where [`bindings`](Self::bindings) differ although nothing is pending, operations were lost or overtaken.
    #[must_use]
    pub fn accepted_bindings(&self) -> BTreeMap<String, Bindings> {
        let core = self.shared.core();
        let tpns = core.timeline.accepted();
        tpns.apps().map(|app| (app.to_owned(), tpns.bindings(app))).collect()
    }

    /// Sets a token's accounts at once, whatever they were, as someone other than the client would: TPNS drifts.
    /// Without accounts, the token has no binding. Does nothing for an app that does not exist.
    pub fn set_bindings(&self, app: &str, token: &str, accounts: impl IntoIterator<Item = Account>) {
        let accounts = accounts.into_iter().collect();
        self.shared.core().timeline.set(app, token, accounts, Instant::now());
    }
}

impl Drop for RunningSim {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    /// Waits until everything accepted so far is due.
    async fn flush(&self) {
        let last_due = self.core().timeline.last_due();
        if let Some(due) = last_due {
            tokio::time::sleep_until(due).await;
        }
    }

    /// Waits until everything received so far, and until then, is in effect and shown.
    async fn settle(&self) {
        loop {
            let due = self.core().timeline.unsettled_until(Instant::now());
            let Some(due) = due else { return };
            // A late operation is executed by a task of its own, which may wake after this one.
            tokio::time::sleep_until(due.max(Instant::now() + Duration::from_millis(1))).await;
        }
    }

    fn effects(&self) -> Effects {
        self.core().timeline.effects(Instant::now())
    }

    fn bindings(&self) -> BTreeMap<String, Bindings> {
        let mut core = self.core();
        let tpns = core.timeline.applied(Instant::now());
        tpns.apps().map(|app| (app.to_owned(), tpns.bindings(app))).collect()
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let router = page::router().nest("/_sim", control::router());
    router.fallback(account_api::receive).with_state(shared)
}
