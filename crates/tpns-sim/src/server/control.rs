//! `/_sim`: controls and inspects the simulator. It needs no credentials and is for loopback only.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    changes,
    refusal::{Refusal, bad, error},
    state::{Reset, Shared},
};
use crate::{
    calls::Call,
    codes::RetCode,
    effects::Effects,
    fault::{Fault, FaultError},
    model::Bindings,
};

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/bindings", get(bindings).post(set_bindings))
        .route("/calls", get(calls))
        .route("/changes", get(changes::changes))
        .route("/codes", get(codes))
        .route("/effects", get(effects))
        .route("/faults", get(faults).post(add_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/health", get(health))
        .route("/reset", post(reset))
        .fallback(async || {
            let paths = "GET bindings, POST bindings, GET calls, GET changes, GET codes, GET effects, GET faults, \
                         POST faults, DELETE faults/ID, GET health, POST reset";
            (StatusCode::NOT_FOUND, error(format!("no such path; /_sim has {paths}")))
        })
}

#[derive(Deserialize)]
struct BindingsQuery {
    #[serde(default)]
    flush: u8,
}

async fn bindings(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<BindingsQuery>, QueryRejection>,
) -> Result<Json<BTreeMap<String, Bindings>>, Refusal> {
    let Query(query) = query.map_err(|_| bad("`flush` must be 0 or 1"))?;
    if query.flush > 0 {
        shared.flush().await;
    }
    Ok(Json(shared.bindings()))
}

/// Sets the accounts of the tokens named, all or none; other tokens keep theirs.
async fn set_bindings(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let wanted: BTreeMap<String, Bindings> = serde_json::from_slice(&body)
        .map_err(|error| bad(format!("the body must have the shape of GET /_sim/bindings: {error}")))?;
    let apps = shared.app_names();
    for (app, tokens) in &wanted {
        if !apps.contains(&app.as_str()) {
            return Err(bad(format!("there is no app {app:?}; use one of {}", apps.join(", "))));
        }
        for (token, accounts) in tokens {
            let types: BTreeSet<u32> = accounts.iter().map(|account| account.account_type).collect();
            if types.len() < accounts.len() {
                return Err(bad(format!("token {token:?} has two accounts of one account_type; TPNS allows one")));
            }
        }
    }
    let (mut core, now) = (shared.core(), Instant::now());
    let mut count = 0;
    for (app, tokens) in wanted {
        count += tokens.len();
        for (token, accounts) in tokens {
            core.timeline.set(&app, &token, accounts, now);
        }
    }
    Ok(Json(json!({"tokens": count})))
}

#[derive(Deserialize)]
struct EffectsQuery {
    #[serde(default)]
    settle: u8,
}

async fn effects(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<EffectsQuery>, QueryRejection>,
) -> Result<Json<Effects>, Refusal> {
    let Query(query) = query.map_err(|_| bad("`settle` must be 0 or 1"))?;
    if query.settle > 0 {
        shared.settle().await;
    }
    Ok(Json(shared.effects()))
}

#[derive(Deserialize)]
struct CallsQuery {
    #[serde(default)]
    since: u64,
}

async fn calls(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<CallsQuery>, QueryRejection>,
) -> Result<Json<Vec<Call>>, Refusal> {
    let Query(query) = query.map_err(|_| bad("`since` must be the seq of a call, from 0 up"))?;
    let calls = shared.core().calls.since(query.since);
    Ok(Json(calls))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.core().faults.to_json())
}

async fn remove_fault(
    State(shared): State<Arc<Shared>>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Value>, Refusal> {
    let Path(id) = id.map_err(|_| bad("the id of a fault is a whole number; GET /_sim/faults shows it"))?;
    let mut core = shared.core();
    if !core.faults.remove(id) {
        let message = format!("there is no active fault {id}; GET /_sim/faults lists those there are");
        return Err((StatusCode::NOT_FOUND, error(message)));
    }
    Ok(Json(json!({"faults": core.faults.len()})))
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "apps": shared.app_names()}))
}

/// The codes that TPNS documents for this API, with their messages.
async fn codes() -> Json<BTreeMap<i64, &'static str>> {
    Json(RetCode::DOCUMENTED.into_iter().map(|code| (code.0, code.message())).collect())
}

/// Accepts all faults of an array or none.
async fn add_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let posted: Value = serde_json::from_slice(&body).map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    let faults: Vec<Fault> = match posted {
        Value::Array(posted) => posted
            .into_iter()
            .enumerate()
            .map(|(index, fault)| read_fault(&shared, fault).map_err(|error| bad(format!("fault {index}: {error}"))))
            .collect::<Result<_, _>>()?,
        posted => vec![read_fault(&shared, posted).map_err(|error| bad(error.to_string()))?],
    };
    let mut core = shared.core();
    for fault in faults {
        core.faults.add(fault);
    }
    Ok(Json(json!({"faults": core.faults.len()})))
}

/// Refuses a fault for an app that does not exist: it would never hit, and the test that posted it would wait for ever.
fn read_fault(shared: &Shared, posted: Value) -> Result<Fault, FaultError> {
    let fault = Fault::from_json(posted)?;
    let names = shared.app_names();
    match &fault.scope.app {
        Some(app) if !names.contains(&app.as_str()) => Err(FaultError::Field {
            field: "app",
            wanted: format!("one of {}", names.join(", ")),
            got: format!("{app:?}"),
        }),
        _ => Ok(fault),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetBody {
    #[serde(default)]
    bindings: bool,
    #[serde(default)]
    calls: bool,
    #[serde(default)]
    faults: bool,
}

async fn reset(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let what = if body.trim_ascii().is_empty() {
        Reset::EVERYTHING
    } else {
        let body: ResetBody = serde_json::from_slice(&body)
            .map_err(|error| bad(format!("bindings, calls and faults are true or false: {error}")))?;
        Reset { bindings: body.bindings, calls: body.calls, faults: body.faults }
    };
    shared.reset(what);
    Ok(Json(json!({
        "bindings": what.bindings,
        "calls": what.calls,
        "faults": what.faults,
    })))
}
