//! Tables, with what each item was before its last write.

use std::collections::BTreeMap;

use super::error::DynamoError;
use super::item::Item;
use super::value::AttributeValue;

const MAX_KEY_LEN: usize = 2048;

/// A table whose key is one `S` attribute, the partition key.
#[derive(Clone, Debug)]
pub struct Table {
    partition_key: String,
    records: BTreeMap<String, Record>,
}

/// An item as it is and as it was before its last write; `None` when there was none.
#[derive(Clone, Debug, Default)]
struct Record {
    now: Option<Item>,
    before: Option<Item>,
}

impl Table {
    pub(in crate::aws) fn new(partition_key: String) -> Self {
        Self { partition_key, records: BTreeMap::new() }
    }

    /// The name of the key attribute.
    pub fn partition_key(&self) -> &str {
        &self.partition_key
    }

    /// Every item, in the order of the keys.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.records.values().filter_map(|record| record.now.as_ref())
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items().next().is_none()
    }

    /// The item under `key`.
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.records.get(key)?.now.as_ref()
    }

    /// Puts an item under `key`, unchecked, and gives the one it replaces: a test may put what a function is to survive. Its key attribute
    /// is set to `key`. A write like any other to [`stale_reads`](crate::RunningAwsApi::stale_reads).
    pub fn put(&mut self, key: impl Into<String>, mut item: Item) -> Option<Item> {
        let key = key.into();
        item.insert(&self.partition_key, key.as_str());
        self.write(&key, Some(item))
    }

    /// Deletes the item under `key` and gives it; a write, too.
    pub fn remove(&mut self, key: &str) -> Option<Item> {
        self.get(key)?;
        self.write(key, None)
    }

    pub(super) fn write(&mut self, key: &str, item: Option<Item>) -> Option<Item> {
        let record = self.records.entry(key.to_owned()).or_default();
        record.before = std::mem::replace(&mut record.now, item);
        record.before.clone()
    }

    /// What an eventually consistent read may still see.
    pub(super) fn get_stale(&self, key: &str) -> Option<&Item> {
        self.records.get(key)?.before.as_ref()
    }

    /// The text of a `Key`.
    pub(super) fn key_of(&self, key: &Item) -> Result<String, DynamoError> {
        let text = key.text(&self.partition_key).filter(|_| key.len() == 1).ok_or(DynamoError::KeyMismatch)?;
        self.check_key(text)?;
        Ok(text.to_owned())
    }

    /// The text of the key in a whole item.
    pub(super) fn key_in(&self, item: &Item) -> Result<String, DynamoError> {
        let name = &self.partition_key;
        match item.get(name) {
            Some(AttributeValue::S(text)) => {
                self.check_key(text)?;
                Ok(text.clone())
            }
            Some(other) => Err(DynamoError::KeyType { name: name.clone(), actual: other.type_name() }),
            None => Err(DynamoError::KeyMissing(name.clone())),
        }
    }

    fn check_key(&self, text: &str) -> Result<(), DynamoError> {
        match text.len() {
            0 => Err(DynamoError::KeyEmpty(self.partition_key.clone())),
            1..=MAX_KEY_LEN => Ok(()),
            _ => Err(DynamoError::KeyTooLong),
        }
    }
}
