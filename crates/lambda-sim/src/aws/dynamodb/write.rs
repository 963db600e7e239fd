//! `UpdateItem`, `PutItem` and `DeleteItem` (DynamoDB API reference).

use serde_json::{Value, json};

use super::error::DynamoError;
use super::expression::Condition;
use super::item::Item;
use super::table::Table;
use super::wire::{self, Returned, Write};
use super::{MAX_ITEM_SIZE, Tables, find};

pub(super) fn update_item(tables: &mut Tables, body: &[u8]) -> Result<Value, DynamoError> {
    let request: Write = wire::parse(body)?;
    let (name, key) = (request.table_name()?, request.key()?);
    let (returned, on_failure) = (request.returned(true)?, request.returns_on_failure()?);
    let expressions = request.expressions(true)?;
    let table = find(tables, name)?;
    let key = table.key_of(&key)?;
    if let Some(update) = &expressions.update
        && update.touches(table.partition_key())
    {
        return Err(DynamoError::KeyUpdated(table.partition_key().to_owned()));
    }
    let old = table.get(&key);
    check(expressions.condition.as_ref(), old, on_failure)?;
    if let (None, Some(update)) = (old, &expressions.update)
        && update.only_removes()
    {
        // The one update that doesn't create the item it speaks of.
        return Ok(json!({}));
    }
    let mut item = old.cloned().unwrap_or_else(|| Item::new().with(table.partition_key(), key.as_str()));
    if let Some(update) = &expressions.update {
        update.apply(&mut item);
    }
    if item.size() > MAX_ITEM_SIZE {
        return Err(DynamoError::ItemTooLargeToUpdate);
    }
    Ok(write(table, &key, Some(item), returned))
}

pub(super) fn put_item(tables: &mut Tables, body: &[u8]) -> Result<Value, DynamoError> {
    let request: Write = wire::parse(body)?;
    let (name, item) = (request.table_name()?, request.item()?);
    let (returned, on_failure) = (request.returned(false)?, request.returns_on_failure()?);
    if item.size() > MAX_ITEM_SIZE {
        return Err(DynamoError::ItemTooLarge);
    }
    let expressions = request.expressions(false)?;
    let table = find(tables, name)?;
    let key = table.key_in(&item)?;
    check(expressions.condition.as_ref(), table.get(&key), on_failure)?;
    Ok(write(table, &key, Some(item), returned))
}

pub(super) fn delete_item(tables: &mut Tables, body: &[u8]) -> Result<Value, DynamoError> {
    let request: Write = wire::parse(body)?;
    let (name, key) = (request.table_name()?, request.key()?);
    let (returned, on_failure) = (request.returned(false)?, request.returns_on_failure()?);
    let expressions = request.expressions(false)?;
    let table = find(tables, name)?;
    let key = table.key_of(&key)?;
    check(expressions.condition.as_ref(), table.get(&key), on_failure)?;
    Ok(write(table, &key, None, returned))
}

/// A condition sees an item that isn't there as one without attributes, the key included.
fn check(condition: Option<&Condition>, old: Option<&Item>, on_failure: bool) -> Result<(), DynamoError> {
    let nothing = Item::new();
    if condition.is_none_or(|condition| condition.holds(old.unwrap_or(&nothing))) {
        return Ok(());
    }
    Err(DynamoError::ConditionFailed(old.filter(|_| on_failure).cloned()))
}

fn write(table: &mut Table, key: &str, item: Option<Item>, returned: Returned) -> Value {
    let old = table.write(key, item);
    let item = match returned {
        Returned::None => None,
        Returned::Old => old.as_ref(),
        Returned::New => table.get(key),
    };
    item.map_or_else(|| json!({}), |item| json!({"Attributes": item.to_json()}))
}
