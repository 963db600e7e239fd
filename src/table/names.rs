//! The names of the attributes that name an account.

use super::{seal::RowSeal, unreadable::Unreadable};
use crate::event::{Account, AccountName, AccountType, ListedAccount};

const OUT: &str = "out:";
const HAD: &str = "had:";
/// Not `out:*:`, which the first released version could not read; it skips unknown names.
const ANY: &str = "any:";

/// What an attribute says of an account by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// An owner had it.
    Had(Account),
    /// It was signed out.
    Out(ListedAccount),
}

/// What an attribute of this name says, and whether the name is in clear although the table has a key. `None` if it is
/// another attribute.
pub(super) fn read(name: &str, seal: &RowSeal<'_>) -> Result<Option<(Named, bool)>, Unreadable> {
    let (kept, at_fault) = match name {
        _ if name.starts_with(HAD) => (HAD, "the name of had:…"),
        _ if name.starts_with(OUT) || name.starts_with(ANY) => (OUT, "the name of out:…"),
        _ => return Ok(None),
    };
    let opened = seal.open(kept, name, at_fault)?;
    let named = clear(&opened.text).ok_or(Unreadable::Format(at_fault))?;
    Ok(Some((named, opened.is_exposed)))
}

fn clear(name: &str) -> Option<Named> {
    if let Some(typed) = name.strip_prefix(HAD) {
        return under_type(typed).map(Named::Had);
    }
    if let Some(account) = name.strip_prefix(ANY) {
        return Some(Named::Out(ListedAccount { account: AccountName::taken_before(account)?, account_type: None }));
    }
    let Account { account, account_type } = under_type(name.strip_prefix(OUT)?)?;
    Some(Named::Out(ListedAccount { account, account_type: Some(account_type) }))
}

fn under_type(text: &str) -> Option<Account> {
    let (account_type, account) = text.split_once(':')?;
    let account_type = AccountType(account_type.parse().ok()?);
    Some(Account { account: AccountName::taken_before(account)?, account_type })
}

impl Named {
    /// The attribute that says it.
    pub(super) fn attribute(&self, seal: &RowSeal<'_>) -> Result<String, Unreadable> {
        match self {
            Self::Had(account) => had(account, seal),
            Self::Out(listed) => out(listed, seal),
        }
    }
}

/// The attribute that signs an account out.
pub(super) fn out(listed: &ListedAccount, seal: &RowSeal<'_>) -> Result<String, Unreadable> {
    let clear = match listed.account_type {
        Some(AccountType(account_type)) => format!("{OUT}{account_type}:{}", listed.account.as_str()),
        None => format!("{ANY}{}", listed.account.as_str()),
    };
    seal.seal(OUT, &clear)
}

/// The attribute that remembers an account.
pub(super) fn had(account: &Account, seal: &RowSeal<'_>) -> Result<String, Unreadable> {
    seal.seal(HAD, &had_in_clear(account))
}

/// The same in a row that was written when the table had no key.
pub(super) fn had_in_clear(Account { account, account_type: AccountType(account_type) }: &Account) -> String {
    format!("{HAD}{account_type}:{}", account.as_str())
}
