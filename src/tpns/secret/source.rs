//! Where the apps document is fetched from.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use tokio::time::Instant;

use super::error::{FetchError, Kind, SecretError};
use crate::{
    aws::{self, Parameters, Tries},
    transport::Transport,
};

/// The type of a parameter that is kept encrypted.
const SECURE_STRING: &str = "SecureString";

#[derive(Debug)]
pub(super) enum Source {
    Secret { client: Client, id: String },
    Parameter { client: Box<Parameters>, name: String },
}

impl Source {
    pub(super) fn secret(id: String, sdk: Option<&SdkConfig>) -> Result<Self, SecretError> {
        let sdk = sdk.ok_or_else(|| Kind::Secret.error(FetchError::NoClient))?;
        Ok(Self::Secret { client: Client::new(sdk), id })
    }

    pub(super) fn parameter(name: String, sdk: Option<&SdkConfig>, transport: &Transport) -> Result<Self, SecretError> {
        let sdk = sdk.ok_or_else(|| Kind::Parameter.error(FetchError::NoClient))?;
        Ok(Self::Parameter { client: Box::new(Parameters::new(sdk, transport)), name })
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Secret { .. } => Kind::Secret,
            Self::Parameter { .. } => Kind::Parameter,
        }
    }

    /// The document as it is now, within `limit`.
    pub(super) async fn fetch(&self, limit: Duration) -> Result<String, SecretError> {
        let (tries, kind) = (Tries::few(Instant::now() + limit), self.kind());
        match self {
            Self::Secret { client, id } => {
                let answer = aws::send(tries, || client.get_secret_value().secret_id(id).send()).await;
                let answer = answer.map_err(|error| kind.refused(aws::failure(&error)))?;
                answer.secret_string.ok_or_else(|| kind.error(FetchError::NoText))
            }
            Self::Parameter { client, name } => {
                let answer = aws::send(tries, || client.get(name)).await;
                let parameter = answer.map_err(|error| kind.refused(aws::failure(&error)))?;
                let encrypted = parameter.r#type == SECURE_STRING;
                encrypted.then_some(parameter.value).ok_or_else(|| kind.error(FetchError::NotEncrypted))
            }
        }
    }
}
