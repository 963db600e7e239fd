//! The fields of a body, in any of the envelopes.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::event::{BRIDGE, EVENT, EventFields, Field, Invalid, Misspelt, NOTIFICATION};

/// The marks of every envelope and the bare event's fields: one reading shows the shape and, of a bare event,
/// everything.
///
/// The marks stay unread, since to a bare event they are unknown fields, which may hold anything.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) fields: EventFields,
    pub(super) detail_type: Option<&'a RawValue>,
    pub(super) detail: Option<&'a RawValue>,
    pub(super) time: Option<&'a RawValue>,
    pub(super) sns_type: Option<&'a RawValue>,
    pub(super) message: Option<&'a RawValue>,
    pub(super) timestamp: Option<&'a RawValue>,
    pub(super) odd: Odd,
}

/// Names of other fields, which mean something in one envelope and nothing in another.
#[derive(Debug, Default)]
pub(super) struct Odd {
    /// EventBridge's envelope has this one, an event does not.
    pub(super) account: bool,
    /// With `specversion`, the marks of a CloudEvents envelope.
    pub(super) data: bool,
    pub(super) specversion: bool,
    /// Those that are like a field's. As there may be any number of them, not all are kept.
    names: Vec<String>,
}

const MOST_ODD_NAMES: usize = 16;

impl Odd {
    fn note(&mut self, name: OddName) {
        match name {
            OddName::Account => self.account = true,
            OddName::Data => self.data = true,
            OddName::Specversion => self.specversion = true,
            OddName::Like(name) if self.names.len() < MOST_ODD_NAMES => self.names.push(name),
            OddName::Like(_) => {}
        }
    }

    /// Refuses the first of them that is like one of these.
    pub(super) fn misspelt(&self, fields: &[(&'static str, &'static str)]) -> Result<(), Invalid> {
        let misspelt = self.names.iter().find_map(|name| Misspelt::of(name, fields));
        misspelt.map_or(Ok(()), |misspelt| Err(misspelt.refusal()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Body<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
                let mut body = Body::default();
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Field(field) => body.fields.read(field, &mut map)?,
                        Key::DetailType => mark(&mut body.detail_type, "detail-type", &mut map)?,
                        Key::Detail => mark(&mut body.detail, "detail", &mut map)?,
                        Key::Time => mark(&mut body.time, "time", &mut map)?,
                        Key::SnsType => mark(&mut body.sns_type, "Type", &mut map)?,
                        Key::Message => mark(&mut body.message, "Message", &mut map)?,
                        Key::Timestamp => mark(&mut body.timestamp, "Timestamp", &mut map)?,
                        Key::Odd(name) => {
                            body.odd.note(name);
                            _ = map.next_value::<IgnoredAny>()?;
                        }
                        Key::Unknown => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(body)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Leaves the value of a mark unread; null is none.
fn mark<'de, A: MapAccess<'de>>(
    place: &mut Option<&'de RawValue>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(de::Error::duplicate_field(name));
    }
    *place = map.next_value()?;
    Ok(())
}

enum Key {
    Field(Field),
    DetailType,
    Detail,
    Time,
    SnsType,
    Message,
    Timestamp,
    Odd(OddName),
    Unknown,
}

enum OddName {
    Account,
    Data,
    Specversion,
    Like(String),
}

impl Key {
    fn of(name: &str) -> Self {
        if let Some(field) = Field::named(name) {
            return Self::Field(field);
        }
        match name {
            "detail-type" => Self::DetailType,
            "detail" => Self::Detail,
            "time" => Self::Time,
            "Type" => Self::SnsType,
            "Message" => Self::Message,
            "Timestamp" => Self::Timestamp,
            "account" => Self::Odd(OddName::Account),
            "data" | "data_base64" => Self::Odd(OddName::Data),
            "specversion" => Self::Odd(OddName::Specversion),
            _ if LEVELS.iter().any(|fields| Misspelt::of(name, fields).is_some()) => {
                Self::Odd(OddName::Like(name.to_owned()))
            }
            _ => Self::Unknown,
        }
    }
}

/// Whose fields a body may hold.
const LEVELS: [&[(&str, &str)]; 3] = [&EVENT, &BRIDGE, &NOTIFICATION];

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::of(name))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}
