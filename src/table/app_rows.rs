//! Which rows belong to an app: read once for each document (`app_keys.rs` describes the row).

use std::{
    sync::{Arc, PoisonError},
    time::SystemTime,
};

use futures_util::future::join;
use tokio::time::Instant;

use super::{
    Access, MOST_WRITES, OpenTable, Table,
    app_keys::{APPS, Added, AppKeys, AppsRow, REVISION, Rewrapped},
    dynamodb::Update,
    unreadable::Unreadable,
    value::{AttributeValue, Attributes},
};
use crate::{aws::AwsError, ledger::RowError, outcome::Failure, tpns::Apps};

/// The names and keys of the apps could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWarm {
    #[error(transparent)]
    Request(AwsError),
    #[error("{}", Failure::from(*.0).detail)]
    Row(RowError),
}

/// An expression may have 4 KB, and an app takes some 15 bytes of it.
const APPS_A_WRITE: usize = 100;

impl Table {
    fn known_keys(&self, apps: &Arc<Apps>) -> Option<Arc<AppKeys>> {
        let known = self.app_keys.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|keys| keys.fit(apps)).cloned()
    }

    /// Reads them before the first invocation, over as many connections as a first event uses: one for its write, and
    /// one for the read beside it.
    ///
    /// # Errors
    /// Why they could not be read by `until`. The first invocation that needs them reads them, too.
    pub(crate) async fn warm(&self, apps: &Arc<Apps>, until: Instant) -> Result<(), NotWarm> {
        let table = self.open(None, apps, SystemTime::now(), until);
        // The line about it would speak of events.
        table.is_logged.set(true);
        let (keys, _) = join(table.app_keys(), table.read_batch(&[APPS])).await;
        keys.map(drop).map_err(|row_error| match table.last_failure() {
            Some(error) => NotWarm::Request(error),
            None => NotWarm::Row(row_error),
        })
    }

    /// Has them read again in the next invocation.
    pub(super) fn forget_keys(&self) {
        *self.app_keys.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl OpenTable<'_> {
    /// The data key and the names in the keys of the apps' rows. They are read in the first invocation that needs them,
    /// and never guessed.
    pub(super) async fn app_keys(&self) -> Result<&Arc<AppKeys>, RowError> {
        self.has_time()?;
        // Boxed, since every row passes here and it is nearly always empty.
        let keys = self.app_keys.get_or_init(|| Box::pin(self.look_up())).await;
        keys.as_ref().map_err(|&row_error| row_error)
    }

    async fn look_up(&self) -> Result<Arc<AppKeys>, RowError> {
        match self.table.known_keys(&self.apps) {
            Some(keys) => Ok(keys),
            None => self.agree(self.read_row(APPS).await?).await,
        }
    }

    /// Adds this document's apps and keys to the row, if they aren't in it and it may be written.
    async fn agree(&self, mut attributes: Attributes) -> Result<Arc<AppKeys>, RowError> {
        for _ in 0..MOST_WRITES {
            let row = AppsRow::read(&attributes).map_err(|error| self.unreadable_apps(&error))?;
            let (names, added) = row.names(&self.apps);
            let (seal, rewrapped) =
                row.seal(&self.apps.ledger_keys, self.now()).map_err(|error| self.unreadable_apps(&error))?;
            // Only the function decides when a table begins to have a key.
            let may_begin = self.access == Access::Function || row.revision == 0;
            if seal.is_some() && !row.has_key() && (self.access == Access::Reader || !may_begin) {
                if self.access != Access::Reader {
                    return Err(self.no_key());
                }
                // Not kept, since the function may make one at any time.
                return Ok(Arc::new(AppKeys::new(names, None, self.apps.clone())));
            }
            let rewrapped = if may_begin { rewrapped } else { Rewrapped::default() };
            if self.access == Access::Reader || (added.is_empty() && rewrapped.is_empty()) {
                let keys = Arc::new(AppKeys::new(names, seal, self.apps.clone()));
                *self.table.app_keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
                return Ok(keys);
            }
            // If no one has written to it since it was read.
            let added = &added[..added.len().min(APPS_A_WRITE)];
            attributes = self.row_after(APPS, || self.adding(row.revision, added, &rewrapped)).await?;
        }
        Err(RowError::KeepsChanging)
    }

    fn adding<'a>(&'a self, revision: u64, added: &'a [Added], rewrapped: &'a Rewrapped) -> Update<'a> {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let mut update = self
            .update(APPS)
            .returning_the_row()
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_values(":next", number(revision.saturating_add(1)));
        let mut set = "SET #revision = :next".to_owned();
        let added = added.iter().map(|(attribute, name)| (attribute, AttributeValue::S(name.clone())));
        let keys = rewrapped.set.iter().map(|(attribute, value)| (attribute, value.clone()));
        for (n, (attribute, value)) in added.chain(keys).enumerate() {
            update = update
                .expression_attribute_names(format!("#a{n}"), attribute)
                .expression_attribute_values(format!(":a{n}"), value);
            set += &format!(", #a{n} = :a{n}");
        }
        for (n, attribute) in rewrapped.remove.iter().enumerate() {
            update = update.expression_attribute_names(format!("#k{n}"), attribute);
            set += &format!("{} #k{n}", if n == 0 { " REMOVE" } else { "," });
        }
        let update = update.update_expression(set);
        match revision {
            0 => update.condition_expression("attribute_not_exists(#revision)"),
            _ => update
                .condition_expression("#revision = :revision")
                .expression_attribute_values(":revision", number(revision)),
        }
    }

    fn unreadable_apps(&self, error: &Unreadable) -> RowError {
        if *error == Unreadable::NoKey {
            return self.no_key();
        }
        self.log_once(format_args!(
            "LEDGER_TABLE: in the table's row {APPS}, {error}; find what else writes to the table, and restore the row. \
             Do not delete it: it has the key that opens the other rows"
        ));
        RowError::Unreadable
    }
}
