//! Configures and starts a simulator.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use tokio::net::TcpListener;

use super::{
    RunningSim,
    auth_failure::AuthFailureStatus,
    listener::Listener,
    state::{Core, ServerSettings, Shared},
};
use crate::{
    apps::{App, Apps, AppsError},
    calls::{Call, CallLog},
    effects::{DAY, Pace},
    fault::ActiveFaults,
    model::{OverrideMode, Settings, TokenCap, Tpns},
    timeline::Timeline,
};

/// A simulator: see [`Sim::builder`].
#[derive(Clone, Copy, Debug)]
pub struct Sim;

impl Sim {
    /// A simulator on a free port of 127.0.0.1, without delays, with TPNS's default rules.
    #[must_use]
    pub fn builder() -> SimBuilder {
        SimBuilder {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            apps: Vec::new(),
            settings: Settings::default(),
            latency: Duration::ZERO,
            pace: Pace::default(),
            timestamp_window: 600,
            auth_failure_status: AuthFailureStatus::default(),
            keep_calls: 100_000,
            listener: None,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The apps can't be used.
    #[error(transparent)]
    Apps(#[from] AppsError),
    /// The address can't be used.
    #[error("cannot listen on {address}: {source}; choose another address, or port 0 for a free one")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The configuration of a simulator. Every method replaces one default.
#[derive(Clone, Debug)]
pub struct SimBuilder {
    listen: SocketAddr,
    apps: Vec<App>,
    settings: Settings,
    latency: Duration,
    pace: Pace,
    timestamp_window: u64,
    auth_failure_status: AuthFailureStatus,
    keep_calls: usize,
    listener: Option<Listener>,
}

impl SimBuilder {
    /// Adds an app; at least one is needed.
    #[must_use]
    pub fn app(mut self, name: impl Into<String>, access_id: u64, secret: impl Into<String>) -> Self {
        self.apps.push(App { name: name.into(), access_id, secret_key: secret.into() });
        self
    }

    /// Adds all these apps.
    #[must_use]
    pub fn apps(mut self, apps: &Apps) -> Self {
        self.apps.extend(apps.iter().cloned());
        self
    }

    /// The address to listen on; port 0, the default, picks a free one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Time from a complete request to its answer. Overlaps across concurrent requests.
    /// A day at most; never early, and late by a timer tick of 1 to 2 ms.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency.min(DAY);
        self
    }

    /// Time from acceptance to effect, a day at most.
    #[must_use]
    pub fn apply_delay(mut self, delay: Duration) -> Self {
        self.pace.delay = delay.min(DAY);
        self
    }

    /// Adds a random part to the time from acceptance to effect, from zero up to `within`, a day at most, drawn for
    /// each call: effects lose the order of acceptance. The same seed draws the same sequence.
    #[must_use]
    pub fn apply_within(mut self, within: Duration, seed: u64) -> Self {
        self.pace.within = within.min(DAY);
        self.pace.seed = seed;
        self
    }

    /// Time from an effect until queries show it, a day at most.
    #[must_use]
    pub fn query_lag(mut self, lag: Duration) -> Self {
        self.pace.query_lag = lag.min(DAY);
        self
    }

    /// Answers queries without `account_type`, as in the provider's older samples.
    #[must_use]
    pub fn omit_account_type(mut self, omit: bool) -> Self {
        self.settings.omit_account_type = omit;
        self
    }

    /// Sets all of the model's rules at once.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What `operator_type` 2 does to types the request does not name.
    #[must_use]
    pub fn override_mode(mut self, mode: OverrideMode) -> Self {
        self.settings.override_mode = mode;
        self
    }

    /// What the 101st token of an account does.
    #[must_use]
    pub fn token_cap(mut self, cap: TokenCap) -> Self {
        self.settings.token_cap = cap;
        self
    }

    /// Only these tokens are registered; any other is item code 1008006.
    #[must_use]
    pub fn known_tokens(mut self, tokens: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known: HashSet<String> = tokens.into_iter().map(Into::into).collect();
        self.settings.known_tokens = Some(Arc::new(known));
        self
    }

    /// How far `TimeStamp` may be off, in seconds; 0 accepts any. Default 600.
    #[must_use]
    pub fn timestamp_window(mut self, seconds: u64) -> Self {
        self.timestamp_window = seconds;
        self
    }

    /// HTTP status of an authentication failure.
    #[must_use]
    pub fn auth_failure_status(mut self, status: AuthFailureStatus) -> Self {
        self.auth_failure_status = status;
        self
    }

    /// How many of the newest calls the log keeps. Default 100 000.
    #[must_use]
    pub fn keep_calls(mut self, calls: usize) -> Self {
        self.keep_calls = calls;
        self
    }

    /// Has `listener` called with each call once its answer is decided, before the answer is sent: `status`, `ret_code`
    /// and `result` are what the client will receive if it waits. The `request` is omitted.
    #[must_use]
    pub fn on_call(mut self, listener: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        self.listener = Some(Listener::new(listener));
        self
    }

    /// Binds the port and serves, on the current Tokio runtime.
    ///
    /// # Errors
    /// When the apps or the address can't be used.
    pub async fn start(self) -> Result<RunningSim, StartError> {
        let apps = Apps::new(self.apps)?;
        let listen = |source| StartError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let names = apps.iter().map(|app| app.name.clone());
        let core = Core {
            timeline: Timeline::new(Tpns::new(names, self.settings), self.pace),
            faults: ActiveFaults::default(),
            calls: CallLog::keeping(self.keep_calls),
        };
        let settings = ServerSettings {
            apps,
            latency: self.latency,
            timestamp_window: self.timestamp_window,
            auth_failure_status: self.auth_failure_status,
            listener: self.listener,
        };
        Ok(RunningSim::serve(Shared::new(settings, core), listener, address))
    }
}
