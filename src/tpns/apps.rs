//! The apps document: which TPNS apps there are, where each lives and how it is signed for; and the ledger's keys.

mod check;
mod error;
mod ledger_keys;

use std::fmt;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

pub use error::{AppsError, EntryError};
pub use ledger_keys::{DATA_KEY_LEN, LedgerKey, LedgerKeys, LedgerKeysError};

use contract::{apps::AppNames, json::Object};

use super::{Endpoint, SigningKey};

/// The configured apps.
#[derive(Debug)]
pub struct Apps {
    /// Their names, in the document's order.
    pub names: AppNames,
    /// The apps, by [`crate::apps::AppId`].
    pub list: Vec<App>,
    /// What hides names in the ledger.
    pub ledger_keys: LedgerKeys,
}

/// One TPNS app.
#[derive(Clone, Debug)]
pub struct App {
    /// Where its calls go.
    pub endpoint: Endpoint,
    /// What signs them.
    pub key: SigningKey,
}

impl App {
    /// What distinguishes it from every other app, whatever its name: `<AccessID>@<access point>`.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}@{}", self.key.access_id(), self.endpoint.url().authority())
    }

    /// Whether both are the same app, whatever their keys.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.key.access_id() == other.key.access_id() && self.endpoint == other.endpoint
    }
}

impl Apps {
    /// The app of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&App> {
        self.names.find(name).and_then(|id| self.list.get(usize::from(id.0)))
    }

    /// Whether these are the same apps under the same names in the same order, whatever their keys.
    #[must_use]
    pub fn names_the_same(&self, other: &Self) -> bool {
        self.names == other.names && self.are_the_same(other)
    }

    /// Whether these are the same apps in the same order, whatever their names and keys.
    #[must_use]
    pub fn are_the_same(&self, other: &Self) -> bool {
        self.list.len() == other.list.len() && self.list.iter().zip(&other.list).all(|(own, other)| own.is(other))
    }

    /// These apps, each as a newer document has it under its name; `None` if all of them have the same AccessID and
    /// access point there.
    #[must_use]
    pub fn moved(&self, newer: &Self) -> Option<Self> {
        let list = self.names.ids().zip(&self.list).map(|(id, own)| newer.by_name(self.names.name(id)).unwrap_or(own));
        let list = list.cloned().collect();
        let moved = Self { names: self.names.clone(), list, ledger_keys: newer.ledger_keys.clone() };
        (!moved.are_the_same(self)).then_some(moved)
    }

    /// Reads the apps document.
    ///
    /// # Errors
    /// What to correct, in words that hold no value of the document.
    pub fn parse(document: &str) -> Result<Self, AppsError> {
        let Document(mut entries) = serde_json::from_str(document).map_err(|error| unreadable(&error))?;
        let mut keys = entries.extract_if(.., |(name, _)| name == ledger_keys::NAME);
        let ledger_keys = keys.next().map_or(Ok(LedgerKeys::default()), |(_, member)| LedgerKeys::parse(member))?;
        if keys.next().is_some() {
            return Err(LedgerKeysError::AppearsTwice.into());
        }
        drop(keys);
        if entries.is_empty() {
            return Err(AppsError::NoApp);
        }
        if entries.len() > usize::from(u16::MAX) {
            return Err(AppsError::TooManyApps);
        }
        // All names come first: what follows quotes them.
        entries.iter().enumerate().try_for_each(|(index, (name, _))| check::name(index, name))?;
        let list =
            entries.iter().map(|(name, entry)| Entry::read(name, entry)?.app(name)).collect::<Result<Vec<_>, _>>()?;
        check::distinct(entries.iter().map(|(name, _)| name.as_str()).zip(&list))?;
        Ok(Self { names: AppNames::new(entries.into_iter().map(|(name, _)| name)), list, ledger_keys })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    access_id: u64,
    secret_key: SecretString,
    region: Option<String>,
    endpoint: Option<String>,
}

impl Entry {
    fn read(name: &str, entry: &RawValue) -> Result<Self, AppsError> {
        let deserializer = &mut serde_json::Deserializer::from_str(entry.get());
        let entry: Result<Object<Self>, _> = serde_path_to_error::deserialize(deserializer);
        entry.map(|Object(entry)| entry).map_err(|error| explain(name, &error))
    }

    fn app(&self, name: &str) -> Result<App, AppsError> {
        let of = |path: String| move |error| AppsError::Entry { path, error };
        let endpoint = match (&self.region, &self.endpoint) {
            (Some(region), None) => {
                Endpoint::of_region(region).ok_or(EntryError::Region).map_err(of(format!("{name}.region")))
            }
            (None, Some(url)) => Endpoint::free(url).map_err(EntryError::from).map_err(of(format!("{name}.endpoint"))),
            (None, None) => Err(EntryError::NoEndpoint).map_err(of(name.to_owned())),
            (Some(_), Some(_)) => Err(EntryError::TwoEndpoints).map_err(of(name.to_owned())),
        }?;
        let secret = self.secret_key.expose_secret();
        let usable = match secret {
            "" => Err(EntryError::EmptyKey),
            _ => check::secret_key(secret).map_err(EntryError::from),
        };
        usable.map_err(of(format!("{name}.secret_key")))?;
        Ok(App {
            endpoint,
            key: SigningKey::new(self.access_id, &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        })
    }
}

/// The document: a JSON object of apps by name, each still unread. It keeps apps of the same name, of which serde's
/// maps would silently keep only the last.
struct Document<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Document<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of apps by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Document(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Says why a document can't be read; serde's own message could quote a key put in the wrong place.
fn unreadable(error: &serde_json::Error) -> AppsError {
    if error.is_data() {
        return AppsError::NotAnObject;
    }
    AppsError::NotJson { line: error.line(), column: error.column() }
}

/// Names the field of an app and what it must be; serde's own message could quote a key put in the wrong place.
fn explain(name: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> AppsError {
    let path = match error.path().to_string() {
        path if path == "." => name.to_owned(),
        path => format!("{name}.{path}"),
    };
    if !error.inner().is_data() {
        return AppsError::Entry { path, error: EntryError::NotJson };
    }
    let message = error.inner().to_string();
    let field = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    let (path, error) = match (field("missing field `"), field("duplicate field `")) {
        (Some(missing), _) => (format!("{path}.{missing}"), EntryError::Missing),
        (_, Some(twice)) => (format!("{path}.{twice}"), EntryError::AppearsTwice),
        _ if message.starts_with("unknown field") => (shown(&path).to_owned(), EntryError::Unknown),
        _ => (path, EntryError::WrongType),
    };
    AppsError::Entry { path, error }
}

/// The path of an unknown field, if it looks like a misspelt name: it could as well be a key put in the wrong place.
fn shown(path: &str) -> &str {
    let field = path.rsplit('.').next().unwrap_or(path);
    let like_a_name = field.len() <= 16 && field.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-');
    if like_a_name { path } else { "a field" }
}
