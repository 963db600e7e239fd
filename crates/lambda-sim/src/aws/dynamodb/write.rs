//! `UpdateItem` (DynamoDB API reference).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    expression::{Condition, Placeholders, Update},
    invalid,
    item::{AttributeValue, Item},
    no_table,
    table::Table,
};
use crate::aws::{
    error::{ErrorAnswer, parse},
    operation::Operation,
};

/// An item has this many bytes at most (DynamoDB quotas).
const MAX_ITEM_SIZE: usize = 400 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateItem {
    table_name: String,
    key: Item,
    update_expression: String,
    condition_expression: String,
    expression_attribute_names: BTreeMap<String, String>,
    expression_attribute_values: BTreeMap<String, AttributeValue>,
    return_values: Option<AllNew>,
    return_values_on_condition_check_failure: Option<AllOld>,
}

#[derive(Debug, Deserialize)]
enum AllNew {
    #[serde(rename = "ALL_NEW")]
    AllNew,
}

#[derive(Debug, Deserialize)]
enum AllOld {
    #[serde(rename = "ALL_OLD")]
    AllOld,
}

pub(super) fn update_item(tables: &mut BTreeMap<String, Table>, body: &[u8]) -> Result<Value, ErrorAnswer> {
    let request: UpdateItem = parse(Operation::UpdateItem, body)?;
    let names = Placeholders::new(request.expression_attribute_names);
    let values = Placeholders::new(request.expression_attribute_values);
    let update = Update::parse(&request.update_expression, &names, &values)?;
    let condition = Condition::parse(&request.condition_expression, &names, &values)?;
    names.all_used()?;
    values.all_used()?;
    let table = tables.get_mut(&request.table_name).ok_or_else(no_table)?;
    let key = table.key_of(&request.key)?;
    if update.touches(table.partition_key()) {
        return Err(invalid("the update sets or removes the key"));
    }
    let old = table.get(key);
    // To a condition, an item that does not exist is one without attributes, the key included.
    if !condition.holds(old.unwrap_or(&Item::new())) {
        let shown = old.filter(|_| request.return_values_on_condition_check_failure.is_some());
        let error = ErrorAnswer::new(400, "ConditionalCheckFailedException", "the condition does not hold");
        return Err(ErrorAnswer { item: shown.map(Item::to_json), ..error });
    }
    // A REMOVE alone creates no item, and every other update does.
    let Some(mut item) = old.cloned().or_else(|| (!update.only_removes()).then(|| request.key.clone())) else {
        return Ok(json!({}));
    };
    update.apply(&mut item);
    if item.size() > MAX_ITEM_SIZE {
        return Err(invalid(format!("the item would have more than {MAX_ITEM_SIZE} bytes")));
    }
    let answer = request.return_values.map_or_else(|| json!({}), |_| json!({"Attributes": item}));
    table.write(key, Some(item));
    Ok(answer)
}
