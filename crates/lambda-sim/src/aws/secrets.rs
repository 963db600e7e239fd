//! Secrets and `GetSecretValue` (Secrets Manager API reference), and `GetParameter` (Systems Manager API reference).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::{ErrorAnswer, parse},
    operation::Operation,
};
use crate::{clock::Timestamp, ids};

/// A secret has this many bytes at most (Secrets Manager quotas).
const MAX_SECRET_LEN: usize = 65_536;

/// A secret that Secrets Manager refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Names have 1 to 512 letters, digits and `/_+=.@!-`.
    #[error("{0:?} is not the name of a secret: 1 to 512 letters, digits and /_+=.@!-")]
    Name(String),
    /// 1 to 65,536 bytes.
    #[error("a secret has 1 to 65536 bytes, not {0}")]
    Length(usize),
}

#[derive(Debug)]
struct Secret {
    text: String,
    version: String,
    created: Timestamp,
}

/// By name. A secret has one version, the current one.
#[derive(Debug, Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetSecretValue {
    secret_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetParameter {
    name: String,
    with_decryption: bool,
}

impl Secrets {
    /// Creates a secret, or replaces its value.
    pub(super) fn put(&mut self, name: &str, text: String) -> Result<(), SecretError> {
        let valid = |c: char| c.is_ascii_alphanumeric() || "/_+=.@!-".contains(c);
        if !(1..=512).contains(&name.len()) || !name.chars().all(valid) {
            return Err(SecretError::Name(name.to_owned()));
        }
        if !(1..=MAX_SECRET_LEN).contains(&text.len()) {
            return Err(SecretError::Length(text.len()));
        }
        self.0.insert(name.to_owned(), Secret { text, version: ids::request_id(), created: Timestamp::now() });
        Ok(())
    }

    pub(super) fn get(&self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let GetSecretValue { secret_id: name } = parse(Operation::GetSecretValue, body)?;
        if name.starts_with("arn:") {
            return Err(ErrorAnswer::not_modelled("a secret by its ARN"));
        }
        let absent = || ErrorAnswer::new(400, "ResourceNotFoundException", "there is no such secret");
        let Secret { text, version, created } = self.0.get(&name).ok_or_else(absent)?;
        Ok(json!({
            "ARN": format!("arn:aws:secretsmanager:us-east-2:123456789012:secret:{name}-AbC123"),
            "Name": name,
            "VersionId": version,
            "VersionStages": ["AWSCURRENT"],
            "CreatedDate": created.as_millis() / 1000,
            "SecretString": text,
        }))
    }

    /// Every secret is a parameter of the same name, too.
    pub(super) fn parameter(&self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let GetParameter { name, with_decryption } = parse(Operation::GetParameter, body)?;
        if !with_decryption {
            return Err(ErrorAnswer::not_modelled("a parameter that stays encrypted"));
        }
        let absent = || ErrorAnswer::new(400, "ParameterNotFound", "there is no such parameter");
        let Secret { text, .. } = self.0.get(&name).ok_or_else(absent)?;
        Ok(json!({"Parameter": {"Name": name, "Type": "SecureString", "Value": text, "Version": 1}}))
    }
}
