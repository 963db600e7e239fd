//! The requests as they come over the wire.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::DynamoError;
use super::expression::Expressions;
use super::item::Item;
use crate::aws::error::CommonError;

/// What AWS takes and this API doesn't: refused aloud, for a parameter passed over in silence would be a test that proves nothing.
const NOT_MODELLED: [&str; 7] = [
    "AttributeUpdates",
    "AttributesToGet",
    "ConditionalOperator",
    "Expected",
    "ProjectionExpression",
    "ReturnConsumedCapacity",
    "ReturnItemCollectionMetrics",
];

/// `UpdateItem`, `PutItem` and `DeleteItem`: each uses its part.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Write {
    table_name: Option<String>,
    key: Option<Value>,
    item: Option<Value>,
    update_expression: Option<String>,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<BTreeMap<String, Value>>,
    return_values: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    table_name: Option<String>,
    key: Option<Value>,
    pub(super) consistent_read: Option<bool>,
    expression_attribute_names: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchGet {
    pub(super) request_items: Option<BTreeMap<String, KeysOfTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeysOfTable {
    pub(super) keys: Option<Vec<Value>>,
    pub(super) consistent_read: Option<bool>,
    expression_attribute_names: Option<Value>,
}

/// Which item an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    None,
    Old,
    New,
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynamoError> {
    let request: Value = serde_json::from_slice(body).map_err(|_| CommonError::Serialization)?;
    let tables = request["RequestItems"].as_object().into_iter().flat_map(Map::values);
    for part in std::iter::once(&request).chain(tables) {
        for name in NOT_MODELLED {
            if !part[name].is_null() && part[name] != "NONE" {
                return Err(DynamoError::NotModelled(name.to_owned()));
            }
        }
    }
    Ok(serde_json::from_value(request).map_err(|_| CommonError::Serialization)?)
}

/// The number of keys in the `body` of a `BatchGetItem`; none in what can't be read.
pub(in crate::aws) fn batch_len(body: &[u8]) -> usize {
    let batch: Value = serde_json::from_slice(body).unwrap_or_default();
    let tables = batch["RequestItems"].as_object().into_iter().flat_map(Map::values);
    tables.map(|table| table["Keys"].as_array().map_or(0, Vec::len)).sum()
}

fn required<'a, T>(parameter: Option<&'a T>, at: &str) -> Result<&'a T, DynamoError> {
    parameter.ok_or_else(|| DynamoError::constraint("null", at, "not be null"))
}

impl Write {
    pub(super) fn table_name(&self) -> Result<&str, DynamoError> {
        self.table_name.as_deref().ok_or(DynamoError::Missing("TableName"))
    }

    pub(super) fn key(&self) -> Result<Item, DynamoError> {
        Ok(Item::from_json(required(self.key.as_ref(), "key")?)?)
    }

    pub(super) fn item(&self) -> Result<Item, DynamoError> {
        Ok(Item::from_json(required(self.item.as_ref(), "item")?)?)
    }

    /// The expressions, with every placeholder resolved and used.
    pub(super) fn expressions(&self, updates: bool) -> Result<Expressions, DynamoError> {
        let (names, values) = (self.expression_attribute_names.as_ref(), self.expression_attribute_values.as_ref());
        let update = self.update_expression.as_deref().filter(|_| updates);
        Expressions::read(update, self.condition_expression.as_deref(), names, values, updates)
    }

    /// `ReturnValues`; only an update knows a new item.
    pub(super) fn returned(&self, updates: bool) -> Result<Returned, DynamoError> {
        match self.return_values.as_deref() {
            None | Some("NONE") => Ok(Returned::None),
            Some("ALL_OLD") => Ok(Returned::Old),
            Some("ALL_NEW") if updates => Ok(Returned::New),
            Some(value @ ("UPDATED_OLD" | "UPDATED_NEW")) if updates => Err(DynamoError::NotModelled(value.to_owned())),
            Some("ALL_NEW" | "UPDATED_OLD" | "UPDATED_NEW") => Err(DynamoError::ReturnValues),
            Some(value) => Err(not_in_enum(
                value,
                "returnValues",
                "satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
            )),
        }
    }

    /// `ReturnValuesOnConditionCheckFailure`.
    pub(super) fn returns_on_failure(&self) -> Result<bool, DynamoError> {
        match self.return_values_on_condition_check_failure.as_deref() {
            None | Some("NONE") => Ok(false),
            Some("ALL_OLD") => Ok(true),
            Some(value) => {
                let set = "satisfy enum value set: [ALL_OLD, NONE]";
                Err(not_in_enum(value, "returnValuesOnConditionCheckFailure", set))
            }
        }
    }
}

fn not_in_enum(value: &str, at: &str, set: &str) -> DynamoError {
    DynamoError::constraint(&format!("'{value}'"), at, set)
}

impl Get {
    pub(super) fn table_name(&self) -> Result<&str, DynamoError> {
        self.table_name.as_deref().ok_or(DynamoError::Missing("TableName"))
    }

    pub(super) fn key(&self) -> Result<Item, DynamoError> {
        no_names(self.expression_attribute_names.as_ref())?;
        Ok(Item::from_json(required(self.key.as_ref(), "key")?)?)
    }
}

impl KeysOfTable {
    /// The keys, with the JSON of each for `UnprocessedKeys`.
    pub(super) fn keys(&self, table: &str) -> Result<Vec<(Item, &Value)>, DynamoError> {
        no_names(self.expression_attribute_names.as_ref())?;
        let at = format!("requestItems.{table}.member.keys");
        let keys = required(self.keys.as_ref(), &at)?;
        keys.iter().map(|key| Ok((Item::from_json(key)?, key))).collect()
    }
}

/// Names belong to a projection, and there is none.
fn no_names(names: Option<&Value>) -> Result<(), DynamoError> {
    if names.is_some() { Err(DynamoError::NamesWithoutExpression) } else { Ok(()) }
}
