//! Checks a complete request on its own, without the state that calls share: path, JSON, credentials.

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

/// A checked request: its entry for the log so far, and whether it is admitted.
pub(super) struct Intake {
    pub(super) call: Call,
    pub(super) body: Bytes,
    pub(super) admission: Admission,
}

pub(super) enum Admission {
    /// Not one of TPNS's two paths, or not POST.
    NotServed(StatusCode),
    /// Credentials that TPNS does not accept, and the HTTP status of that answer.
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
    pub(super) fn admit_request(&self, arrival: Arrival<'_>) -> Intake {
        let credentials = credentials(arrival.headers);
        let mut call = Call::arriving(arrival.at_ms, arrival.path, arrival.connection);
        call.user_agent = header(arrival.headers, "User-Agent").map(str::to_owned);
        call.app = auth::claimed(&self.apps, &credentials).map(|app| app.name.clone());
        let admission = match Api::at(arrival.path) {
            None => Admission::NotServed(StatusCode::NOT_FOUND),
            Some(_) if arrival.method != Method::POST => Admission::NotServed(StatusCode::METHOD_NOT_ALLOWED),
            Some(api) => {
                let body = model::parse_json(&arrival.body);
                // Also of a body that is refused for another reason: faults and the log use it.
                call.operator_type = body.as_ref().ok().and_then(operator_type);
                let request = body.and_then(|body| AccountRequest::read(api, body));
                call.items = request.as_ref().map_or(0, |request| request.items().len());
                match self.admit(&credentials, &arrival) {
                    Ok(app) => Admission::Admitted(Admitted { app: app.name.clone(), api, request }),
                    Err(error) => Admission::NotAdmitted(api, error, self.auth_failure_status.code()),
                }
            }
        };
        Intake { call, body: arrival.body, admission }
    }

    fn admit(&self, credentials: &Credentials<'_>, arrival: &Arrival<'_>) -> Result<&App, AuthError> {
        let window =
            TimeWindow { now: i64::try_from(arrival.at_ms / 1000).unwrap_or(i64::MAX), seconds: self.timestamp_window };
        auth::admit(&self.apps, credentials, &arrival.body, window)
    }
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    Credentials {
        access_id: header(headers, "AccessId"),
        time_stamp: header(headers, "TimeStamp"),
        sign: header(headers, "Sign"),
        authorization: header(headers, "Authorization"),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn operator_type(body: &Value) -> Option<i64> {
    body.get("operator_type")?.as_i64()
}
