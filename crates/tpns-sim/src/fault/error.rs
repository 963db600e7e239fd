//! Why a fault is refused.

use thiserror::Error;

/// Why a fault was refused. Every message names the field and what it may be.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FaultError {
    /// A fault is a JSON object.
    #[error(r#"a fault must be an object such as {{"fault":"hang"}}, not {0}"#)]
    NotAnObject(String),
    /// A field of the wrong type or value.
    #[error("field `{field}` must be {wanted}, not {got}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it may be.
        wanted: String,
        /// The value given.
        got: String,
    },
    /// A field that this kind requires.
    #[error("field `{field}` is missing: {wanted}")]
    Missing {
        /// The field.
        field: &'static str,
        /// What it may be.
        wanted: String,
    },
    /// A field this kind does not have.
    #[error("unknown field `{field}`; this fault has {known}")]
    UnknownField {
        /// The field.
        field: String,
        /// The fields it has.
        known: String,
    },
}
