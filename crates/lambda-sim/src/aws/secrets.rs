//! Secrets and `GetSecretValue` (Secrets Manager API reference; messages as its AWS-validated tests in LocalStack recorded them).

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{CommonError, ErrorAnswer};
use super::operation::Service;
use crate::clock::Timestamp;
use crate::ids;

/// A secret has this many bytes at most (Secrets Manager quotas).
const MAX_SECRET_LEN: usize = 65_536;
const MAX_NAME_LEN: usize = 512;
/// A secret's ARN ends in a hyphen and six characters drawn by AWS.
const SUFFIX_LEN: usize = 6;

/// A secret that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Names have 1 to 512 letters, digits and `/_+=.@!-`.
    #[error("{0:?} is no name of a secret: 1 to 512 letters, digits and /_+=.@!-")]
    Name(String),
    /// 1 to 65,536 bytes.
    #[error("a secret has 1 to 65536 bytes, not {0}")]
    Length(usize),
}

/// What a secret holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// `SecretString`.
    Text(String),
    /// `SecretBinary`.
    Binary(Vec<u8>),
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for SecretValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

#[derive(Debug)]
struct Secret {
    arn: String,
    name: String,
    /// The last one is `AWSCURRENT`, the one before it `AWSPREVIOUS`.
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    id: String,
    created: Timestamp,
    value: SecretValue,
}

impl Secret {
    /// By name, by ARN, or by ARN without the suffix.
    fn is(&self, id: &str) -> bool {
        let partial = self.arn.len() - SUFFIX_LEN - 1;
        id == self.name || id == self.arn || Some(id) == self.arn.get(..partial)
    }

    fn stages(&self, position: usize) -> &'static [&'static str] {
        match self.versions.len() - position {
            1 => &["AWSCURRENT"],
            2 => &["AWSPREVIOUS"],
            _ => &[],
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<Secret>);

impl Secrets {
    /// Makes a secret, or a new version of it, and gives the version's id.
    pub(super) fn put(&mut self, id: &str, value: SecretValue, now: Timestamp) -> Result<String, SecretError> {
        let len = match &value {
            SecretValue::Text(text) => text.len(),
            SecretValue::Binary(bytes) => bytes.len(),
        };
        if !(1..=MAX_SECRET_LEN).contains(&len) {
            return Err(SecretError::Length(len));
        }
        let position = match self.0.iter().position(|secret| secret.is(id)) {
            Some(position) => position,
            None => {
                let (arn, name) = named(id)?;
                self.0.push(Secret { arn, name, versions: Vec::new() });
                self.0.len() - 1
            }
        };
        let version = Version { id: ids::request_id(), created: now, value };
        let id = version.id.clone();
        self.0[position].versions.push(version);
        Ok(id)
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|secret| !secret.is(id));
        self.0.len() < before
    }

    pub(super) fn get(&self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let common = |error: CommonError| error.answer(Service::SecretsManager);
        let request: GetSecretValue = serde_json::from_slice(body).map_err(|_| common(CommonError::Serialization))?;
        Ok(self.find(&request)?)
    }

    fn find(&self, request: &GetSecretValue) -> Result<Value, Refusal> {
        let id = request.secret_id.as_deref().filter(|id| !id.is_empty()).ok_or(Refusal::NoId)?;
        let secret = self.0.iter().find(|secret| secret.is(id)).ok_or(Refusal::NoSecret)?;
        let stage = request.version_stage.as_deref();
        let has = |position: usize, stage: &str| secret.stages(position).contains(&stage);
        let position = match &request.version_id {
            Some(version) => {
                let found = secret.versions.iter().position(|own| own.id == *version);
                let found = found.ok_or_else(|| Refusal::NoVersion(format!("VersionId: {version}")))?;
                if stage.is_some_and(|stage| !has(found, stage)) {
                    return Err(Refusal::OtherStage);
                }
                found
            }
            None => {
                let stage = stage.unwrap_or("AWSCURRENT");
                let found = (0..secret.versions.len()).find(|position| has(*position, stage));
                found.ok_or_else(|| Refusal::NoVersion(format!("staging label: {stage}")))?
            }
        };
        let version = &secret.versions[position];
        #[expect(clippy::cast_precision_loss, reason = "a timestamp on the wire is a JSON number of seconds")]
        let created = version.created.as_millis() as f64 / 1000.0;
        let mut answer = json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": secret.stages(position),
            "CreatedDate": created,
        });
        match &version.value {
            SecretValue::Text(text) => answer["SecretString"] = text.as_str().into(),
            SecretValue::Binary(bytes) => answer["SecretBinary"] = BASE64.encode(bytes).into(),
        }
        Ok(answer)
    }
}

/// ARN and name of a new secret called `id`, which is its name or its ARN.
fn named(id: &str) -> Result<(String, String), SecretError> {
    let of_arn = id.starts_with("arn:").then(|| id.split_once(":secret:")).flatten();
    let (arn, name) = match of_arn {
        Some((_, rest)) => match rest.len().checked_sub(SUFFIX_LEN + 1).and_then(|at| rest.split_at_checked(at)) {
            Some((name, suffix)) if suffix.starts_with('-') && alphanumeric(&suffix[1..]) => (id.to_owned(), name),
            _ => (format!("{id}-{}", suffix()), rest),
        },
        None => (format!("arn:aws:secretsmanager:us-east-2:123456789012:secret:{id}-{}", suffix()), id),
    };
    let valid = |c: char| c.is_ascii_alphanumeric() || "/_+=.@!-".contains(c);
    if name.is_empty() || name.len() > MAX_NAME_LEN || !name.chars().all(valid) {
        return Err(SecretError::Name(name.to_owned()));
    }
    Ok((arn, name.to_owned()))
}

fn alphanumeric(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn suffix() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(SUFFIX_LEN).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("You must provide a SecretId.")]
    NoId,
    #[error("Secrets Manager can't find the specified secret.")]
    NoSecret,
    #[error("Secrets Manager can't find the specified secret value for {0}")]
    NoVersion(String),
    #[error("You provided a VersionStage that is not associated to the provided VersionId.")]
    OtherStage,
}

impl From<Refusal> for ErrorAnswer {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::NoId => "InvalidParameterException",
            Refusal::NoSecret | Refusal::NoVersion(_) => "ResourceNotFoundException",
            Refusal::OtherStage => "InvalidRequestException",
        };
        Self { status: 400, kind, code: kind, message: refusal.to_string(), item: None }
    }
}
