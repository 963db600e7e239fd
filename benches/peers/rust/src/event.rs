//! Events of the contract.

use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event and the id of its message.
pub struct Message {
    pub id: String,
    pub event: Event,
}

#[derive(Deserialize)]
pub struct Event {
    #[serde(rename = "type")]
    kind: Kind,
    pub app: Option<String>,
    pub token: String,
    /// Milliseconds.
    pub occurred_at: i64,
    /// Goes to TPNS as it is.
    pub account_list: Option<Box<RawValue>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Kind {
    #[serde(rename = "user.login")]
    Login,
    #[serde(rename = "user.logout")]
    Logout,
}

/// What a call does with its items.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperatorType {
    Bind = 2,
    Unbind = 3,
    UnbindAll = 4,
}

impl Event {
    pub fn parse(body: &str) -> Result<Self, Error> {
        let event: Self = serde_json::from_str(body)?;
        match event.kind == Kind::Login && event.account_list.is_none() {
            true => Err("a login without accounts".into()),
            false => Ok(event),
        }
    }

    pub fn operator_type(&self) -> OperatorType {
        match (self.kind, &self.account_list) {
            (Kind::Login, _) => OperatorType::Bind,
            (Kind::Logout, Some(_)) => OperatorType::Unbind,
            (Kind::Logout, None) => OperatorType::UnbindAll,
        }
    }
}
