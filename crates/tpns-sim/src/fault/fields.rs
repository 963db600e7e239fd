//! Reads the fields of a fault by name and type, so that every error can name the field.

use serde_json::{Map, Value};

use super::error::FaultError;

/// The fields that have not been read yet.
pub(super) struct Fields {
    left: Map<String, Value>,
    /// The names read so far: the fields that an unknown one could have been.
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn of(value: Value) -> Result<Self, FaultError> {
        match value {
            Value::Object(left) => Ok(Self { left, known: Vec::new() }),
            other => Err(FaultError::NotAnObject(other.to_string())),
        }
    }

    pub(super) fn whole(&mut self, field: &'static str) -> Result<Option<u64>, FaultError> {
        self.read(field, "a whole number from 0 up", Value::as_u64)
    }

    pub(super) fn signed(&mut self, field: &'static str) -> Result<Option<i64>, FaultError> {
        self.read(field, "a whole number", Value::as_i64)
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Option<String>, FaultError> {
        self.read(field, "a string", |value| value.as_str().map(ToOwned::to_owned))
    }

    pub(super) fn boolean(&mut self, field: &'static str) -> Result<Option<bool>, FaultError> {
        self.read(field, "true or false", Value::as_bool)
    }

    pub(super) fn texts(&mut self, field: &'static str) -> Result<Option<Vec<String>>, FaultError> {
        self.read(field, "an array of strings", |value| {
            let texts = value.as_array()?.iter();
            texts.map(|text| text.as_str().map(ToOwned::to_owned)).collect()
        })
    }

    /// Whether a field that has not been read yet is present and null.
    pub(super) fn is_null(&self, field: &str) -> bool {
        self.left.get(field).is_some_and(Value::is_null)
    }

    /// Reads a field; absent and null are the same. `wanted` says what `convert` accepts.
    pub(super) fn read<T>(
        &mut self,
        field: &'static str,
        wanted: &'static str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, FaultError> {
        self.known.push(field);
        match self.left.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(&value).map(Some).ok_or_else(|| FaultError::Field {
                field,
                wanted: wanted.to_owned(),
                got: value.to_string(),
            }),
        }
    }

    /// Refuses unknown fields: a mistyped restriction would silently hit every call.
    pub(super) fn finish(mut self) -> Result<(), FaultError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(field) => {
                self.known.sort_unstable();
                Err(FaultError::UnknownField { field: field.clone(), known: self.known.join(", ") })
            }
        }
    }
}
