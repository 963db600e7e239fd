//! The apps document: which TPNS apps there are, where each lives and how it is signed for.

mod check;

use std::fmt;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    json::Object,
    tpns::{Endpoint, SigningKey},
};

/// In the log and the metrics, the place of an app's name where an event goes to more than one.
pub const SEVERAL: &str = "several";
/// In the log and the metrics, the place of an app's name where the app can't be known.
pub const UNKNOWN: &str = "unknown";

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
        let Document(entries) = serde_json::from_str(document).map_err(|error| unreadable(&error))?;
        if entries.is_empty() {
            return Err("names no app; add one, e.g. {\"android\":{…}}".into());
        }
        if entries.len() > usize::from(u16::MAX) {
            return Err("names more than 65535 apps; remove some".into());
        }
        // All names come first: what follows quotes them.
        entries.iter().enumerate().try_for_each(|(index, (name, _))| check::name(index, name))?;
        let list =
            entries.iter().map(|(name, entry)| Entry::read(name, entry)?.app(name)).collect::<Result<Vec<_>, _>>()?;
        check::distinct(entries.iter().map(|(name, _)| name.as_str()).zip(&list))?;
        Ok(Self { names: AppNames::new(entries.into_iter().map(|(name, _)| name)), list })
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
    fn read(name: &str, entry: &RawValue) -> Result<Self, String> {
        let deserializer = &mut serde_json::Deserializer::from_str(entry.get());
        let entry: Result<Object<Self>, _> = serde_path_to_error::deserialize(deserializer);
        entry.map(|Object(entry)| entry).map_err(|error| explain(name, &error))
    }

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
        check::secret_key(secret).map_err(|flaw| format!("{name}.secret_key {flaw}"))?;
        Ok(App {
            endpoint,
            key: SigningKey::new(self.access_id, &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        })
    }
}

/// The document: a JSON object of apps by name, each still unread. All of them, also those of one name, for serde's maps
/// would silently keep the last one's keys.
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
fn unreadable(error: &serde_json::Error) -> String {
    if error.is_data() {
        return "is not a JSON object; it holds the apps by name, e.g. {\"android\":{…}}".into();
    }
    format!("is not valid JSON (line {}, column {}); check quotes and commas", error.line(), error.column())
}

/// Names the field of an app and what it must be; serde's own message could quote a key put in the wrong place.
fn explain(name: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = match error.path().to_string() {
        path if path == "." => name.to_owned(),
        path => format!("{name}.{path}"),
    };
    if !error.inner().is_data() {
        return format!("{path} is not valid JSON; check its escapes and numbers");
    }
    let message = error.inner().to_string();
    let field = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    match (field("missing field `"), field("duplicate field `")) {
        (Some(missing), _) => format!("{path}.{missing} is missing"),
        (_, Some(twice)) => format!("{path}.{twice} appears twice; keep one"),
        _ if message.starts_with("unknown field") => {
            format!(
                "{} is not a field of an app; the fields are access_id, secret_key, and region or endpoint",
                shown(&path)
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
