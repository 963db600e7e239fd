//! The apps in force: from the environment, or from a Secrets Manager secret that may be changed at any time.

mod freshness;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::digest;
use aws_sdk_secretsmanager::Client;
use tokio::time::Instant;

use freshness::Freshness;
pub use freshness::Needs;

use super::{Apps, AppsError};
use crate::{
    aws::{self, AwsError, Tries},
    moment::Moment,
};

const VARIABLE: &str = "TPNS_APPS_SECRET_ID";
/// Lambda gives Init 10 s, and ends a longer one without any message.
const IN_INIT: Duration = Duration::from_secs(6);

/// Where the apps document is.
#[derive(Debug)]
pub enum AppsFrom {
    /// In the environment.
    Environment(Apps),
    /// In the Secrets Manager secret of this id.
    Secret(String),
}

/// The apps in force, shared by all invocations of this process.
#[derive(Debug)]
pub struct AppsInForce {
    current: RwLock<Arc<InForce>>,
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
struct InForce {
    apps: Arc<Apps>,
    digest: Vec<u8>,
}

/// The apps document could not be read again; the log says why. The one in force stays.
#[derive(Debug)]
pub struct NotRead;

impl AppsInForce {
    /// Reads the apps, in Init. `sdk` is needed only if a secret has to be fetched, which is due again at `max_age`.
    ///
    /// # Errors
    /// [`SecretError`], which names the variable and what to do, and holds nothing of the secret.
    pub async fn read(
        from: AppsFrom,
        max_age: Duration,
        sdk: Option<&aws_config::SdkConfig>,
    ) -> Result<Self, SecretError> {
        match (from, sdk) {
            (AppsFrom::Environment(apps), _) => {
                let version = InForce { apps: Arc::new(apps), digest: Vec::new() };
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: None })
            }
            (AppsFrom::Secret(id), Some(sdk)) => {
                let freshness = Mutex::new(Freshness::new(max_age, Moment::now()));
                let secret = Secret { client: Client::new(sdk), id, freshness };
                let version = secret.fetch(IN_INIT).await?;
                Ok(Self { current: RwLock::new(Arc::new(version)), secret: Some(secret) })
            }
            (AppsFrom::Secret(_), None) => Err(SecretError(FetchError::NoClient)),
        }
    }

    /// The apps in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Apps> {
        self.in_force().apps.clone()
    }

    /// Whether the document has to be read again, because of its age or of what an invocation needs.
    pub fn is_due(&self, needs: impl FnOnce() -> Needs) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.freshness().is_due(needs(), Moment::now()))
    }

    /// Reads the document again, within `limit`, and returns the apps that are in force then.
    ///
    /// # Errors
    /// [`NotRead`], which has been logged.
    pub async fn read_again(&self, limit: Duration) -> Result<Arc<Apps>, NotRead> {
        let Some(secret) = &self.secret else { return Ok(self.current()) };
        let begun = Moment::now();
        match secret.fetch(limit).await {
            Ok(version) => {
                secret.freshness().was_read(begun);
                if version.digest != self.in_force().digest {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
                    tracing::info!("the apps document has changed; the new one is in force");
                }
                Ok(self.current())
            }
            Err(error) => {
                secret.freshness().failed(Moment::now());
                tracing::error!("{error}; the apps document read before stays in force");
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

    fn in_force(&self) -> Arc<InForce> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secret {
    fn freshness(&self) -> MutexGuard<'_, Freshness> {
        self.freshness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the document, within `limit`.
    async fn fetch(&self, limit: Duration) -> Result<InForce, SecretError> {
        let tries = Tries::few(Instant::now() + limit);
        let answer = aws::send(tries, || self.client.get_secret_value().secret_id(&self.id).send()).await;
        let answer = answer.map_err(|error| FetchError::from(aws::failure(&error)))?;
        let document = answer.secret_string().ok_or(FetchError::NoText)?;
        let apps = Apps::parse(document).map_err(FetchError::from)?;
        let digest = digest::digest(&digest::SHA256, document.as_bytes()).as_ref().to_vec();
        Ok(InForce { apps: Arc::new(apps), digest })
    }
}

/// There is no apps document: names the variable and what to do about it, and holds nothing of the secret.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE}: {0}")]
pub struct SecretError(#[from] FetchError);

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(
        "was not answered in time; check the network (a function in a VPC needs a NAT gateway, or an endpoint for Secrets \
         Manager) and where its credentials come from"
    )]
    Timeout,
    #[error("could not be fetched ({0}); check the id, the role's secretsmanager:GetSecretValue, and the network")]
    Failed(#[source] AwsError),
    #[error("has no SecretString; store the apps document as text, not as binary")]
    NoText,
    #[error("the secret's document {0}")]
    Document(#[from] AppsError),
    #[error("needs AWS credentials and a region")]
    NoClient,
}

impl From<AwsError> for FetchError {
    fn from(error: AwsError) -> Self {
        if error == AwsError::Timeout { Self::Timeout } else { Self::Failed(error) }
    }
}
