//! The apps in force: from the environment, or from a Secrets Manager secret that may be rotated at any time.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::digest;
use aws_sdk_secretsmanager::Client;

use crate::{
    aws::AwsError,
    config::{Apps, AppsFrom, ConfigError},
};

const VARIABLE: &str = "TPNS_APPS_SECRET_ID";

/// The apps in force, shared by all invocations of this process.
#[derive(Debug)]
pub struct AppsInForce {
    current: RwLock<Arc<Version>>,
    secret: Option<Secret>,
}

#[derive(Debug)]
struct Secret {
    client: Client,
    id: String,
}

/// The apps, and the digest of the document they were read from.
#[derive(Debug)]
struct Version {
    apps: Arc<Apps>,
    digest: Vec<u8>,
}

impl AppsInForce {
    /// Reads the apps, in Init. `sdk` is asked only if a secret has to be fetched.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the variable and the mend, and holds nothing of the secret.
    pub async fn read(from: AppsFrom, sdk: Option<&aws_config::SdkConfig>) -> Result<Self, ConfigError> {
        match (from, sdk) {
            (AppsFrom::Environment(apps), _) => {
                let version = Version { apps: Arc::new(apps), digest: Vec::new() };
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: None })
            }
            (AppsFrom::Secret(id), Some(sdk)) => {
                let secret = Secret { client: Client::new(sdk), id };
                let version = secret.fetch().await.map_err(|mend| ConfigError::new(VARIABLE, mend))?;
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: Some(secret) })
            }
            (AppsFrom::Secret(_), None) => Err(ConfigError::new(VARIABLE, "needs AWS credentials and a region")),
        }
    }

    /// The apps in force now. An invocation keeps those it began with.
    #[must_use]
    pub fn current(&self) -> Arc<Apps> {
        self.version().apps.clone()
    }

    /// Fetches the secret again, after TPNS refused a key. `None` when there is nothing newer to try: the document is
    /// the one in force, comes from the environment, or can't be had within `limit`.
    pub async fn renewed(&self, limit: Duration) -> Option<Arc<Apps>> {
        let secret = self.secret.as_ref()?;
        let fetched = tokio::time::timeout(limit, secret.fetch()).await;
        match fetched.unwrap_or_else(|_| Err("was not answered in time; the keys in force stay".into())) {
            Ok(version) if version.digest == self.version().digest => None,
            Ok(version) => {
                let apps = version.apps.clone();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
                tracing::info!("the apps' secret was rotated; its new keys are in force");
                Some(apps)
            }
            Err(mend) => {
                tracing::error!("{VARIABLE}: {mend}");
                None
            }
        }
    }

    fn version(&self) -> Arc<Version> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secret {
    async fn fetch(&self) -> Result<Version, String> {
        let answer = self.client.get_secret_value().secret_id(&self.id).send().await.map_err(|error| {
            let what = AwsError::of(&error);
            format!(
                "could not be fetched ({what}); check the id, the role's secretsmanager:GetSecretValue, and the network"
            )
        })?;
        let document = answer
            .secret_string()
            .ok_or_else(|| "has no SecretString; store the apps document as text, not as binary".to_owned())?;
        let apps = Apps::parse(document).map_err(|mend| format!("the secret's document {mend}"))?;
        let digest = digest::digest(&digest::SHA256, document.as_bytes()).as_ref().to_vec();
        Ok(Version { apps: Arc::new(apps), digest })
    }
}
