//! The event's fields as they appear in JSON.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};

use super::{
    AppName, EventId, Kind, ListedAccount, OccurredAt, Token,
    explain::misspelt,
    names::{EVENT, Misspelt},
    once::once,
};

/// The contract's fields.
#[derive(Debug, Default)]
pub struct EventFields {
    /// What happened; an EventBridge event says it as `detail-type`.
    pub kind: Option<Kind>,
    /// The producer's id.
    pub id: Option<EventId>,
    /// When it happened.
    pub occurred_at: Option<OccurredAt>,
    /// The app's name.
    pub app: Option<AppName>,
    /// The device's token.
    pub token: Option<Token>,
    /// The accounts.
    pub account_list: Option<Vec<ListedAccount>>,
}

/// A field of [`EventFields`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Type,
    Id,
    OccurredAt,
    App,
    Token,
    AccountList,
}

impl Field {
    /// The field of exactly this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "type" => Self::Type,
            "id" => Self::Id,
            "occurred_at" => Self::OccurredAt,
            "app" => Self::App,
            "token" => Self::Token,
            "account_list" => Self::AccountList,
            _ => return None,
        })
    }
}

impl EventFields {
    /// Reads a field's value. Null is none, for nothing says whether "no app" or "every app" is meant; but without a
    /// type an event is rejected anyway.
    pub(crate) fn read<'de, A: MapAccess<'de>>(&mut self, field: Field, map: &mut A) -> Result<(), A::Error> {
        match field {
            Field::Type if self.kind.is_some() => Err(de::Error::duplicate_field("type")),
            Field::Type => {
                self.kind = map.next_value()?;
                Ok(())
            }
            Field::Id => once(&mut self.id, "id", map),
            Field::OccurredAt => once(&mut self.occurred_at, "occurred_at", map),
            Field::App => once(&mut self.app, "app", map),
            Field::Token => once(&mut self.token, "token", map),
            Field::AccountList => once(&mut self.account_list, "account_list", map),
        }
    }
}

impl<'de> Deserialize<'de> for EventFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = EventFields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventFields, A::Error> {
                let mut fields = EventFields::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Field(field) => fields.read(field, &mut map)?,
                        Key::Misspelt(name) => return Err(misspelt(&name)),
                        Key::Unknown => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

enum Key {
    Field(Field),
    Misspelt(Misspelt),
    Unknown,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(match Field::named(name) {
                    Some(field) => Key::Field(field),
                    None => Misspelt::of(name, &EVENT).map_or(Key::Unknown, Key::Misspelt),
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}
