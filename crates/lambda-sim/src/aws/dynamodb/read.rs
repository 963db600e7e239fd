//! `GetItem` and `BatchGetItem` (DynamoDB API reference).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::DynamoError;
use super::item::Item;
use super::table::Table;
use super::wire::{self, BatchGet, Get};
use super::{Tables, find};
use crate::aws::error::CommonError;

const MAX_KEYS: usize = 100;

pub(super) fn get_item(tables: &mut Tables, body: &[u8], stale: bool) -> Result<Value, DynamoError> {
    let request: Get = wire::parse(body)?;
    let (name, key) = (request.table_name()?, request.key()?);
    let table = find(tables, name)?;
    let key = table.key_of(&key)?;
    let item = look_up(table, &key, request.consistent_read, stale);
    Ok(item.map_or_else(|| json!({}), |item| json!({"Item": item.to_json()})))
}

/// The last `unprocessed` keys of the batch come back in `UnprocessedKeys`.
pub(super) fn batch_get_item(
    tables: &mut Tables,
    body: &[u8],
    stale: bool,
    unprocessed: usize,
) -> Result<Value, DynamoError> {
    let request: BatchGet = wire::parse(body)?;
    let request =
        request.request_items.ok_or_else(|| DynamoError::constraint("null", "requestItems", "not be null"))?;
    if request.is_empty() {
        let constraint = "have length greater than or equal to 1";
        return Err(DynamoError::constraint("'{}'", "requestItems", constraint));
    }
    let mut wanted = BTreeMap::new();
    for (name, table) in &request {
        let keys = table.keys(name)?;
        check_keys(&keys, name)?;
        wanted.insert(name.as_str(), keys);
    }
    let total: usize = wanted.values().map(Vec::len).sum();
    if total > MAX_KEYS {
        return Err(DynamoError::TooManyKeys);
    }
    let mut found = Vec::new();
    for (name, keys) in &wanted {
        let table = find(tables, name)?;
        let consistent = request.get(*name).and_then(|keys| keys.consistent_read);
        for (key, json) in keys {
            let key = table.key_of(key)?;
            found.push((*name, *json, consistent, look_up(table, &key, consistent, stale).map(Item::to_json)));
        }
    }
    if unprocessed >= total && unprocessed > 0 {
        // Of a batch of which nothing could be read DynamoDB says so instead.
        return Err(CommonError::ThroughputExceeded.into());
    }
    let left = found.split_off(total.saturating_sub(unprocessed));
    let mut responses: Map<String, Value> = wanted.keys().map(|name| ((*name).to_owned(), json!([]))).collect();
    // DynamoDB promises no order: whoever counts on that of the keys is to notice.
    for (name, _, _, item) in found.into_iter().rev() {
        if let (Some(Value::Array(items)), Some(item)) = (responses.get_mut(name), item) {
            items.push(item);
        }
    }
    Ok(json!({"Responses": responses, "UnprocessedKeys": unprocessed_keys(left)}))
}

type Found<'a> = (&'a str, &'a Value, Option<bool>, Option<Value>);

/// The keys left over, in the shape of a request for them.
fn unprocessed_keys(left: Vec<Found<'_>>) -> Value {
    let mut tables: BTreeMap<&str, (Option<bool>, Vec<&Value>)> = BTreeMap::new();
    for (name, key, consistent, _) in left {
        tables.entry(name).or_insert((consistent, Vec::new())).1.push(key);
    }
    let table = |(name, (consistent, keys)): (&str, (Option<bool>, Vec<&Value>))| {
        let mut table = json!({"Keys": keys});
        if let Some(consistent) = consistent {
            table["ConsistentRead"] = consistent.into();
        }
        (name.to_owned(), table)
    };
    tables.into_iter().map(table).collect()
}

fn check_keys(keys: &[(Item, &Value)], table: &str) -> Result<(), DynamoError> {
    let at = format!("requestItems.{table}.member.keys");
    if keys.is_empty() {
        return Err(DynamoError::constraint("'[]'", &at, "have length greater than or equal to 1"));
    }
    if keys.len() > MAX_KEYS {
        return Err(DynamoError::constraint("'[...]'", &at, "have length less than or equal to 100"));
    }
    let repeated = keys.iter().enumerate().any(|(n, (key, _))| keys[..n].iter().any(|(before, _)| before == key));
    if repeated { Err(DynamoError::DuplicateKeys) } else { Ok(()) }
}

fn look_up<'a>(table: &'a Table, key: &str, consistent: Option<bool>, stale: bool) -> Option<&'a Item> {
    if stale && !consistent.unwrap_or_default() { table.get_stale(key) } else { table.get(key) }
}
