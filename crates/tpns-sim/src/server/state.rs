//! The state that all connections share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{auth_failure::AuthFailureStatus, listener::Listener, reply::Reply};
use crate::{
    apps::Apps,
    calls::{CallId, CallLog},
    fault::ActiveFaults,
    timeline::Timeline,
};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) apps: Apps,
    pub(super) latency: Duration,
    /// Seconds; 0 is off.
    pub(super) timestamp_window: u64,
    pub(super) auth_failure_status: AuthFailureStatus,
    pub(super) listener: Option<Listener>,
    /// Distinguishes this server from an earlier one at the same address.
    pub(super) run: u64,
    core: Mutex<Core>,
}

/// What is set when the server starts.
pub(super) struct ServerSettings {
    pub(super) apps: Apps,
    pub(super) latency: Duration,
    pub(super) timestamp_window: u64,
    pub(super) auth_failure_status: AuthFailureStatus,
    pub(super) listener: Option<Listener>,
}

/// The mutable part. One lock, so that the order of arrival, of acceptance and of the log are the same.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) timeline: Timeline,
    pub(super) faults: ActiveFaults,
    pub(super) calls: CallLog,
}

/// What a reset deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset {
    pub(super) bindings: bool,
    pub(super) calls: bool,
    pub(super) faults: bool,
}

impl Reset {
    pub(super) const EVERYTHING: Self = Self { bindings: true, calls: true, faults: true };
}

impl Shared {
    pub(super) fn new(settings: ServerSettings, core: Core) -> Self {
        let ServerSettings { apps, latency, timestamp_window, auth_failure_status, listener } = settings;
        let run = fastrand::u64(..);
        Self { apps, latency, timestamp_window, auth_failure_status, listener, run, core: Mutex::new(core) }
    }

    /// Reports a call whose answer is decided, whether or not its client waits for it.
    pub(super) fn report(&self, id: CallId, reply: &Reply) {
        let Some(listener) = &self.listener else { return };
        let call = self.core().calls.get(id).cloned();
        // A call from before a reset is not in the log any more.
        if let Some(mut call) = call {
            call.answer(reply.received().unwrap_or_default());
            listener.hear(&call);
        }
    }

    pub(super) fn app_names(&self) -> Vec<&str> {
        self.apps.iter().map(|app| app.name.as_str()).collect()
    }

    /// Held briefly, never across an await.
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere fails only its own request; the state is still usable.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reset(&self, what: Reset) {
        let mut core = self.core();
        if what.bindings {
            core.timeline.clear();
        }
        if what.calls {
            core.calls.clear();
        }
        if what.faults {
            core.faults.clear();
        }
    }
}
