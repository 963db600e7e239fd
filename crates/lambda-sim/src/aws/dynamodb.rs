//! A small DynamoDB: `UpdateItem` and `BatchGetItem` on tables with a text key (DynamoDB API reference).
//!
//! It has what the ledger of `tpns-account-sync` sends, and refuses everything else as not modelled.

mod expression;
mod item;
mod read;
mod table;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;

pub use item::{AttributeValue, Item};
pub use table::Table;

use super::error::ErrorAnswer;

#[derive(Debug, Default)]
pub(super) struct DynamoDb {
    pub(super) tables: BTreeMap<String, Table>,
    /// Whether reads that are not consistent answer with the item as it was before its last write.
    pub(super) stale: bool,
    /// Whether a failed condition never shows the item, whatever the request asks for.
    pub(super) hides_items: bool,
}

impl DynamoDb {
    pub(super) fn update_item(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let mut written = write::update_item(&mut self.tables, body);
        if let Err(error) = &mut written
            && self.hides_items
        {
            error.item = None;
        }
        written
    }

    /// The last `unprocessed` keys of the batch come back in `UnprocessedKeys`.
    pub(super) fn batch_get_item(&self, body: &[u8], unprocessed: usize) -> Result<Value, ErrorAnswer> {
        read::batch_get_item(&self.tables, body, self.stale, unprocessed)
    }
}

fn no_table() -> ErrorAnswer {
    ErrorAnswer::new(400, "ResourceNotFoundException", "there is no such table")
}

/// DynamoDB's one code for everything that is wrong with a request.
fn invalid(what: impl Into<String>) -> ErrorAnswer {
    ErrorAnswer::new(400, "ValidationException", what)
}
