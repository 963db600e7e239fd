//! What `/_sim` answers to a request that it refuses.

use axum::{Json, http::StatusCode};
use serde_json::{Value, json};

/// The status, and what is wrong.
pub(super) type Refusal = (StatusCode, Json<Value>);

/// A request that can't be used.
pub(super) fn bad(message: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, error(message))
}

/// The body of a refusal.
pub(super) fn error(message: impl Into<String>) -> Json<Value> {
    Json(json!({"error": message.into()}))
}
