//! Items: attributes by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value::{AttributeValue, ValueError};

/// An item of a table, its key attribute included, or the map of an `M`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(BTreeMap<String, AttributeValue>);

impl Item {
    /// Without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The item with this attribute: text becomes an `S`, an `i64` or `u64` an `N`, a `Vec` of bytes a `B`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.insert(name, value);
        self
    }

    /// Sets an attribute and gives the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Option<AttributeValue> {
        self.0.insert(name.into(), value.into())
    }

    /// Removes an attribute and gives the value it had.
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
            _ => None,
        }
    }

    /// The attribute `name` if it is an `N`.
    pub fn number(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            AttributeValue::N(number) => Some(number),
            _ => None,
        }
    }

    /// The attributes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The item of JSON such as `{"name": {"S": "text"}}`.
    ///
    /// # Errors
    /// [`ValueError`] for what DynamoDB refuses.
    pub fn from_json(json: &Value) -> Result<Self, ValueError> {
        let fields = json.as_object().ok_or(ValueError::Shape)?;
        let read = |(name, json): (&String, &Value)| Ok((name.clone(), AttributeValue::from_json(json)?));
        Ok(Self(fields.iter().map(read).collect::<Result<_, ValueError>>()?))
    }

    /// The JSON of the item.
    pub fn to_json(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
    }

    /// Its size in bytes as DynamoDB counts it for the limit of 400 KB: names and values.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.size()).sum()
    }
}

impl<N: Into<String>, V: Into<AttributeValue>> FromIterator<(N, V)> for Item {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(attributes: T) -> Self {
        Self(attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
