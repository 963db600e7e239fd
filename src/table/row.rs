//! What a row of the table holds, and how it is written (ARCHITECTURE.md, "The ledger").
//!
//! A row is a set of registers that only ever grow: the owner by (version, accounts), each signed-out account and each
//! deletion by version. Versions are written so that they compare as text, so DynamoDB itself can determine which of
//! two is the greater, and merging is one conditional write.
//!
//! ```text
//! pk                               attributes
//! device#<app>#<token>             owner       version of the owner
//!                                  accounts    {"<account_type>":"<account>", …}
//!                                  had:<account_type>:<account>   version of the newest owner that had the account
//!                                  remembered  version of the owner at whose write its accounts were remembered
//!                                  out:<account_type>:<account>   version of the logout
//!                                  any:<account>                  the same, of the account under every type
//! account#<app>#<SHA-256>          deleted     version of the deletion
//!                                  accepted    version of the deletion that TPNS has accepted
//! both                             expires_at  epoch seconds
//! ```
//!
//! `<app>` is the app's name in the keys of its rows (`app_keys.rs`).
//!
//! `had:…` are the accounts that TPNS may have for the device. Versions of this function before 0.2 wrote none: where
//! `remembered` is not the owner's version, the accounts of that owner are added before another one replaces them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::LEDGER_ROW_LIFETIME;
use crate::{
    event::{Account, AccountName, AccountType, Kind, ListedAccount, Millis, Version},
    ledger::{DeletionRow, DeviceState, MOST_EARLIER, Owner},
};

pub(super) const KEY: &str = "pk";
pub(super) const EXPIRES: &str = "expires_at";
pub(super) const OWNER: &str = "owner";
pub(super) const ACCOUNTS: &str = "accounts";
pub(super) const DELETED: &str = "deleted";
pub(super) const ACCEPTED: &str = "accepted";
/// DynamoDB's limit for an item, 400 KB, less what a key takes.
pub(super) const LARGEST: usize = 400 * 1024 - 512;
const OUT: &str = "out:";
const HAD: &str = "had:";
pub(super) const REMEMBERED: &str = "remembered";
/// Not `out:*:`, which the first released version could not read; it skips unknown names.
const ANY: &str = "any:";

/// A row as the SDK returns it.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// A row that can't be read. Says which attribute is at fault, and nothing of its value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not in the format that this function writes")]
pub(super) struct Unreadable(pub(super) &'static str);

/// The row of a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceRow {
    pub(super) state: DeviceState,
    /// Logouts that the owner has superseded, and accounts of too many earlier owners: attributes with their values,
    /// which have no effect any more.
    pub(super) dead: Vec<(String, String)>,
    /// The owner, with its version as text, if the row does not remember its accounts.
    pub(super) unremembered: Option<String>,
}

/// A part of a row that has to grow.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Register {
    Owner {
        version: String,
        accounts: String,
        /// The attributes of the accounts that the row is to remember with it.
        had: Vec<String>,
        /// The version of the owner that the row has, if it does not remember that one's accounts.
        unremembered: Option<String>,
    },
    /// An attribute that only grows, and its new value.
    Version { name: String, version: String },
}

impl Register {
    /// What it adds to a row at most, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Owner { version, accounts, had, .. } => {
                let had: usize = had.iter().map(|name| name.len() + version.len()).sum();
                OWNER.len() + REMEMBERED.len() + 2 * version.len() + ACCOUNTS.len() + accounts.len() + had
            }
            Self::Version { name, version } => name.len() + version.len(),
        }
    }
}

/// The bytes of a row as DynamoDB counts them: names and values.
pub(super) fn size(row: &Attributes) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        _ => 0,
    };
    row.iter().map(|(name, of)| name.len() + value(of)).sum()
}

impl DeviceRow {
    pub(super) fn read(row: &Attributes) -> Result<Self, Unreadable> {
        let mut state = DeviceState::default();
        if let Some(version) = row.get(OWNER) {
            let version = version_of(version).ok_or(Unreadable(OWNER))?;
            let accounts = row.get(ACCOUNTS).and_then(accounts_of).ok_or(Unreadable(ACCOUNTS))?;
            state.take_owner(Owner { version, accounts });
        } else if row.contains_key(ACCOUNTS) {
            return Err(Unreadable(OWNER));
        }
        let (mut out, mut had) = (Vec::new(), Vec::new());
        for (name, value) in row {
            if let Some(typed) = name.strip_prefix(HAD) {
                let account = account_under_type(typed).ok_or(Unreadable("the name of had:…"))?;
                had.push((version_of(value).ok_or(Unreadable("had:…"))?, name, account));
            }
            let Some(listed) = listed_of(name)? else { continue };
            let version = version_of(value).ok_or(Unreadable("out:…"))?;
            state.take_unbound(&listed, &version);
            out.push((name, listed, version));
        }
        let is_dead = |listed, version| state.unbound().get(listed) != Some(version);
        let dead = out.iter().filter(|(_, listed, version)| is_dead(listed, version));
        let mut dead: Vec<_> = dead.map(|(name, _, version)| ((*name).clone(), text(version))).collect();
        had.sort_unstable();
        let earlier = had.len().saturating_sub(MOST_EARLIER);
        dead.extend(had.drain(..earlier).map(|(version, name, _)| (name.clone(), text(&version))));
        state.remember(had.into_iter().map(|(_, _, account)| account));
        let owner = state.owner().map(|owner| text(&owner.version));
        let remembered = row.get(REMEMBERED).and_then(|value| value.as_s().ok());
        let unremembered = owner.filter(|owner| Some(owner) != remembered);
        Ok(Self { state, dead, unremembered })
    }

    /// What has to be added to the row; nothing if it has all of it.
    pub(super) fn lacks(&self, added: &DeviceState) -> Vec<Register> {
        let mut merged = self.state.clone();
        merged.raise(added);
        let merged = merged.bounded();
        let owner = merged.owner().filter(|owner| self.state.owner() != Some(owner)).map(|owner| {
            let replaced = self.unremembered.as_ref().and(self.state.owner());
            let had: BTreeSet<_> = owner.accounts().chain(replaced.into_iter().flat_map(Owner::accounts)).collect();
            Register::Owner {
                version: text(&owner.version),
                accounts: owner.accounts_text(),
                had: had.iter().map(had_name).collect(),
                unremembered: self.unremembered.clone(),
            }
        });
        let known = self.state.unbound();
        let out = merged.unbound().iter().filter(|(account, version)| known.get(account) != Some(version));
        let out = out.map(|(account, version)| Register::Version { name: out_name(account), version: text(version) });
        owner.into_iter().chain(out).collect()
    }
}

impl DeletionRow {
    /// `None` for a row without a deletion.
    pub(super) fn read(row: &Attributes) -> Result<Option<Self>, Unreadable> {
        let version =
            |name: &'static str| row.get(name).map(|value| version_of(value).ok_or(Unreadable(name))).transpose();
        let accepted = version(ACCEPTED)?;
        Ok(version(DELETED)?.map(|version| Self { accepted: accepted.is_some_and(|by| by >= version), version }))
    }
}

/// When a row last changed, in milliseconds since 1970: as long before it expires as a row is kept.
pub(super) fn changed(row: &Attributes) -> Option<Millis> {
    let expires: u64 = row.get(EXPIRES)?.as_n().ok()?.parse().ok()?;
    Millis::try_from(expires.checked_sub(LEDGER_ROW_LIFETIME.as_secs())?).ok()?.checked_mul(1000)
}

/// A version as text that compares as the version does: `11763799330123.0.<id>`, with the time in 19 digits.
pub(super) fn text(version: &Version) -> String {
    let Version { at, rank, tie_breaker } = version;
    let rank = match rank {
        Kind::Login => 0,
        Kind::Logout => 1,
        Kind::Deletion => 2,
    };
    // Times before 1970 come first, and grow like the others.
    let (sign, digits) = if *at < 0 { (0, at.wrapping_sub(i64::MIN)) } else { (1, *at) };
    format!("{sign}{digits:019}.{rank}.{tie_breaker}")
}

pub(super) fn version(text: &str) -> Option<Version> {
    let (at, rest) = (text.get(..20)?, text.get(20..)?);
    let digits: i64 = at.get(1..)?.parse().ok().filter(|number| *number >= 0)?;
    let at = match at.as_bytes().first()? {
        b'0' => digits.wrapping_add(i64::MIN),
        b'1' => digits,
        _ => return None,
    };
    let (rank, tie_breaker) = rest.strip_prefix('.')?.split_once('.')?;
    let rank = match rank {
        "0" => Kind::Login,
        "1" => Kind::Logout,
        "2" => Kind::Deletion,
        _ => return None,
    };
    Some(Version { at, rank, tie_breaker: tie_breaker.into() })
}

fn out_name(listed: &ListedAccount) -> String {
    match listed.account_type {
        Some(AccountType(account_type)) => format!("{OUT}{account_type}:{}", listed.account.as_str()),
        None => format!("{ANY}{}", listed.account.as_str()),
    }
}

/// The attribute that remembers an account.
pub(super) fn had_name(Account { account, account_type: AccountType(account_type) }: &Account) -> String {
    format!("{HAD}{account_type}:{}", account.as_str())
}

/// The account that an attribute of this name signs out. `None` if it is another attribute.
fn listed_of(name: &str) -> Result<Option<ListedAccount>, Unreadable> {
    let listed = match (name.strip_prefix(OUT), name.strip_prefix(ANY)) {
        (Some(typed), _) => listed_under_type(typed),
        (None, Some(account)) => {
            AccountName::taken_before(account).map(|account| ListedAccount { account, account_type: None })
        }
        (None, None) => return Ok(None),
    };
    listed.map(Some).ok_or(Unreadable("the name of out:…"))
}

fn listed_under_type(text: &str) -> Option<ListedAccount> {
    let Account { account, account_type } = account_under_type(text)?;
    Some(ListedAccount { account, account_type: Some(account_type) })
}

fn account_under_type(text: &str) -> Option<Account> {
    let (account_type, account) = text.split_once(':')?;
    let account_type = AccountType(account_type.parse().ok()?);
    Some(Account { account: AccountName::taken_before(account)?, account_type })
}

fn version_of(value: &AttributeValue) -> Option<Version> {
    version(value.as_s().ok()?)
}

fn accounts_of(value: &AttributeValue) -> Option<BTreeMap<AccountType, AccountName>> {
    let accounts: BTreeMap<u32, String> = serde_json::from_str(value.as_s().ok()?).ok()?;
    let account =
        |(account_type, name): (u32, String)| Some((AccountType(account_type), AccountName::taken_before(&name)?));
    accounts.into_iter().map(account).collect()
}

#[cfg(test)]
mod tests;
