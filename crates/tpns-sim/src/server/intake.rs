//! What a complete request is, before anything that calls share comes into play: path, JSON,
//! credentials.

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, StatusCode},
};
use serde_json::Value;

use super::state::Shared;
use crate::{
    apps::App,
    auth::{self, AuthError, Credentials, TimeWindow},
    calls::Call,
    fault::Api,
    model::{self, BatchOperate, ItemView, Query, RequestError},
};

/// A complete request.
pub(super) struct Arrival<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Bytes,
    pub(super) connection: u64,
    /// Milliseconds since the epoch.
    pub(super) at_ms: u64,
}

/// A request taken in: what the log is to say of it so far, and how it stands.
pub(super) struct Intake {
    pub(super) call: Call,
    pub(super) body: Bytes,
    pub(super) standing: Standing,
}

pub(super) enum Standing {
    /// Not one of TPNS's two paths, or not POST.
    NotServed(StatusCode),
    /// Credentials TPNS does not take, and the HTTP status to say so under.
    NotAdmitted(Api, AuthError, StatusCode),
    Admitted(Admitted),
}

/// A call that authenticates. Its body may still be refused.
pub(super) struct Admitted {
    pub(super) app: String,
    pub(super) api: Api,
    pub(super) request: Result<AccountRequest, RequestError>,
}

pub(super) enum AccountRequest {
    Operate(BatchOperate),
    Query(Query),
}

impl AccountRequest {
    fn read(api: Api, body: Value) -> Result<Self, RequestError> {
        match api {
            Api::BatchOperate => BatchOperate::try_from(body).map(Self::Operate),
            Api::Query => Query::try_from(body).map(Self::Query),
        }
    }

    pub(super) fn items(&self) -> Vec<ItemView<'_>> {
        match self {
            Self::Operate(operation) => operation.items(),
            Self::Query(query) => query.items(),
        }
    }
}

impl Shared {
    pub(super) fn take_in(&self, arrival: Arrival<'_>) -> Intake {
        let credentials = credentials(arrival.headers);
        let mut call = Call::arriving(arrival.at_ms, arrival.path, arrival.connection);
        call.app = auth::claimed(&self.apps, &credentials).map(|app| app.name.clone());
        let standing = match Api::at(arrival.path) {
            None => Standing::NotServed(StatusCode::NOT_FOUND),
            Some(_) if arrival.method != Method::POST => Standing::NotServed(StatusCode::METHOD_NOT_ALLOWED),
            Some(api) => {
                let body = model::parse_json(&arrival.body);
                // Also of a body that is refused for something else: faults and the log want to know.
                call.operator_type = body.as_ref().ok().and_then(operator_type);
                let request = body.and_then(|body| AccountRequest::read(api, body));
                call.items = request.as_ref().map_or(0, |request| request.items().len());
                match self.admit(&credentials, &arrival) {
                    Ok(app) => Standing::Admitted(Admitted { app: app.name.clone(), api, request }),
                    Err(error) => Standing::NotAdmitted(api, error, self.auth_failure_status.code()),
                }
            }
        };
        Intake { call, body: arrival.body, standing }
    }

    fn admit(&self, credentials: &Credentials<'_>, arrival: &Arrival<'_>) -> Result<&App, AuthError> {
        let window =
            TimeWindow { now: i64::try_from(arrival.at_ms / 1000).unwrap_or(i64::MAX), seconds: self.timestamp_window };
        auth::admit(&self.apps, credentials, &arrival.body, window)
    }
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Credentials {
        access_id: header("AccessId"),
        time_stamp: header("TimeStamp"),
        sign: header("Sign"),
        authorization: header("Authorization"),
    }
}

fn operator_type(body: &Value) -> Option<i64> {
    body.get("operator_type")?.as_i64()
}
