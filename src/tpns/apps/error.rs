//! What is wrong with an apps document. The texts quote nothing but names that have passed the check, for a key may
//! have been pasted anywhere; so serde's own errors, which quote values, are no sources of these.

use std::fmt;

use super::ledger_keys::LedgerKeysError;
use crate::{
    apps::{SEVERAL, UNKNOWN},
    tpns::{Endpoint, EndpointError},
};

pub(super) const LONGEST_NAME: usize = 64;

/// An apps document that can't be used: what to correct, in words that hold no value of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppsError {
    /// JSON, but no object.
    #[error("is not a JSON object; it holds the apps by name, e.g. {{\"android\":{{…}}}}")]
    NotAnObject,
    /// Not JSON.
    #[error("is not valid JSON (line {line}, column {column}); check quotes and commas")]
    NotJson {
        /// Where it ceases to be JSON.
        line: usize,
        /// The same within the line.
        column: usize,
    },
    /// An object without members.
    #[error("names no app; add one, e.g. {{\"android\":{{…}}}}")]
    NoApp,
    /// More apps than there are ids.
    #[error("names more than 65535 apps; remove some")]
    TooManyApps,
    /// A name that metrics or logs can't hold.
    #[error("gives its {0} app {1}; use 1 to {LONGEST_NAME} of A-Z, a-z, 0-9, dot, hyphen and underscore")]
    Name(Ordinal, NameFlaw),
    /// A name that means something else in metrics and logs.
    #[error("gives its {0} app a name that is reserved in metrics ({UNKNOWN}, {SEVERAL}); choose another")]
    ReservedName(Ordinal),
    /// Two apps of the same name.
    #[error("names {0} twice; give each app its own name")]
    NamedTwice(String),
    /// Two apps whose names an event may confuse.
    #[error("gives two apps names that differ only in case, {0} and {1}; rename one")]
    NamesDifferInCase(String, String),
    /// Two names of one app.
    #[error(
        "gives {0} and {1} the same access_id and endpoint, so they are the same TPNS app; keep one of the two names"
    )]
    SameApp(String, String),
    /// The ledger's keys.
    #[error(transparent)]
    LedgerKeys(#[from] LedgerKeysError),
    /// An app, or one of its fields.
    #[error("{path} {error}")]
    Entry {
        /// `<app>` or `<app>.<field>`.
        path: String,
        /// What is wrong with it.
        #[source]
        error: EntryError,
    },
}

/// What is wrong with an app of the document, or with one of its fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A string that is no Unicode, or a number that is too large.
    #[error("is not valid JSON; check its escapes and numbers")]
    NotJson,
    /// A field that is required.
    #[error("is missing")]
    Missing,
    /// A field that is named twice.
    #[error("appears twice; keep one")]
    AppearsTwice,
    /// Another field.
    #[error("is not a field of an app; the fields are access_id, secret_key, and region or endpoint")]
    Unknown,
    /// A value of another type.
    #[error(
        "is of the wrong type; access_id is a number, secret_key, region and endpoint are strings, and each app is an object"
    )]
    WrongType,
    /// Nothing says where TPNS is.
    #[error("has neither region nor endpoint; name the region of the app's access point")]
    NoEndpoint,
    /// Two fields say where TPNS is.
    #[error("has both region and endpoint; keep one")]
    TwoEndpoints,
    /// A region that TPNS does not have.
    #[error("must be one of {}", Endpoint::regions().collect::<Vec<_>>().join(", "))]
    Region,
    /// An endpoint that can't be called.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// No key.
    #[error("is empty; copy it from the TPNS console (SecretKey, not AccessKey)")]
    EmptyKey,
    /// A key with something in it that no key has.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What is wrong with an app's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFlaw {
    /// It has no characters.
    #[error("an empty name")]
    Empty,
    /// It is too long for a metric's dimension.
    #[error("a name of more than {LONGEST_NAME} characters")]
    TooLong,
    /// It has characters that metrics drop.
    #[error("a name with other characters")]
    Characters,
}

/// What is wrong with a SecretKey: it holds characters that no SecretKey has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}; copy the SecretKey from the TPNS console, without anything around it")]
pub struct KeyError {
    /// Where and what.
    #[source]
    pub flaw: KeyFlaw,
}

/// Where a SecretKey has such characters, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFlaw {
    /// At its start.
    #[error("begins with {0}")]
    AtStart(&'static str),
    /// At its end.
    #[error("ends with {0}")]
    AtEnd(&'static str),
    /// At both ends.
    #[error("begins with {0} and ends with {1}")]
    AtBothEnds(&'static str, &'static str),
    /// In between.
    #[error("has {kind} at character {number} of {length}")]
    Inside {
        /// What the character is.
        kind: &'static str,
        /// Its number, from 1.
        number: usize,
        /// Characters of the key.
        length: usize,
    },
}

/// The number of an app in the document, as people say it: `1st`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordinal(pub usize);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n) = *self;
        let suffix = match (n % 100, n % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            _ => "th",
        };
        write!(f, "{n}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_number_is_written_as_people_say_it() {
        let numbers = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(|n| Ordinal(n).to_string());
        assert_eq!(numbers, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    }
}
