//! Reading the fields of a fault by name and type, so that every refusal can say which field.

use serde_json::{Map, Value};

use super::json::FaultError;

/// The fields not read yet.
pub(super) struct Fields {
    left: Map<String, Value>,
    /// The names asked for so far: what an unknown field could have been.
    asked: Vec<&'static str>,
}

impl Fields {
    pub(super) fn of(value: Value) -> Result<Self, FaultError> {
        match value {
            Value::Object(left) => Ok(Self { left, asked: Vec::new() }),
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

    pub(super) fn truth(&mut self, field: &'static str) -> Result<Option<bool>, FaultError> {
        self.read(field, "true or false", Value::as_bool)
    }

    pub(super) fn texts(&mut self, field: &'static str) -> Result<Option<Vec<String>>, FaultError> {
        self.read(field, "an array of strings", |value| {
            let texts = value.as_array()?.iter();
            texts.map(|text| text.as_str().map(ToOwned::to_owned)).collect()
        })
    }

    /// Whether a field not read yet is there, and null.
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
        self.asked.push(field);
        match self.left.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => convert(&value).map(Some).ok_or_else(|| FaultError::Field {
                field,
                wanted: wanted.to_owned(),
                got: value.to_string(),
            }),
        }
    }

    /// Refuses what nobody asked for: a mistyped restriction would silently hit every call.
    pub(super) fn finish(mut self) -> Result<(), FaultError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(field) => {
                self.asked.sort_unstable();
                Err(FaultError::UnknownField { field: field.clone(), known: self.asked.join(", ") })
            }
        }
    }
}
