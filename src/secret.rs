//! The apps in force: from the environment, or from a Secrets Manager secret that may be changed at any time.

mod freshness;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use aws_lc_rs::digest;
use aws_sdk_secretsmanager::{
    Client,
    config::{Builder, retry::RetryConfig},
};

pub use freshness::Needs;
use freshness::{Freshness, Moment};

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
    freshness: Mutex<Freshness>,
}

/// The apps, and the digest of the document they were read from.
#[derive(Debug)]
struct Version {
    apps: Arc<Apps>,
    digest: Vec<u8>,
}

/// The apps document could not be read again; the log says why. The one in force stays.
#[derive(Debug)]
pub struct NotRead;

impl AppsInForce {
    /// Reads the apps, in Init. `sdk` is asked only if a secret has to be fetched, which is due again at `max_age`.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the variable and the remedy, and holds nothing of the secret.
    pub async fn read(
        from: AppsFrom,
        max_age: Duration,
        sdk: Option<&aws_config::SdkConfig>,
    ) -> Result<Self, ConfigError> {
        match (from, sdk) {
            (AppsFrom::Environment(apps), _) => {
                let version = Version { apps: Arc::new(apps), digest: Vec::new() };
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: None })
            }
            (AppsFrom::Secret(id), Some(sdk)) => {
                let freshness = Mutex::new(Freshness::new(max_age, moment()));
                // Short pauses, so that the tries fit into the time that an invocation has for it.
                let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(50));
                let client = Client::from_conf(Builder::from(sdk).retry_config(retries).build());
                let secret = Secret { client, id, freshness };
                let version = secret.fetch().await.map_err(|remedy| ConfigError::new(VARIABLE, remedy))?;
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: Some(secret) })
            }
            (AppsFrom::Secret(_), None) => Err(ConfigError::new(VARIABLE, "needs AWS credentials and a region")),
        }
    }

    /// The apps in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Apps> {
        self.version().apps.clone()
    }

    /// Whether the document is to be read again, for its age or for what an invocation needs of it.
    pub fn is_due(&self, needs: impl FnOnce() -> Needs) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.freshness().is_due(needs(), moment()))
    }

    /// Reads the document again, within `limit`, and gives the apps that are in force then.
    ///
    /// # Errors
    /// [`NotRead`], which is in the log by then.
    pub async fn read_again(&self, limit: Duration) -> Result<Arc<Apps>, NotRead> {
        let Some(secret) = &self.secret else { return Ok(self.current()) };
        let begun = moment();
        let fetched = tokio::time::timeout(limit, secret.fetch()).await;
        match fetched.unwrap_or_else(|_| Err("was not answered in time; check the network".into())) {
            Ok(version) => {
                secret.freshness().was_read(begun);
                if version.digest != self.version().digest {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
                    tracing::info!("the apps document has changed; the new one is in force");
                }
                Ok(self.current())
            }
            Err(remedy) => {
                secret.freshness().failed(moment());
                tracing::error!("{VARIABLE}: {remedy}; the apps document read before stays in force");
                Err(NotRead)
            }
        }
    }

    /// Reads the document again, after TPNS refused a key. `None` when there is nothing newer to try.
    pub async fn renewed(&self, limit: Duration) -> Option<Arc<Apps>> {
        let before = self.current();
        let apps = self.read_again(limit).await.ok()?;
        (!Arc::ptr_eq(&before, &apps)).then_some(apps)
    }

    fn version(&self) -> Arc<Version> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn moment() -> Moment {
    Moment { wall: SystemTime::now(), steady: Instant::now() }
}

impl Secret {
    fn freshness(&self) -> MutexGuard<'_, Freshness> {
        self.freshness.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
