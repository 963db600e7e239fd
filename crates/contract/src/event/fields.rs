//! The fields of the contract, each a type that can only hold what the contract allows.
//!
//! An error text here never quotes the value: it may be an account or a token, and it reaches the log.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{self, Expected, Unexpected, Visitor},
};

use super::{
    characters::can_be_seen,
    timestamp::{self, Millis, Unread},
};

/// A text that is shared, not copied, on its way from the event to the call.
pub type Text = Arc<str>;

/// Declares a string field with a rule: the parser, the rule and the words for it stay together.
macro_rules! text_field {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $holds:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text);

        impl $name {
            /// What the field must be, in words for the sender.
            pub const EXPECTED: &'static str = $expected;

            /// The field's text as it came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text itself, shared.
            #[must_use]
            pub fn into_text(self) -> Text {
                self.0
            }

            /// `None` when the text breaks the rule in [`Self::EXPECTED`].
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let holds: fn(&str) -> bool = $holds;
                holds(text).then(|| Self(text.into()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Rule;
                impl Visitor<'_> for Rule {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($name::EXPECTED)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
                    }
                }
                deserializer.deserialize_str(Rule)
            }
        }
    };
}

/// Counts characters, not bytes, and stops as soon as there are too many.
fn has_length(text: &str, least: usize, most: usize) -> bool {
    if text.is_ascii() {
        return (least..=most).contains(&text.len());
    }
    let count = text.chars().take(most + 1).count();
    (least..=most).contains(&count)
}

/// Whether there is nothing but printable ASCII without blanks, as in nearly every token and account: looking at bytes
/// is several times cheaper than looking characters up.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

text_field!(
    /// A TPNS device token.
    Token,
    "a string of 1 to 64 printable ASCII characters without blanks",
    |text| has_length(text, 1, 64) && is_plain(text)
);

text_field!(
    /// The name of an account within its `account_type`.
    AccountName,
    "a string of 1 to 100 characters, none of them invisible, and without white space at its ends",
    |text| has_length(text, 1, 100) && (is_plain(text) || can_be_seen(text))
);

impl AccountName {
    /// A name that has been taken before, maybe when fewer rules held.
    #[must_use]
    pub fn taken_before(text: &str) -> Option<Self> {
        (has_length(text, 1, 100) && !text.contains(char::is_control)).then(|| Self(text.into()))
    }

    /// A name that TPNS shows as bound, whatever rules it breaks: only under this very name can it be unbound.
    #[must_use]
    pub fn as_bound(text: &str) -> Self {
        Self(text.into())
    }
}

text_field!(
    /// The producer's id of the event, the last tie-breaker of the event order. An empty one counts as none.
    EventId,
    "a string of at most 128 characters",
    |text| has_length(text, 0, 128)
);

text_field!(
    /// The name of a configured app.
    AppName,
    "a string that names a configured app",
    |_| true
);

/// When the event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OccurredAt(pub Millis);

impl<'de> Deserialize<'de> for OccurredAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl Visitor<'_> for Rule {
            type Value = OccurredAt;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time with an offset, or an integer of epoch milliseconds")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<OccurredAt, E> {
                timestamp::read(text).map(OccurredAt).map_err(|unread| {
                    let expected: &dyn Expected = match unread {
                        Unread::NoOffset => &"a time with its offset from UTC, such as Z or +08:00",
                        Unread::NoTime => &self,
                    };
                    E::invalid_value(Unexpected::Other("text"), expected)
                })
            }
            fn visit_i64<E: de::Error>(self, millis: i64) -> Result<OccurredAt, E> {
                Ok(OccurredAt(millis))
            }
            fn visit_u64<E: de::Error>(self, millis: u64) -> Result<OccurredAt, E> {
                Millis::try_from(millis)
                    .map(OccurredAt)
                    .map_err(|_| E::invalid_value(Unexpected::Other("number"), &self))
            }
        }
        deserializer.deserialize_any(Rule)
    }
}

/// What happened; the order of the variants is the order at equal times, so that privacy wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `user.login`
    Login,
    /// `user.logout`
    Logout,
    /// `account.deleted`
    Deletion,
}

impl Kind {
    /// What `type` must be, in words for the sender.
    pub const EXPECTED: &'static str = "user.login, user.logout or account.deleted";

    /// Every kind with its name in the contract.
    pub const NAMES: [(&'static str, Self); 3] = [
        (Self::Login.name(), Self::Login),
        (Self::Logout.name(), Self::Logout),
        (Self::Deletion.name(), Self::Deletion),
    ];

    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "user.login",
            Self::Logout => "user.logout",
            Self::Deletion => "account.deleted",
        }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl Visitor<'_> for Rule {
            type Value = Kind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Kind::EXPECTED)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Kind, E> {
                Kind::NAMES
                    .into_iter()
                    .find_map(|(name, kind)| (name == text).then_some(kind))
                    .ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
            }
        }
        deserializer.deserialize_str(Rule)
    }
}
