//! What the ledger's rules need of the table.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt};

use super::{
    Found, LEDGER_ROW_LIFETIME, MOST_WRITES, OpenTable, READS_AT_A_TIME, ROWS_A_READ,
    app_keys::AppKeys,
    keys, names,
    row::{self, DELETED, DeviceRow, Register},
    version_text, write,
};
use crate::{
    event::{Device, Millis, Version},
    ledger::{AccountKey, Confirmation, DeletionRow, DeviceState, Read, RowError, Rows, Unchecked},
};

impl Rows for OpenTable<'_> {
    async fn raise_device(&self, device: &Device, added: &DeviceState) -> Result<DeviceState, RowError> {
        let app_keys = self.app_keys().await?;
        let key = keys::device_key(device, &app_keys.names);
        let seal = app_keys.row(&key);
        let mut row = DeviceRow::default();
        let (mut raised, mut hidden) = (0, 0);
        while raised < MOST_WRITES && hidden < MOST_WRITES {
            let mut lacking = row.lacks(added, &seal).map_err(|error| self.unreadable(&error))?;
            let written = if !lacking.is_empty() {
                lacking.truncate(write::REGISTERS);
                raised += 1;
                self.raise(&key, &lacking).await?
            } else if !row.exposed.is_empty() {
                // An event waits for it: a row that is in use has no names in clear then.
                row.exposed.truncate(write::HIDDEN);
                hidden += 1;
                self.hide(&key, &row.exposed).await?
            } else {
                self.sweep(&key, &row).await;
                return Ok(row.state);
            };
            row = DeviceRow::read(&written, &seal).map_err(|error| self.unreadable(&error))?;
        }
        Err(RowError::KeepsChanging)
    }

    async fn raise_deletion(&self, key: &AccountKey, version: &Version) -> Result<DeletionRow, RowError> {
        let app_keys = self.app_keys().await?;
        let own = keys::account_key(key, &app_keys.names, app_keys.seal.as_ref());
        let Some(earlier) = self.unkeyed_deletion(key, version, app_keys).await? else {
            return self.raise_deletion_at(&own, version).await;
        };
        // The newer of both is in the row with the key from now on, with its acceptance.
        let row = self.raise_deletion_at(&own, version.max(&earlier.version)).await?;
        if earlier.accepted && !row.accepted && earlier.version == row.version {
            self.accept_deletion(key, &row.version).await?;
            return Ok(DeletionRow { accepted: true, ..row });
        }
        Ok(row)
    }

    async fn accept_deletion(&self, key: &AccountKey, version: &Version) -> Result<(), RowError> {
        let app_keys = self.app_keys().await?;
        let key = keys::account_key(key, &app_keys.names, app_keys.seal.as_ref());
        match self.send(|| self.accepting(&key, version).send()).await {
            Err(error) if !write::is_refusal(&error) => Err(self.row_error(&error)),
            // Refused: there is a newer deletion, which has its own message.
            _ => Ok(()),
        }
    }

    async fn confirm(&self, seen: &Confirmation) -> Result<(), RowError> {
        let app_keys = self.app_keys().await?;
        let Confirmation { device, changed, owner, without } = seen;
        let key = keys::device_key(device, &app_keys.names);
        let seal = app_keys.row(&key);
        let expires = changed / 1000 + Millis::try_from(LEDGER_ROW_LIFETIME.as_secs()).unwrap_or(Millis::MAX);
        let had = without.iter().map(|account| names::had(account, &seal)).collect::<Result<Vec<_>, _>>();
        let mut had = had.map_err(|error| self.unreadable(&error))?;
        if app_keys.seal.is_some() {
            had.extend(without.iter().map(names::had_in_clear));
        }
        let mut parts: Vec<_> = had.chunks(write::REGISTERS).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for (n, had) in parts.into_iter().enumerate() {
            let owner = owner.as_ref().filter(|_| n == 0);
            match self.send(|| self.confirming(&key, expires, owner, had).send()).await {
                Err(error) if !write::is_refusal(&error) => return Err(self.row_error(&error)),
                // Refused: the row has changed, and has a newer check.
                _ => {}
            }
        }
        Ok(())
    }

    fn are_checked(&self) -> bool {
        self.checks.is_some()
    }

    async fn send_checks(&self, devices: &[Device], accounts: &[AccountKey]) -> Unchecked {
        let Some(checks) = &self.checks else { return Unchecked::default() };
        checks.send(&self.apps.names, devices, accounts, self.until).await
    }

    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read {
        let app_keys = match self.app_keys().await {
            Ok(app_keys) => app_keys,
            Err(row_error) => {
                return Read {
                    changed: HashMap::new(),
                    devices: devices.iter().map(|device| (device.clone(), Err(row_error))).collect(),
                    deletions: accounts.iter().map(|key| (key.clone(), Err(row_error))).collect(),
                };
            }
        };
        let AppKeys { names, seal, .. } = &**app_keys;
        let device_keys: Vec<_> = devices.iter().map(|device| keys::device_key(device, names)).collect();
        let account_keys = |seal| accounts.iter().map(move |key| keys::account_key(key, names, seal)).collect();
        let keyed: Vec<_> = account_keys(seal.as_ref());
        let unkeyed: Vec<_> = if self.unkeyed(app_keys) { account_keys(None) } else { Vec::new() };
        let keys: Vec<&str> = device_keys.iter().chain(&keyed).chain(&unkeyed).map(String::as_str).collect();
        let reads = stream::iter(keys.chunks(ROWS_A_READ)).map(|keys| self.read_batch(keys));
        let read: Vec<_> = reads.buffer_unordered(READS_AT_A_TIME).collect().await;
        let rows: Found = read.into_iter().flatten().collect();
        let attributes = |key: &String| {
            rows.get(key).map_or(Err(RowError::Unreachable), |row| row.as_ref().map_err(|&row_error| row_error))
        };
        let device = |key: &String| {
            let row = DeviceRow::read(attributes(key)?, &app_keys.row(key));
            row.map(|row| row.state).map_err(|error| self.unreadable(&error))
        };
        let deletion = |key| DeletionRow::read(attributes(key)?).map_err(|error| self.unreadable(&error));
        let deletions = keyed.iter().enumerate().map(|(n, key)| match unkeyed.get(n) {
            None => deletion(key),
            Some(unkeyed) => match (deletion(key)?, deletion(unkeyed)?) {
                (Some(keyed), unkeyed) => Ok(Some(keyed.or(unkeyed))),
                (None, unkeyed) => Ok(unkeyed),
            },
        });
        let changed = |key| row::changed(attributes(key).ok()?);
        let changed =
            devices.iter().zip(&device_keys).filter_map(|(device, key)| Some((device.clone(), changed(key)?)));
        Read {
            changed: changed.collect(),
            devices: devices.iter().cloned().zip(device_keys.iter().map(device)).collect(),
            deletions: accounts.iter().cloned().zip(deletions).collect(),
        }
    }
}

impl OpenTable<'_> {
    async fn raise_deletion_at(&self, key: &str, version: &Version) -> Result<DeletionRow, RowError> {
        let mut version = version.clone();
        for _ in 0..MOST_WRITES {
            let deleted = Register::Version { name: DELETED.into(), version: version_text::text(&version) };
            let row = self.raise(key, &[deleted]).await?;
            match DeletionRow::read(&row).map_err(|error| self.unreadable(&error))? {
                // This delivery sends the newer one to TPNS, so its row has to become younger.
                Some(row) if row.version > version && !row.accepted => version = row.version,
                Some(row) => return Ok(row),
                // The row was removed after it had refused the write.
                None => {}
            }
        }
        Err(RowError::KeepsChanging)
    }

    /// What the account's row says that was written when the table had no key. As long as there may be sandboxes that
    /// do not know the key, a deletion is written there, too.
    async fn unkeyed_deletion(
        &self,
        key: &AccountKey,
        version: &Version,
        app_keys: &AppKeys,
    ) -> Result<Option<DeletionRow>, RowError> {
        if !self.unkeyed(app_keys) {
            return Ok(None);
        }
        let key = keys::account_key(key, &app_keys.names, None);
        if self.others_may_have_no_key(app_keys) {
            return self.raise_deletion_at(&key, version).await.map(Some);
        }
        DeletionRow::read(&self.read_row(&key).await?).map_err(|error| self.unreadable(&error))
    }
}
