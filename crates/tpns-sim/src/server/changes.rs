//! `GET /_sim/changes`: what is new since the last look, for a page that looks twice a second.

use std::{fmt, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    refusal::{Refusal, bad},
    state::{Core, Shared},
};
use crate::{calls::Call, effects::Effects, model::Device};

/// How many of the newest calls are looked at.
const NEWEST_CALLS: usize = 500;

/// A place in the changes. As text: `RUN-ERA-DEVICE-ERA-CALL`, in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    /// Drawn when the server starts: numbers of an earlier server mean something else.
    run: u64,
    bindings_era: u64,
    device: u64,
    calls_era: u64,
    call: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, bindings_era, device, calls_era, call } = self;
        write!(f, "{run:x}-{bindings_era:x}-{device:x}-{calls_era:x}-{call:x}")
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers: Result<Vec<u64>, _> = text.split('-').map(|number| u64::from_str_radix(number, 16)).collect();
        match numbers.map_err(|_| ())?[..] {
            [run, bindings_era, device, calls_era, call] => Ok(Self { run, bindings_era, device, calls_era, call }),
            _ => Err(()),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ChangesQuery {
    since: Option<String>,
}

/// What changed: added to what is known already, or, if `all`, in place of it.
#[derive(Serialize)]
struct Part<T> {
    all: bool,
    changed: Vec<T>,
}

#[derive(Serialize)]
pub(super) struct Changes {
    /// The `since` of the next request.
    cursor: String,
    /// Devices that have or had accounts, by the age of their last change.
    devices: Part<Device>,
    /// Of the newest calls those that arrived or were answered.
    calls: Part<Call>,
    /// All active faults.
    faults: Value,
    effects: Effects,
}

pub(super) async fn changes(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> Result<Json<Changes>, Refusal> {
    let refusal = || bad("`since` must be the `cursor` of an earlier answer, or be omitted");
    let Query(query) = query.map_err(|_| refusal())?;
    let since = query.since.as_deref().map(Cursor::from_str).transpose().map_err(|()| refusal())?;
    Ok(Json(shared.core().changes(shared.run, since, Instant::now())))
}

impl Core {
    fn changes(&mut self, run: u64, since: Option<Cursor>, now: Instant) -> Changes {
        let since = since.filter(|since| since.run == run);
        let effects = self.timeline.effects(now);
        let bindings_era = self.timeline.era();
        let calls_era = self.calls.era();
        let device = since.filter(|since| since.bindings_era == bindings_era).map(|since| since.device);
        let call = since.filter(|since| since.calls_era == calls_era).map(|since| since.call);
        let applied = self.timeline.applied(now);
        let devices = Part { all: device.is_none(), changed: applied.changed_since(device.unwrap_or(0)) };
        let last = applied.last_change();
        let changed = self.calls.changed_since(call.unwrap_or(0), NEWEST_CALLS);
        let cursor = Cursor { run, bindings_era, device: last, calls_era, call: self.calls.last_change() };
        Changes {
            cursor: cursor.to_string(),
            devices,
            calls: Part { all: call.is_none(), changed },
            faults: self.faults.to_json(),
            effects,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let cursor = Cursor { run: u64::MAX, bindings_era: 0, device: 17, calls_era: 2, call: 300 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "1", "1-2-3-4", "1-2-3-4-5-6", "1-2-3-4-x", "1-2-3-4-11111111111111111"] {
            assert_eq!(text.parse::<Cursor>(), Err(()), "{text}");
        }
    }
}
