//! `BatchGetItem` (DynamoDB API reference).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{invalid, item::Item, no_table, table::Table};
use crate::aws::{
    error::{ErrorAnswer, parse},
    fault::Fault,
    operation::{Operation, Service},
};

const MAX_KEYS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchGetItem {
    request_items: BTreeMap<String, KeysOfTable>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeysOfTable {
    keys: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
}

pub(super) fn batch_get_item(
    tables: &BTreeMap<String, Table>,
    body: &[u8],
    stale: bool,
    unprocessed: usize,
) -> Result<Value, ErrorAnswer> {
    let BatchGetItem { request_items } = parse(Operation::BatchGetItem, body)?;
    let mut request_items = request_items.into_iter();
    let (Some((name, mut wanted)), None) = (request_items.next(), request_items.next()) else {
        return Err(ErrorAnswer::not_modelled("a BatchGetItem of any number of tables but one"));
    };
    check_keys(&wanted.keys)?;
    let table = tables.get(&name).ok_or_else(no_table)?;
    let stale = stale && !wanted.consistent_read.unwrap_or_default();
    if unprocessed >= wanted.keys.len()
        && let Some(error) = Fault::ProvisionedThroughputExceeded.answer(Service::DynamoDb)
    {
        // The answer to a batch of which nothing could be read.
        return Err(error);
    }
    let left = wanted.keys.split_off(wanted.keys.len() - unprocessed);
    let mut items = Vec::new();
    // DynamoDB promises no order, so the reversed one exposes code that relies on that of the keys.
    for key in wanted.keys.iter().rev() {
        let key = table.key_of(key)?;
        items.extend(if stale { table.get_stale(key) } else { table.get(key) });
    }
    let unprocessed_keys = match left.is_empty() {
        true => json!({}),
        false => json!({&name: KeysOfTable { keys: left, ..wanted }}),
    };
    Ok(json!({"Responses": {name: items}, "UnprocessedKeys": unprocessed_keys}))
}

fn check_keys(keys: &[Item]) -> Result<(), ErrorAnswer> {
    if !(1..=MAX_KEYS).contains(&keys.len()) {
        return Err(invalid(format!("a batch has 1 to {MAX_KEYS} keys, not {}", keys.len())));
    }
    let repeated = keys.iter().enumerate().any(|(n, key)| keys[..n].contains(key));
    if repeated { Err(invalid("the list of keys has duplicates")) } else { Ok(()) }
}
