//! A check: the devices and deleted accounts whose bindings are to be compared with the ledger later. It is a message
//! of the check queue, `{"checks":[{"app":"android","token":"05da…"},{"app":"android","account":"926@126.com",
//! "account_type":1005}]}`; an omitted `account_type` is 0.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    apps::{AppId, AppNames},
    event::{Account, AccountName, AccountType, Device, Token},
};

/// At most this many keys in one message: about 50 KB, since an account has at most a hundred characters.
pub const MOST_KEYS: usize = 100;

/// What is to be checked, in an app that is given by its name or by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKey<App = AppId> {
    /// A device: it has the accounts it should have.
    Device {
        /// The app.
        app: App,
        /// The device's token.
        token: Token,
    },
    /// A deleted account: no device has it, unless by a newer login.
    Account {
        /// The app.
        app: App,
        /// The account.
        account: Account,
    },
}

impl From<Device> for CheckKey {
    fn from(Device { app, token }: Device) -> Self {
        Self::Device { app, token }
    }
}

impl<App> CheckKey<App> {
    /// The app.
    pub fn app(&self) -> &App {
        match self {
            Self::Device { app, .. } | Self::Account { app, .. } => app,
        }
    }

    /// The same key with its app given in another way.
    pub fn with_app<Other>(self, app: Other) -> CheckKey<Other> {
        match self {
            Self::Device { token, .. } => CheckKey::Device { app, token },
            Self::Account { account, .. } => CheckKey::Account { app, account },
        }
    }
}

/// A body that is not a check. Holds no value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCheck {
    /// No JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// No list of keys.
    #[error("checks: must be an array of 1 to {MOST_KEYS} keys")]
    Keys,
    /// A key that can't be read.
    #[error("checks[{place}]{field}: {field_error}", field = .error.field(), field_error = .error)]
    Key {
        /// Its place in `checks`.
        place: usize,
        /// What is wrong with it.
        error: KeyError,
    },
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an object.
    #[error("must be an object")]
    NotAnObject,
    /// Neither a device nor an account, or both.
    #[error("must have either a token or an account")]
    NotOne,
    /// `app`.
    #[error("must be a string that names an app")]
    App,
    /// `token`.
    #[error("must be {}", Token::EXPECTED)]
    Token,
    /// `account`.
    #[error("must be a string of 1 to 100 characters")]
    Account,
    /// `account_type`.
    #[error("must be an integer from 0 to 4294967295")]
    AccountType,
}

impl KeyError {
    /// The field, as the path to it goes on.
    fn field(self) -> &'static str {
        match self {
            Self::NotAnObject | Self::NotOne => "",
            Self::App => ".app",
            Self::Token => ".token",
            Self::Account => ".account",
            Self::AccountType => ".account_type",
        }
    }
}

/// A key of an app that is not configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("checks[{place}].app: is not configured; name an app of TPNS_APPS, or add it there")]
pub struct UnknownApp {
    /// The key's place in `checks`.
    pub place: usize,
}

#[derive(Serialize)]
struct Message<'a> {
    checks: Vec<WrittenKey<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenKey<'a> {
    Device {
        app: &'a str,
        token: &'a str,
    },
    Account {
        app: &'a str,
        account: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        account_type: Option<u32>,
    },
}

impl<'a, App: AsRef<str>> From<&'a CheckKey<App>> for WrittenKey<'a> {
    fn from(key: &'a CheckKey<App>) -> Self {
        match key {
            CheckKey::Device { app, token } => Self::Device { app: app.as_ref(), token: token.as_str() },
            CheckKey::Account { app, account: Account { account, account_type } } => Self::Account {
                app: app.as_ref(),
                account: account.as_str(),
                account_type: (account_type.0 != 0).then_some(account_type.0),
            },
        }
    }
}

/// The body of a message with these keys, which should be [`MOST_KEYS`] at most.
///
/// # Errors
/// None in practice: the parts are strings and numbers.
pub fn write<App: AsRef<str>>(keys: &[CheckKey<App>]) -> serde_json::Result<String> {
    let checks = keys.iter().map(WrittenKey::from).collect();
    let body = serde_json::to_string(&Message { checks })?;
    // SQS takes these two characters in no body. They can only be within a string, where JSON may escape them.
    Ok(body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

/// Reads the body of a message. A key of an app that is not configured is an error of its own.
///
/// # Errors
/// [`MalformedCheck`], which names the field.
pub fn read(body: &str, apps: &AppNames) -> Result<Vec<Result<CheckKey, UnknownApp>>, MalformedCheck> {
    let Ok(Value::Object(message)) = serde_json::from_str(body) else { return Err(MalformedCheck::NotAnObject) };
    let keys = message.get("checks").and_then(Value::as_array).ok_or(MalformedCheck::Keys)?;
    if !(1..=MOST_KEYS).contains(&keys.len()) {
        return Err(MalformedCheck::Keys);
    }
    let keys = keys.iter().enumerate().map(|(place, key)| {
        let key = read_key(key).map_err(|error| MalformedCheck::Key { place, error })?;
        Ok(match apps.find(key.app()) {
            Some(app) => Ok(key.with_app(app)),
            None => Err(UnknownApp { place }),
        })
    });
    keys.collect()
}

fn read_key(key: &Value) -> Result<CheckKey<&str>, KeyError> {
    let key = key.as_object().ok_or(KeyError::NotAnObject)?;
    let app = text(key, "app").ok_or(KeyError::App)?;
    match (key.contains_key("token"), key.contains_key("account")) {
        (true, false) => {
            let token = text(key, "token").and_then(Token::new).ok_or(KeyError::Token)?;
            Ok(CheckKey::Device { app, token })
        }
        (false, true) => {
            let account = text(key, "account").and_then(AccountName::taken_before).ok_or(KeyError::Account)?;
            let account_type = match key.get("account_type") {
                None => 0,
                Some(number) => {
                    let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
                    number.ok_or(KeyError::AccountType)?
                }
            };
            Ok(CheckKey::Account { app, account: Account { account, account_type: AccountType(account_type) } })
        }
        _ => Err(KeyError::NotOne),
    }
}

fn text<'a>(key: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    key.get(field).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
