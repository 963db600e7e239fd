//! The apps document: which apps exist, and what they authenticate with.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use thiserror::Error;

/// One TPNS app: TPNS gives Android and iOS an app each.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// The name the function's configuration gives it, such as `android`.
    pub name: String,
    /// `AccessId` of the request headers.
    pub access_id: u64,
    /// Key of the signature, and password of Basic authentication.
    pub secret_key: String,
}

/// Omits the secret, so that no log or assertion can print it.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.name).field("access_id", &self.access_id).finish_non_exhaustive()
    }
}

/// The configured apps, at least one, each with an `AccessId` of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apps(Vec<App>);

/// Why apps were refused. No message ever contains a secret key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AppsError {
    /// Not JSON; `line` and `column` count from 1.
    #[error("the apps document is not JSON at line {line}, column {column}; check its quotes and commas")]
    NotJson {
        /// Line of the first error.
        line: usize,
        /// Column of the first error.
        column: usize,
    },
    /// JSON, but not an object of objects.
    #[error(r#"the apps document must be an object such as {{"android":{{"access_id":1500001048,"secret_key":"…"}}}}"#)]
    NotAnObject,
    /// No app at all.
    #[error("there is no app; add at least one with its access_id and secret_key")]
    Empty,
    /// A field of an app is missing or invalid.
    #[error("app `{app}`: `{field}` {remedy}")]
    Field {
        /// The app's name.
        app: String,
        /// The offending field.
        field: &'static str,
        /// What to put there.
        remedy: &'static str,
    },
    /// Two apps that no request could distinguish.
    #[error("apps `{first}` and `{second}` share access_id {access_id}; give each its own")]
    SharedAccessId {
        /// The app named first.
        first: String,
        /// The app named second.
        second: String,
        /// What they share.
        access_id: u64,
    },
    /// The same name twice.
    #[error("app `{0}` appears twice; give each app its own name")]
    SharedName(String),
}

impl Apps {
    /// Checks a list of apps.
    ///
    /// # Errors
    /// When it is empty, or two of them share a name or an `AccessId`, or a secret is empty.
    pub fn new(apps: impl IntoIterator<Item = App>) -> Result<Self, AppsError> {
        let apps: Vec<App> = apps.into_iter().collect();
        if apps.is_empty() {
            return Err(AppsError::Empty);
        }
        let mut by_id: BTreeMap<u64, &str> = BTreeMap::new();
        for (index, app) in apps.iter().enumerate() {
            if app.secret_key.is_empty() {
                return Err(field(&app.name, "secret_key", "must not be empty"));
            }
            if apps[..index].iter().any(|other| other.name == app.name) {
                return Err(AppsError::SharedName(app.name.clone()));
            }
            if let Some(first) = by_id.insert(app.access_id, &app.name) {
                return Err(AppsError::SharedAccessId {
                    first: first.to_owned(),
                    second: app.name.clone(),
                    access_id: app.access_id,
                });
            }
        }
        Ok(Self(apps))
    }

    /// Reads the function's own apps document: `{"<name>":{"access_id":…,"secret_key":"…"}}`.
    /// `region`, `endpoint` and unknown keys are ignored; here every app lives at one host.
    ///
    /// # Errors
    /// Names the app and the field, and says what to do; never prints a value.
    pub fn from_json(text: &str) -> Result<Self, AppsError> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| AppsError::NotJson { line: error.line(), column: error.column() })?;
        let Value::Object(document) = document else {
            return Err(AppsError::NotAnObject);
        };
        // Of the ledger's keys a TPNS knows nothing.
        let apps = document.iter().filter(|(name, _)| *name != "ledger_keys");
        let apps: Result<Vec<App>, AppsError> = apps.map(|(name, app)| read(name, app)).collect();
        Self::new(apps?)
    }

    /// The app an `AccessId` header names.
    #[must_use]
    pub fn by_access_id(&self, access_id: &str) -> Option<&App> {
        self.0.iter().find(|app| app.access_id.to_string() == access_id)
    }

    /// The apps, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter()
    }
}

fn read(name: &str, app: &Value) -> Result<App, AppsError> {
    let Value::Object(app) = app else {
        return Err(AppsError::NotAnObject);
    };
    let access_id = app.get("access_id").and_then(Value::as_u64).ok_or(field(
        name,
        "access_id",
        "must be a whole number such as 1500001048, without quotes",
    ))?;
    let secret_key = app.get("secret_key").and_then(Value::as_str).ok_or(field(
        name,
        "secret_key",
        "must be the text of the app's SecretKey (not its AccessKey)",
    ))?;
    Ok(App { name: name.to_owned(), access_id, secret_key: secret_key.to_owned() })
}

fn field(app: &str, field: &'static str, remedy: &'static str) -> AppsError {
    AppsError::Field { app: app.to_owned(), field, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Apps::from_json(text).expect_err("must be refused").to_string()
    }

    #[test]
    fn the_functions_own_document_is_read_and_its_other_keys_ignored() {
        let apps = Apps::from_json(
            r#"{"android":{"access_id":1500001048,"secret_key":"s1","region":"guangzhou"},
                "ios":{"access_id":1600001049,"secret_key":"s2","endpoint":"https://x","new":[]}}"#,
        )
        .expect("a good document");
        assert_eq!(apps.by_access_id("1600001049").map(|app| &*app.name), Some("ios"));
        assert_eq!(apps.by_access_id("1600001050"), None);
        assert_eq!(apps.iter().count(), 2);
    }

    #[test]
    fn every_refusal_names_the_field_and_says_what_to_do() {
        assert!(refusal("{").contains("not JSON at line 1"));
        assert!(refusal("[]").contains("must be an object"));
        assert!(refusal(r#"{"a":1}"#).contains("must be an object"));
        assert!(refusal("{}").contains("at least one"));
        assert!(
            refusal(r#"{"ios":{"access_id":"1","secret_key":"s"}}"#)
                .contains("app `ios`: `access_id` must be a whole number")
        );
        assert!(refusal(r#"{"ios":{"access_id":1}}"#).contains("`secret_key` must be the text"));
        assert!(refusal(r#"{"ios":{"access_id":1,"secret_key":""}}"#).contains("must not be empty"));
        assert!(
            refusal(r#"{"a":{"access_id":1,"secret_key":"s"},"b":{"access_id":1,"secret_key":"t"}}"#)
                .contains("`a` and `b` share access_id 1")
        );
    }

    #[test]
    fn a_secret_reaches_neither_an_error_nor_a_debug_text() {
        let text = r#"{"ios":{"access_id":"hunter2","secret_key":"hunter2"}}"#;
        assert!(!refusal(text).contains("hunter2"));
        let apps = Apps::from_json(r#"{"ios":{"access_id":1,"secret_key":"hunter2"}}"#);
        assert!(!format!("{apps:?}").contains("hunter2"));
    }
}
