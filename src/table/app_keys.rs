//! The name in the keys of an app's rows. An app is its AccessID at its access point: renamed, it keeps its rows; at
//! another access point, where TPNS knows nothing of its devices, it has others.
//!
//! ```text
//! pk      attributes
//! apps    app:<AccessID>@<access point>   the name that the keys of its rows hold
//!         revision                        how often the row was written
//! ```
//!
//! The row never expires. An app is added to it under the name it has then, which is what rows were keyed by before
//! there was this row.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{Attributes, Unreadable};
use crate::{apps::AppNames, tpns::Apps};

/// The key of the row.
pub(super) const APPS: &str = "apps";
pub(super) const REVISION: &str = "revision";
const APP: &str = "app:";

/// The names in the keys of the rows of a document's apps.
#[derive(Debug)]
pub(super) struct AppKeys {
    /// By the apps' places in the document.
    pub(super) names: AppNames,
    apps: Arc<Apps>,
}

/// What the row says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AppsRow {
    /// 0 while there is no row.
    pub(super) revision: u64,
    names: BTreeMap<String, String>,
}

/// An app that is not in the row: the attribute for it, and its value.
pub(super) type Added = (String, String);

impl AppKeys {
    pub(super) fn new(names: AppNames, apps: Arc<Apps>) -> Self {
        Self { names, apps }
    }

    /// Whether they are those of these apps, which may have other names and keys by now.
    pub(super) fn fit(&self, apps: &Arc<Apps>) -> bool {
        Arc::ptr_eq(&self.apps, apps) || self.apps.are_the_same(apps)
    }
}

impl AppsRow {
    pub(super) fn read(row: &Attributes) -> Result<Self, Unreadable> {
        let number = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
        let revision = match row.get(REVISION) {
            Some(value) => number(value).ok_or(Unreadable(REVISION))?,
            None => 0,
        };
        let mut names = BTreeMap::new();
        for (attribute, value) in row.iter().filter(|(attribute, _)| attribute.starts_with(APP)) {
            let name = value.as_s().map_err(|_| Unreadable("app:…"))?;
            names.insert(attribute.clone(), name.clone());
        }
        // Two apps with the same rows would undo each other's logouts.
        let distinct: BTreeSet<_> = names.values().collect();
        if distinct.len() < names.len() || (revision == 0 && !names.is_empty()) {
            return Err(Unreadable("app:…"));
        }
        Ok(Self { revision, names })
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
