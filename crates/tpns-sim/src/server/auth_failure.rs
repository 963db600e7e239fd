//! How an authentication failure is answered.

use axum::http::StatusCode;
use clap::ValueEnum;

/// HTTP status of an authentication failure; the body is the same. Both have been reported for TPNS
/// (facts.md, section 4, "HTTP status").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuthFailureStatus {
    /// As for any other ret_code
    #[default]
    #[value(name = "200")]
    Ok,
    /// Forbidden
    #[value(name = "403")]
    Forbidden,
}

impl AuthFailureStatus {
    pub(super) fn code(self) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::Forbidden => StatusCode::FORBIDDEN,
        }
    }
}
