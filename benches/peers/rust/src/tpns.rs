//! One signed call to TPNS.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use lambda_runtime::Error;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::event::{Event, Message, OperatorType};

const TIMEOUT: Duration = Duration::from_secs(3);
const PARTLY_FAILED: i64 = 1_008_026;
const ALL_FAILED: i64 = 1_008_027;

pub struct Tpns {
    client: Client,
    apps: HashMap<String, App>,
}

#[derive(Deserialize)]
struct App {
    access_id: u64,
    secret_key: String,
    endpoint: String,
}

#[derive(Default, Serialize)]
struct Body<'a> {
    operator_type: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_accounts: Vec<TokenAccounts<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_list: Vec<&'a str>,
}

#[derive(Serialize)]
struct TokenAccounts<'a> {
    token: &'a str,
    account_list: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Answer {
    ret_code: i64,
    result: Option<Vec<String>>,
}

impl Tpns {
    /// With the apps of `TPNS_APPS`.
    pub fn from_env() -> Result<Self, Error> {
        let apps = serde_json::from_str(&std::env::var("TPNS_APPS")?)?;
        Ok(Self { client: Client::builder().timeout(TIMEOUT).build()?, apps })
    }

    /// Sends one call with the events of these messages, and returns for each whether TPNS has accepted it.
    pub(crate) async fn call(
        &self,
        app: Option<&str>,
        operator_type: OperatorType,
        messages: &[Message],
    ) -> Result<Vec<bool>, Error> {
        let App { access_id, secret_key, endpoint } = self.app(app)?;
        let access_id = access_id.to_string();
        let body = body(operator_type, messages)?;
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
        let request = self
            .client
            .post(format!("{endpoint}/v3/device/account/batchoperate"))
            .header("Content-Type", "application/json")
            .header("Sign", sign(secret_key, &timestamp, &access_id, &body)?)
            .header("AccessId", access_id)
            .header("TimeStamp", timestamp)
            .body(body);
        let answer: Answer = request.send().await?.json().await?;
        match (answer.ret_code, answer.result) {
            (0, _) => Ok(vec![true; messages.len()]),
            (PARTLY_FAILED | ALL_FAILED, Some(result)) if result.len() == messages.len() => {
                Ok(result.iter().map(|code| matches!(code.as_str(), "0" | "ok")).collect())
            }
            (code, _) => Err(format!("TPNS answered {code}").into()),
        }
    }

    /// The app with this name, or the only one.
    fn app(&self, name: Option<&str>) -> Result<&App, Error> {
        let app = match name {
            Some(name) => self.apps.get(name),
            None => self.apps.values().next().filter(|_| self.apps.len() == 1),
        };
        app.ok_or_else(|| "an unknown app".into())
    }
}

fn body<'a>(operator_type: OperatorType, messages: &'a [Message]) -> serde_json::Result<Vec<u8>> {
    let mut body = Body { operator_type: operator_type as u8, ..Body::default() };
    let events = messages.iter().map(|message| &message.event);
    if operator_type == OperatorType::UnbindAll {
        body.token_list = events.map(|event| event.token.as_str()).collect();
    } else {
        let item =
            |event: &'a Event| TokenAccounts { token: &event.token, account_list: event.account_list.as_deref() };
        body.token_accounts = events.map(item).collect();
    }
    serde_json::to_vec(&body)
}

/// Base64 of the lower-case hex text, not of the digest. TPNS's formula does not say so, but its samples show it.
fn sign(secret_key: &str, timestamp: &str, access_id: &str, body: &[u8]) -> Result<String, Error> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())?;
    mac.update(timestamp.as_bytes());
    mac.update(access_id.as_bytes());
    mac.update(body);
    Ok(BASE64.encode(HEXLOWER.encode(&mac.finalize().into_bytes()).as_bytes()))
}
