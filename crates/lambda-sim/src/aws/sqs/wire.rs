//! The requests as they come over the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Refusal;
use super::error::SqsError;
use crate::aws::error::CommonError;
use crate::message::{AttributeValue, MessageAttribute};
use crate::queue::{SendError, SendMessage};

/// The only attribute of its own that SQS takes from a sender.
const TRACE_HEADER: &str = "AWSTraceHeader";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Single {
    pub(super) queue_url: Option<String>,
    #[serde(flatten)]
    pub(super) entry: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch {
    pub(super) queue_url: Option<String>,
    pub(super) entries: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: Option<String>,
    string_value: Option<String>,
    binary_value: Option<String>,
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, CommonError> {
    serde_json::from_slice(body).map_err(|_| CommonError::Serialization)
}

impl Entry {
    /// What is to be sent. What the queue itself refuses is left for it to refuse.
    pub(super) fn message(&self) -> Result<SendMessage, Refusal> {
        let mut message = SendMessage::new(self.message_body.as_deref().unwrap_or_default());
        if let Some(seconds) = self.delay_seconds {
            let seconds = u64::try_from(seconds).map_err(|_| SqsError::Send(SendError::Delay))?;
            message = message.delay(Duration::from_secs(seconds));
        }
        if let Some(id) = &self.message_group_id {
            message = message.group(id);
        }
        if let Some(id) = &self.message_deduplication_id {
            message = message.deduplication_id(id);
        }
        for (name, attribute) in &self.message_attributes {
            message = message.attribute(name, attribute.read()?);
        }
        for (name, attribute) in self.system_attributes()? {
            match attribute.value {
                AttributeValue::Text(header) if name == TRACE_HEADER && attribute.data_type == "String" => {
                    message = message.trace_header(header);
                }
                _ => return Err(SqsError::SystemAttribute(name).into()),
            }
        }
        Ok(message)
    }

    pub(super) fn system_attributes(&self) -> Result<BTreeMap<String, MessageAttribute>, CommonError> {
        let read = |(name, attribute): (&String, &Attribute)| Ok((name.clone(), attribute.read()?));
        self.message_system_attributes.iter().map(read).collect()
    }
}

impl Attribute {
    /// The attribute with the value that belongs to its type.
    fn read(&self) -> Result<MessageAttribute, CommonError> {
        let data_type = self.data_type.clone().unwrap_or_default();
        let value = if data_type.starts_with("Binary") {
            let base64 = self.binary_value.as_deref().unwrap_or_default();
            AttributeValue::Binary(BASE64.decode(base64.as_bytes()).map_err(|_| CommonError::Serialization)?)
        } else {
            AttributeValue::Text(self.string_value.clone().unwrap_or_default())
        };
        Ok(MessageAttribute { data_type, value })
    }
}
