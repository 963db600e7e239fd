//! A small DynamoDB: `UpdateItem` and `BatchGetItem` on tables with a text key (DynamoDB API reference).
//!
//! It has what the ledger of `tpns-account-sync` sends, and refuses everything else as not modelled.

mod expression;
mod item;
mod read;
mod record;
mod table;
mod write;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use item::{AttributeValue, Item};
pub use table::Table;

use super::error::ErrorAnswer;
use record::Record;

#[derive(Debug, Default)]
pub(super) struct DynamoDb {
    pub(super) tables: BTreeMap<String, Table>,
    /// Whether reads that are not consistent answer with the item as it was before its last write.
    pub(super) stale: bool,
    /// Whether a failed condition never shows the item, whatever the request asks for.
    pub(super) hides_items: bool,
    record: Record,
}

impl DynamoDb {
    pub(super) fn update_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let before = self.item_of(body);
        let mut written = write::update_item(&mut self.tables, body);
        let after = self.item_of(body);
        self.record.add(|| line(body, written.as_ref(), json!({"before": before, "after": after})));
        if let Err(error) = &mut written
            && self.hides_items
        {
            error.item = None;
        }
        written
    }

    /// The last `unprocessed` keys of the batch come back in `UnprocessedKeys`.
    pub(super) fn batch_get_item(&mut self, body: &[u8], unprocessed: usize) -> Result<Value, ErrorAnswer> {
        let read = read::batch_get_item(&self.tables, body, self.stale, unprocessed);
        // Another DynamoDB does not know the faults of a test.
        if unprocessed == 0 {
            self.record.add(|| line(body, read.as_ref(), json!({})));
        }
        read
    }

    /// The item that an `UpdateItem` is about, for the record.
    fn item_of(&self, body: &[u8]) -> Option<Item> {
        if !self.record.is_on() {
            return None;
        }
        let request: Value = serde_json::from_slice(body).ok()?;
        let table = self.tables.get(request["TableName"].as_str()?)?;
        table.get(request["Key"][table.partition_key()]["S"].as_str()?).cloned()
    }
}

/// A line of the record: `more`, the request, and its answer or the code of its error.
fn line(body: &[u8], answered: Result<&Value, &ErrorAnswer>, mut more: Value) -> Value {
    more["request"] = serde_json::from_slice(body).unwrap_or_default();
    match answered {
        Ok(answer) => more["answer"] = answer.clone(),
        Err(error) => more["code"] = error.code.into(),
    }
    more
}

fn no_table() -> ErrorAnswer {
    ErrorAnswer::new(400, "ResourceNotFoundException", "there is no such table")
}

/// DynamoDB's one code for everything that is wrong with a request.
fn invalid(what: impl Into<String>) -> ErrorAnswer {
    ErrorAnswer::new(400, "ValidationException", what)
}
