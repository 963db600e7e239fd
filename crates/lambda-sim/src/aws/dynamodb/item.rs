//! Items: attributes by name.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;

/// The value of an attribute: of DynamoDB's ten types the two that rows of the ledger have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// `S`: text.
    S(String),
    /// `N`: a number; a whole one here.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    N(i64),
}

impl AttributeValue {
    /// The order of text by its UTF-8 bytes, of numbers by value. Two values of different types have none.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(own), Self::S(other)) => Some(own.cmp(other)),
            (Self::N(own), Self::N(other)) => Some(own.cmp(other)),
            _ => None,
        }
    }

    /// What it counts for in the size of an item. Of a number at least as much as in DynamoDB, which packs the digits.
    fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.to_string().len(),
        }
    }
}

fn as_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format_args!("the number {text:?}")))
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::S(text)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::N(number)
    }
}

/// An item of a table, its key attribute included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item(BTreeMap<String, AttributeValue>);

impl Item {
    /// Without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The item with this attribute: text becomes an `S`, an `i64` an `N`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.insert(name, value);
        self
    }

    /// Sets an attribute and returns its previous value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Option<AttributeValue> {
        self.0.insert(name.into(), value.into())
    }

    /// Removes an attribute and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        self.0.remove(name)
    }

    /// The attribute `name`.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// The attribute `name` if it is an `S`.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            AttributeValue::S(text) => Some(text),
            AttributeValue::N(_) => None,
        }
    }

    /// The attribute `name` if it is an `N`.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            AttributeValue::N(number) => Some(*number),
            AttributeValue::S(_) => None,
        }
    }

    /// The attributes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The JSON of the item: `{"name": {"S": "text"}}`.
    pub fn to_json(&self) -> Value {
        // Maps keyed by text always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Its size in bytes, names and values (DynamoDB developer guide, "DynamoDB item sizes and formats").
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.size()).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
