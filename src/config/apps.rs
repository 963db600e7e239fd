//! The apps document: which TPNS apps there are, where each lives and how it is signed for.

use std::fmt;

use aws_lc_rs::hmac;
use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::tpns::{Endpoint, SigningKey};

/// The place of an app in the apps document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u16);

/// The configured apps' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppNames(Vec<String>);

/// The configured apps.
#[derive(Debug)]
pub struct Apps {
    /// Their names, in the document's order.
    pub names: AppNames,
    /// The apps, by [`AppId`].
    pub list: Vec<App>,
}

/// One TPNS app.
#[derive(Clone, Debug)]
pub struct App {
    /// Where its calls go.
    pub endpoint: Endpoint,
    /// What signs them.
    pub key: SigningKey,
}

impl AppNames {
    /// Names in the order of their ids.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The app of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AppId> {
        self.0.iter().position(|own| own == name).and_then(Self::id)
    }

    /// The app, when there is but one.
    #[must_use]
    pub fn only(&self) -> Option<AppId> {
        (self.0.len() == 1).then_some(AppId(0))
    }

    /// Every app.
    pub fn ids(&self) -> impl Iterator<Item = AppId> {
        (0..self.0.len()).filter_map(Self::id)
    }

    /// The app's name.
    #[must_use]
    pub fn name(&self, id: AppId) -> &str {
        self.0.get(usize::from(id.0)).map_or("?", String::as_str)
    }

    fn id(index: usize) -> Option<AppId> {
        u16::try_from(index).ok().map(AppId)
    }
}

impl App {
    /// What tells it from every other app, whatever its name: `<AccessID>@<access point>`.
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

    /// These apps, each as a newer document has it under its name; `None` unless one of them has another AccessID or
    /// access point there.
    #[must_use]
    pub fn moved(&self, newer: &Self) -> Option<Self> {
        let newer = self.names.ids().zip(&self.list).map(|(id, own)| newer.by_name(self.names.name(id)).unwrap_or(own));
        let moved = Self { names: self.names.clone(), list: newer.cloned().collect() };
        (!moved.are_the_same(self)).then_some(moved)
    }

    /// Reads the apps document.
    ///
    /// # Errors
    /// What to mend, in words that hold no value of the document.
    pub fn parse(document: &str) -> Result<Self, String> {
        let deserializer = &mut serde_json::Deserializer::from_str(document);
        let Document(entries) = serde_path_to_error::deserialize(deserializer).map_err(|error| explain(&error))?;
        if entries.is_empty() {
            return Err("names no app; add one, e.g. {\"android\":{…}}".into());
        }
        if entries.len() > usize::from(u16::MAX) {
            return Err("names too many apps".into());
        }
        let list = entries.iter().map(|(name, entry)| entry.app(name)).collect::<Result<_, _>>()?;
        Ok(Self { names: AppNames(entries.into_keys().collect()), list })
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
    fn app(&self, name: &str) -> Result<App, String> {
        let endpoint = match (&self.region, &self.endpoint) {
            (Some(region), None) => Endpoint::of_region(region).ok_or_else(|| {
                format!("{name}.region must be one of {}", Endpoint::regions().collect::<Vec<_>>().join(", "))
            }),
            (None, Some(url)) => Endpoint::free(url).map_err(|mend| format!("{name}.endpoint {mend}")),
            (None, None) => {
                Err(format!("{name} has neither region nor endpoint; name the region of the app's access point"))
            }
            (Some(_), Some(_)) => Err(format!("{name} has both region and endpoint; keep one")),
        }?;
        let secret = self.secret_key.expose_secret();
        if secret.is_empty() {
            return Err(format!(
                "{name}.secret_key is empty; copy it from the TPNS console (SecretKey, not AccessKey)"
            ));
        }
        Ok(App {
            endpoint,
            key: SigningKey::new(self.access_id, &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        })
    }
}

/// The document: a JSON object that names no app twice (serde's maps would silently keep the last one's keys).
struct Document(IndexMap<String, Entry>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Document;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of apps by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut entries = IndexMap::new();
                while let Some((name, entry)) = map.next_entry::<String, Entry>()? {
                    if entries.insert(name, entry).is_some() {
                        return Err(de::Error::custom("duplicate app"));
                    }
                }
                Ok(Document(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Names the field and what it must be; serde's message itself could quote a key put in the wrong place.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (inner, path) = (error.inner(), error.path());
    let message = inner.to_string();
    if !inner.is_data() {
        return format!(
            "is not valid JSON (line {}, column {}); check quotes and commas",
            inner.line(),
            inner.column()
        );
    }
    if message.starts_with("duplicate app") {
        return "names an app twice; give each its own name".into();
    }
    let field = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    match (field("missing field `"), field("duplicate field `")) {
        (Some(missing), _) => format!("{path}.{missing} is missing"),
        (_, Some(twice)) => format!("{path}.{twice} stands twice; keep one"),
        _ if message.starts_with("unknown field") => {
            format!(
                "{} is not a field of an app; the fields are access_id, secret_key, and region or endpoint",
                shown(&path.to_string())
            )
        }
        _ => format!(
            "{path} is of the wrong type; access_id is a number, secret_key, region and endpoint are strings, and each app is an object"
        ),
    }
}

/// The path of an unknown field, if it looks like a misspelt name: it could as well be a key put in the wrong place.
fn shown(path: &str) -> &str {
    let field = path.rsplit('.').next().unwrap_or(path);
    let like_a_name = field.len() <= 16 && field.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-');
    if like_a_name { path } else { "a field" }
}
