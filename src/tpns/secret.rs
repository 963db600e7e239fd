//! The apps in force: from the environment, or from a secret or a parameter that may be changed at any time.

mod error;
mod freshness;
mod source;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_lc_rs::digest;

pub use error::SecretError;
use freshness::Freshness;
pub use freshness::Needs;
use source::Source;

use super::Apps;
use crate::{moment::Moment, transport::Transport};

/// Lambda gives Init 10 s, and ends a longer one without any message.
const IN_INIT: Duration = Duration::from_secs(6);

/// Where the apps document is.
#[derive(Debug)]
pub enum AppsFrom {
    /// In the environment.
    Environment(Apps),
    /// In the Secrets Manager secret of this id.
    Secret(String),
    /// In the Systems Manager parameter of this name.
    Parameter(String),
}

/// The apps in force, shared by all invocations of this process.
#[derive(Debug)]
pub struct AppsInForce {
    current: RwLock<Arc<InForce>>,
    secret: Option<Secret>,
}

#[derive(Debug)]
struct Secret {
    source: Source,
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
    /// Reads the apps, in Init. `sdk` is needed only if the document has to be fetched, which is due again at `max_age`.
    ///
    /// # Errors
    /// [`SecretError`], which names the variable and what to do, and holds nothing of the secret.
    pub async fn read(
        from: AppsFrom,
        max_age: Duration,
        sdk: Option<&SdkConfig>,
        transport: &Transport,
    ) -> Result<Self, SecretError> {
        let source = match from {
            AppsFrom::Environment(apps) => {
                let version = InForce { apps: Arc::new(apps), digest: Vec::new() };
                return Ok(Self { current: RwLock::new(Arc::new(version)), secret: None });
            }
            AppsFrom::Secret(id) => Source::secret(id, sdk)?,
            AppsFrom::Parameter(name) => Source::parameter(name, sdk, transport)?,
        };
        let secret = Secret { source, freshness: Mutex::new(Freshness::new(max_age, Moment::now())) };
        let version = secret.fetch(IN_INIT).await?;
        Ok(Self { current: RwLock::new(Arc::new(version)), secret: Some(secret) })
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
        let document = self.source.fetch(limit).await?;
        let apps = Apps::parse(&document).map_err(|error| self.source.kind().failed(error))?;
        let digest = digest::digest(&digest::SHA256, document.as_bytes()).as_ref().to_vec();
        Ok(InForce { apps: Arc::new(apps), digest })
    }
}
