//! What all connections share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{apps::Apps, calls::CallLog, fault::ActiveFaults, server::AuthFailureStatus, timeline::Timeline};

/// The longest wait there is. Any longer one is as good, and the clock could overflow.
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) apps: Apps,
    pub(super) latency: Duration,
    /// Seconds; 0 is off.
    pub(super) timestamp_window: u64,
    pub(super) auth_failure_status: AuthFailureStatus,
    core: Mutex<Core>,
}

/// The changing part. One lock: order of arrival, of acceptance and of the log are then the same.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) timeline: Timeline,
    pub(super) faults: ActiveFaults,
    pub(super) calls: CallLog,
}

/// What a reset takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forget {
    pub(super) bindings: bool,
    pub(super) calls: bool,
    pub(super) faults: bool,
}

impl Forget {
    pub(super) const EVERYTHING: Self = Self { bindings: true, calls: true, faults: true };
}

impl Shared {
    pub(super) fn new(
        apps: Apps,
        latency: Duration,
        timestamp_window: u64,
        auth_failure_status: AuthFailureStatus,
        core: Core,
    ) -> Self {
        Self { apps, latency, timestamp_window, auth_failure_status, core: Mutex::new(core) }
    }

    /// Held for a moment only, never across an await.
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere fails its own request; the state it left is still the best there is.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, what: Forget) {
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
