//! What all rows depend on: the names in their keys, and the data key that hides accounts in them. An app is its
//! AccessID at its access point: renamed, it keeps its rows; at another access point, where TPNS knows nothing of its
//! devices, it has others.
//!
//! ```text
//! pk      attributes
//! apps    app:<AccessID>@<access point>   the name that the keys of its rows hold
//!         key:<id of a ledger key>        the table's data key, encrypted with that key (seal.rs)
//!         current_key                     the id of the newest of them
//!         sealed_since                    epoch seconds when the table began to have a data key; 0 if it always had one
//!         revision                        how often the row was written
//! ```
//!
//! The row never expires. An app is added to it under the name it has then, which is what rows were keyed by before
//! there was this row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    seal::{RowSeal, Seal},
    unreadable::Unreadable,
    value::{AttributeValue, Attributes},
};
use crate::{
    apps::AppNames,
    tpns::{Apps, LedgerKey, LedgerKeys},
};

/// The key of the row.
pub(super) const APPS: &str = "apps";
pub(super) const REVISION: &str = "revision";
const APP: &str = "app:";
const KEY: &str = "key:";
const CURRENT_KEY: &str = "current_key";
const SEALED_SINCE: &str = "sealed_since";

/// The names in the keys of the rows of a document's apps, and what hides names in the rows.
#[derive(Debug)]
pub(super) struct AppKeys {
    /// By the apps' places in the document.
    pub(super) names: AppNames,
    /// `None` if the document has no keys.
    pub(super) seal: Option<Seal>,
    apps: Arc<Apps>,
}

/// What the row says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AppsRow {
    /// 0 while there is no row.
    pub(super) revision: u64,
    names: BTreeMap<String, String>,
    wrapped: BTreeMap<String, String>,
    current_key: Option<String>,
    sealed_since: Option<u64>,
}

/// An app that is not in the row: the attribute for it, and its value.
pub(super) type Added = (String, String);

/// What has to change in the row for the keys of the document.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rewrapped {
    pub(super) set: Vec<(String, AttributeValue)>,
    pub(super) remove: Vec<String>,
}

impl AppKeys {
    pub(super) fn new(names: AppNames, seal: Option<Seal>, apps: Arc<Apps>) -> Self {
        Self { names, seal, apps }
    }

    /// Whether they are those of these apps, which may have other names and TPNS keys by now.
    pub(super) fn fit(&self, apps: &Arc<Apps>) -> bool {
        Arc::ptr_eq(&self.apps, apps) || (self.apps.are_the_same(apps) && self.apps.ledger_keys == apps.ledger_keys)
    }

    /// What hides the names in the row of this key.
    pub(super) fn row<'a>(&'a self, key: &'a str) -> RowSeal<'a> {
        RowSeal { seal: self.seal.as_ref(), key }
    }
}

impl Rewrapped {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

impl AppsRow {
    /// Whether the table has a data key.
    pub(super) fn has_key(&self) -> bool {
        !self.wrapped.is_empty()
    }

    pub(super) fn read(row: &Attributes) -> Result<Self, Unreadable> {
        let number = |value: &AttributeValue| value.as_n()?.parse().ok();
        let revision = match row.get(REVISION) {
            Some(value) => number(value).ok_or(Unreadable::Format(REVISION))?,
            None => 0,
        };
        let (mut names, mut wrapped) = (BTreeMap::new(), BTreeMap::new());
        for (attribute, value) in row {
            let text = |at_fault| value.as_s().cloned().ok_or(Unreadable::Format(at_fault));
            if attribute.starts_with(APP) {
                names.insert(attribute.clone(), text("app:…")?);
            } else if let Some(id) = attribute.strip_prefix(KEY) {
                wrapped.insert(id.to_owned(), text("key:…")?);
            }
        }
        // Two apps with the same rows would undo each other's logouts.
        let distinct: BTreeSet<_> = names.values().collect();
        if distinct.len() < names.len() || (revision == 0 && !names.is_empty()) {
            return Err(Unreadable::Format("app:…"));
        }
        let since = |value| number(value).ok_or(Unreadable::Format(SEALED_SINCE));
        let sealed_since = row.get(SEALED_SINCE).map(since).transpose()?;
        // Another data key would open nothing that was written with the one that is missing.
        if sealed_since.is_some() == wrapped.is_empty() {
            return Err(Unreadable::Format("key:…"));
        }
        let current_key = row.get(CURRENT_KEY).and_then(|value| value.as_s()).cloned();
        Ok(Self { revision, names, wrapped, current_key, sealed_since })
    }

    /// The table's data key, and what has to change in the row so that each of the document's keys opens it, and none
    /// that was removed from the document. A document that is older than the row removes none. Made at `now`, in
    /// seconds since 1970, if the table has none yet. A table without this row is new, so nothing in it is older than
    /// the key.
    pub(super) fn seal(&self, keys: &LedgerKeys, now: u64) -> Result<(Option<Seal>, Rewrapped), Unreadable> {
        let at_fault = |_| Unreadable::Format("key:…");
        let mut rewrapped = Rewrapped::default();
        if keys.is_empty() {
            return if self.wrapped.is_empty() { Ok((None, rewrapped)) } else { Err(Unreadable::NoKey) };
        }
        let seal = if self.wrapped.is_empty() {
            let since = if self.revision == 0 { 0 } else { now };
            rewrapped.set.push((SEALED_SINCE.to_owned(), AttributeValue::N(since.to_string())));
            Seal::new(since).map_err(at_fault)?
        } else {
            let known = keys.iter().find_map(|key| Some((key, self.wrapped.get(key.id())?)));
            let (key, wrapped) = known.ok_or(Unreadable::NoKey)?;
            let data_key = key.unwrap(wrapped).map_err(at_fault)?;
            Seal::of(data_key, self.sealed_since.unwrap_or_default()).map_err(at_fault)?
        };
        for key in keys.iter().filter(|key| !self.wrapped.contains_key(key.id())) {
            let wrapped = key.wrap(seal.data_key()).map_err(at_fault)?;
            rewrapped.set.push((format!("{KEY}{}", key.id()), AttributeValue::S(wrapped)));
        }
        let current = keys.current().map(LedgerKey::id);
        if self.current_key.as_deref() == current {
            let others = self.wrapped.keys().filter(|id| keys.iter().all(|key| key.id() != *id));
            rewrapped.remove = others.map(|id| format!("{KEY}{id}")).collect();
        } else if let Some(id) = current.filter(|id| !self.wrapped.contains_key(*id)) {
            rewrapped.set.push((CURRENT_KEY.to_owned(), AttributeValue::S(id.to_owned())));
        }
        Ok((Some(seal), rewrapped))
    }

    /// The names in the keys of these apps' rows, and what has to be added to the row first.
    pub(super) fn names(&self, apps: &Apps) -> (AppNames, Vec<Added>) {
        let mut taken: BTreeSet<&str> = self.names.values().map(String::as_str).collect();
        let mut added: Vec<Added> = Vec::new();
        let mut names = Vec::with_capacity(apps.list.len());
        for (id, app) in apps.names.ids().zip(&apps.list) {
            let identity = app.identity();
            let attribute = format!("{APP}{identity}");
            if let Some(name) = self.names.get(&attribute) {
                names.push(name.clone());
                continue;
            }
            let own = apps.names.name(id);
            // The name of a document's app has no @, and the identity is in no other app's name.
            let name = if taken.insert(own) { own.to_owned() } else { format!("{own}@{identity}") };
            added.push((attribute, name.clone()));
            names.push(name);
        }
        (AppNames::new(names), added)
    }
}

#[cfg(test)]
mod tests;
