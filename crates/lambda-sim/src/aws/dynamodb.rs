//! A small DynamoDB: `UpdateItem`, `PutItem`, `DeleteItem`, `GetItem` and `BatchGetItem` on tables with a text key (DynamoDB API reference).
//!
//! What the reference leaves open is as AWS-validated tests of dynalite and of ScyllaDB's Alternator recorded it from DynamoDB: wording,
//! what is looked at first, what an expression means.

mod error;
mod expression;
mod item;
mod number;
mod read;
mod table;
mod value;
mod wire;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;

pub use item::Item;
pub use number::NumberError;
pub use table::Table;
pub use value::{AttributeValue, ValueError};

use super::error::ErrorAnswer;
use error::DynamoError;
pub(super) use wire::batch_len;

/// An item has this many bytes at most (DynamoDB quotas).
const MAX_ITEM_SIZE: usize = 400 * 1024;

type Tables = BTreeMap<String, Table>;

#[derive(Debug, Default)]
pub(super) struct DynamoDb {
    pub(super) tables: Tables,
    /// Whether reads that aren't consistent answer with what was before the last write.
    pub(super) stale: bool,
    /// Whether a failed condition never shows the item, whatever the request asks for.
    pub(super) hides_items: bool,
}

impl DynamoDb {
    pub(super) fn update_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let written = write::update_item(&mut self.tables, body);
        Ok(written.map_err(|error| self.shown(error))?)
    }

    pub(super) fn put_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let written = write::put_item(&mut self.tables, body);
        Ok(written.map_err(|error| self.shown(error))?)
    }

    pub(super) fn delete_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let written = write::delete_item(&mut self.tables, body);
        Ok(written.map_err(|error| self.shown(error))?)
    }

    /// The error as this store answers it.
    fn shown(&self, error: DynamoError) -> DynamoError {
        match error {
            DynamoError::ConditionFailed(_) if self.hides_items => DynamoError::ConditionFailed(None),
            error => error,
        }
    }

    pub(super) fn get_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        Ok(read::get_item(&mut self.tables, body, self.stale)?)
    }

    pub(super) fn batch_get_item(&mut self, body: &[u8], unprocessed: usize) -> Result<Value, ErrorAnswer> {
        Ok(read::batch_get_item(&mut self.tables, body, self.stale, unprocessed)?)
    }
}

fn find<'a>(tables: &'a mut Tables, name: &str) -> Result<&'a mut Table, DynamoError> {
    tables.get_mut(name).ok_or(DynamoError::NoTable)
}
