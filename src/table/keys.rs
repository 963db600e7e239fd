//! The keys of rows (`row.rs`).

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use super::seal::Seal;
use crate::{
    apps::AppNames,
    event::{Device, Token},
    ledger::AccountKey,
};

/// The key of a device's row.
pub(super) fn device_key(device: &Device, apps: &AppNames) -> String {
    format!("device#{}#{}", escaped(apps.name(device.app)), device.token.as_str())
}

/// The device that a row of this key is of; `None` if it is none of these apps'.
pub(super) fn device_of(key: &str, apps: &AppNames) -> Option<Device> {
    let (name, token) = key.strip_prefix("device#")?.split_once('#')?;
    let app = apps.ids().find(|&app| escaped(apps.name(app)) == name)?;
    Some(Device { app, token: Token::new(token)? })
}

/// Whether a row of this key is that of a deleted account.
pub(super) fn is_of_an_account(key: &str) -> bool {
    key.starts_with("account#")
}

/// The key of an account's row. The account is kept as a digest: the row outlives what was deleted.
pub(super) fn account_key(key: &AccountKey, apps: &AppNames, seal: Option<&Seal>) -> String {
    let (app, account) = (apps.name(key.app), &key.account);
    // No two accounts give the same bytes: neither numbers nor account names hold a NUL.
    let clear = format!("{}\0{}\0{app}", account.account_type.0, account.account.as_str());
    let digest = match seal {
        Some(seal) => seal.digest(&clear),
        None => HEXLOWER.encode(digest::digest(&digest::SHA256, clear.as_bytes()).as_ref()),
    };
    format!("account#{}#{digest}", escaped(app))
}

/// The app's name without `#`, so that the second one ends it.
fn escaped(app: &str) -> String {
    app.replace('%', "%25").replace('#', "%23")
}

#[cfg(test)]
mod tests;
