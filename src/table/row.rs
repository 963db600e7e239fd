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
//!                                  confirmed   version of the owner when a check saw that TPNS has its accounts
//!                                  out:<account_type>:<account>   version of the logout
//!                                  any:<account>                  the same, of the account under every type
//! account#<app>#<digest>           deleted     version of the deletion
//!                                  accepted    version of the deletion that TPNS has accepted
//! both                             expires_at  epoch seconds
//! ```
//!
//! `<app>` is the app's name in the keys of its rows (`app_keys.rs`). If the apps document has `ledger_keys`, the value
//! of `accounts` and the names of `had:`, `out:` and `any:` are encrypted (`seal.rs`), and written `~…`, `had:~…` and
//! `out:~…`; what was written before is replaced with the next write to the row.
//!
//! `confirmed` is removed by each write that changes the accounts or signs one out, so it holds for `accounts` as they
//! are. A write that does not know the row is refused if it would change the accounts of a confirmed one.
//!
//! `had:…` are the accounts that TPNS may have for the device. Versions of this function before 0.2 wrote none: where
//! `remembered` is not the owner's version, the accounts of that owner are added before another one replaces them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    LEDGER_ROW_LIFETIME,
    names::{self, Named},
    seal::RowSeal,
    unreadable::Unreadable,
    value::{AttributeValue, Attributes},
    version_text::{self, text},
};
use crate::{
    event::{Account, AccountName, AccountType, Millis, Version},
    ledger::{Accounts, DeletionRow, DeviceState, MOST_EARLIER, Owner},
};

pub(super) const EXPIRES: &str = "expires_at";
pub(super) const OWNER: &str = "owner";
pub(super) const ACCOUNTS: &str = "accounts";
pub(super) const DELETED: &str = "deleted";
pub(super) const ACCEPTED: &str = "accepted";
/// DynamoDB's limit for an item, 400 KB, less what a key takes.
pub(super) const LARGEST: usize = 400 * 1024 - 512;
pub(super) const REMEMBERED: &str = "remembered";
pub(super) const CONFIRMED: &str = "confirmed";

/// The row of a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceRow {
    pub(super) state: DeviceState,
    /// Logouts that the owner has superseded, and accounts of too many earlier owners: attributes with their values,
    /// which have no effect any more.
    pub(super) dead: Vec<(String, String)>,
    /// Attributes that name accounts in clear, although the table has a key.
    pub(super) exposed: Vec<Exposed>,
    owner: Option<OwnerAsStored>,
}

/// The owner's attributes.
#[derive(Debug, PartialEq, Eq)]
struct OwnerAsStored {
    version: String,
    accounts: String,
    /// Whether the row has a `had:` of each of its accounts.
    is_remembered: bool,
}

/// An attribute that names accounts in clear, and what replaces it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exposed {
    /// By its value.
    Accounts { clear: String, sealed: String },
    /// By its name. Nothing replaces one whose version the sealed one has, or a newer one.
    Name { clear: String, version: String, sealed: Option<String> },
}

/// A part of a row that has to grow.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Register {
    Owner {
        version: String,
        accounts: String,
        /// The attributes of the accounts that the row is to remember with it.
        had: Vec<String>,
        /// The version and accounts of the owner that it replaces, if the table can't tell by the version alone; or if it
        /// has other accounts and was confirmed.
        replaced: Option<(String, String)>,
    },
    /// An attribute that only grows, and its new value.
    Version { name: String, version: String },
}

impl Register {
    /// Whether what a check has confirmed may still hold after it: it is a login, and the table refuses it if it changes
    /// the accounts.
    pub(super) fn keeps_confirmed(&self) -> bool {
        matches!(self, Self::Owner { had, replaced: None, .. } if !had.is_empty())
    }

    /// Whether it is part of the row of a device, and not of a deletion.
    pub(super) fn is_of_a_device(&self) -> bool {
        !matches!(self, Self::Version { name, .. } if name == DELETED)
    }

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
        AttributeValue::Other => 0,
    };
    row.iter().map(|(name, of)| name.len() + value(of)).sum()
}

impl DeviceRow {
    pub(super) fn read(row: &Attributes, seal: &RowSeal<'_>) -> Result<Self, Unreadable> {
        let (mut state, mut exposed) = (DeviceState::default(), Vec::new());
        let owner = OwnerAsStored::read(row)?;
        if let Some(owner) = &owner {
            let opened = seal.open("", &owner.accounts, ACCOUNTS)?;
            let version = version_text::version(&owner.version).ok_or(Unreadable::Format(OWNER))?;
            let accounts = accounts_of(&opened.text).ok_or(Unreadable::Format(ACCOUNTS))?;
            if opened.is_exposed {
                let sealed = seal.seal("", &owner.accounts)?;
                exposed.push(Exposed::Accounts { clear: owner.accounts.clone(), sealed });
            }
            state.take_owner(Owner { version, accounts });
        }
        let (mut out, mut had) = (Vec::new(), Vec::new());
        for (name, value) in row {
            let Some((named, is_exposed)) = names::read(name, seal)? else { continue };
            let at_fault = if matches!(named, Named::Had(_)) { "had:…" } else { "out:…" };
            let version = version_of(value).ok_or(Unreadable::Format(at_fault))?;
            if is_exposed {
                let sealed = named.attribute(seal)?;
                let known = row.get(&sealed).and_then(version_of);
                let sealed = known.is_none_or(|known| known < version).then_some(sealed);
                exposed.push(Exposed::Name { clear: name.clone(), version: text(&version), sealed });
            }
            match named {
                Named::Had(account) => had.push((version, name, account)),
                Named::Out(listed) => {
                    state.take_unbound(&listed, &version);
                    out.push((name, listed, version));
                }
            }
        }
        let is_dead = |listed, version| state.unbound().get(listed) != Some(version);
        let dead = out.iter().filter(|(_, listed, version)| is_dead(listed, version));
        let mut dead: Vec<_> = dead.map(|(name, _, version)| ((*name).clone(), text(version))).collect();
        had.sort_unstable();
        let earlier = had.len().saturating_sub(MOST_EARLIER);
        dead.extend(had.drain(..earlier).map(|(version, name, _)| (name.clone(), text(&version))));
        state.remember(had.into_iter().map(|(_, _, account)| account));
        if let Some(confirmed) = row.get(CONFIRMED) {
            state.confirm(version_of(confirmed).ok_or(Unreadable::Format(CONFIRMED))?);
        }
        Ok(Self { state, dead, exposed, owner })
    }

    /// What has to be added to the row; nothing if it has all of it.
    pub(super) fn lacks(&self, added: &DeviceState, seal: &RowSeal<'_>) -> Result<Vec<Register>, Unreadable> {
        let mut merged = self.state.clone();
        merged.raise(added);
        let merged = merged.bounded();
        let mut registers = Vec::new();
        if let Some(owner) = merged.owner().filter(|owner| self.state.owner() != Some(owner)) {
            let version = text(&owner.version);
            let unremembered = self.owner.as_ref().filter(|stored| !stored.is_remembered).and(self.state.owner());
            let had: BTreeSet<_> = owner.accounts().chain(unremembered.into_iter().flat_map(Owner::accounts)).collect();
            // What is encrypted is in no order, so of two owners of one version only who knows both can tell the
            // greater.
            let accounts = seal.seal("", &owner.accounts_text())?;
            let is_confirmed = self.state.confirmed().is_some();
            let replaced = self.owner.as_ref().filter(|stored| {
                !stored.is_remembered || stored.version == version || (is_confirmed && stored.accounts != accounts)
            });
            registers.push(Register::Owner {
                version,
                accounts,
                had: had.iter().map(|account| names::had(account, seal)).collect::<Result<_, _>>()?,
                replaced: replaced.map(|stored| (stored.version.clone(), stored.accounts.clone())),
            });
        }
        let known = self.state.unbound();
        for (account, version) in
            merged.unbound().iter().filter(|(account, version)| known.get(account) != Some(version))
        {
            registers.push(Register::Version { name: names::out(account, seal)?, version: text(version) });
        }
        Ok(registers)
    }
}

impl OwnerAsStored {
    fn read(row: &Attributes) -> Result<Option<Self>, Unreadable> {
        let stored = |name| row.get(name).and_then(|value| value.as_s()).cloned();
        match (row.contains_key(OWNER), row.contains_key(ACCOUNTS)) {
            (false, false) => return Ok(None),
            (false, true) => return Err(Unreadable::Format(OWNER)),
            (true, _) => {}
        }
        let version = stored(OWNER).ok_or(Unreadable::Format(OWNER))?;
        let accounts = stored(ACCOUNTS).ok_or(Unreadable::Format(ACCOUNTS))?;
        let is_remembered = stored(REMEMBERED).as_ref() == Some(&version);
        Ok(Some(Self { version, accounts, is_remembered }))
    }
}

impl DeletionRow {
    /// `None` for a row without a deletion.
    pub(super) fn read(row: &Attributes) -> Result<Option<Self>, Unreadable> {
        let version = |name: &'static str| {
            row.get(name).map(|value| version_of(value).ok_or(Unreadable::Format(name))).transpose()
        };
        let accepted = version(ACCEPTED)?;
        let changed = changed(row);
        let accepted = |version: &Version| accepted.as_ref().is_some_and(|by| by >= version);
        Ok(version(DELETED)?.map(|version| Self { accepted: accepted(&version), version, changed }))
    }
}

/// When a row last changed, in milliseconds since 1970: as long before it expires as a row is kept.
pub(super) fn changed(row: &Attributes) -> Option<Millis> {
    let expires: u64 = row.get(EXPIRES)?.as_n()?.parse().ok()?;
    Millis::try_from(expires.checked_sub(LEDGER_ROW_LIFETIME.as_secs())?).ok()?.checked_mul(1000)
}

fn version_of(value: &AttributeValue) -> Option<Version> {
    version_text::version(value.as_s()?)
}

fn accounts_of(text: &str) -> Option<Accounts> {
    let accounts: BTreeMap<u32, String> = serde_json::from_str(text).ok()?;
    let account = |(account_type, name): (u32, String)| {
        Some(Account { account: AccountName::taken_before(&name)?, account_type: AccountType(account_type) })
    };
    accounts.into_iter().map(account).collect()
}

#[cfg(test)]
mod tests;
