//! Tables, with each item as it was before its last write.

use std::collections::BTreeMap;

use super::{invalid, item::Item};
use crate::aws::error::ErrorAnswer;

const MAX_KEY_LEN: usize = 2048;

/// A table whose key is one `S` attribute, the partition key.
#[derive(Clone, Debug)]
pub struct Table {
    partition_key: String,
    records: BTreeMap<String, Record>,
}

/// An item as it is and as it was before its last write; `None` where there is or was none.
#[derive(Clone, Debug, Default)]
struct Record {
    now: Option<Item>,
    before: Option<Item>,
}

impl Table {
    pub(in crate::aws) fn new(partition_key: String) -> Self {
        Self { partition_key, records: BTreeMap::new() }
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

    /// Puts an item under `key`, unchecked, and returns the one it replaces: a test may put what a function has to
    /// cope with. Sets the key attribute to `key`. Counts as a write for
    /// [`stale_reads`](crate::RunningAwsApi::stale_reads).
    pub fn put(&mut self, key: impl Into<String>, mut item: Item) -> Option<Item> {
        let key = key.into();
        item.insert(&self.partition_key, key.as_str());
        self.write(&key, Some(item))
    }

    /// Changes every item in place, and what a stale read may return in its stead: no write. So a test moves the times in
    /// the items where it can't move the clock of the function that wrote them.
    pub fn change_all(&mut self, change: impl FnMut(&mut Item)) {
        let items = self.records.values_mut().flat_map(|record| [&mut record.now, &mut record.before]);
        items.flatten().for_each(change);
    }

    /// Deletes the item under `key` and returns it; a write, too.
    pub fn remove(&mut self, key: &str) -> Option<Item> {
        self.get(key)?;
        self.write(key, None)
    }

    pub(super) fn write(&mut self, key: &str, item: Option<Item>) -> Option<Item> {
        let record = self.records.entry(key.to_owned()).or_default();
        record.before = std::mem::replace(&mut record.now, item);
        record.before.clone()
    }

    /// The item that an eventually consistent read may still return.
    pub(super) fn get_stale(&self, key: &str) -> Option<&Item> {
        self.records.get(key)?.before.as_ref()
    }

    pub(super) fn partition_key(&self) -> &str {
        &self.partition_key
    }

    /// The text of a `Key`.
    pub(super) fn key_of<'a>(&self, key: &'a Item) -> Result<&'a str, ErrorAnswer> {
        let text = key.text(&self.partition_key).filter(|_| key.len() == 1);
        let text = text.ok_or_else(|| invalid("the key does not match the schema"))?;
        match text.len() {
            1..=MAX_KEY_LEN => Ok(text),
            len => Err(invalid(format!("a key has 1 to {MAX_KEY_LEN} bytes, not {len}"))),
        }
    }
}
