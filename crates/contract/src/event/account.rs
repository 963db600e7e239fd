//! Accounts: as TPNS knows them, and as an event lists them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Unexpected, Visitor},
};

use super::{
    AccountName,
    explain::misspelt,
    names::{ACCOUNT, Misspelt},
    once::once,
};

/// An account as TPNS knows it: name and type together are its key (facts.md, section 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The name.
    pub account: AccountName,
    /// TPNS's account type, 0 when the event names none.
    pub account_type: AccountType,
}

/// An account as an event lists it. What an omitted type means depends on the event: 0 in a login or a deletion; in a
/// logout, every type under which the device has the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListedAccount {
    /// The name.
    pub account: AccountName,
    /// TPNS's account type, if the event names one.
    pub account_type: Option<AccountType>,
}

impl ListedAccount {
    /// The account under the type that TPNS takes when none is named: 0.
    #[must_use]
    pub fn with_default_type(self) -> Account {
        Account { account: self.account, account_type: self.account_type.unwrap_or_default() }
    }

    /// Whether this account is listed.
    #[must_use]
    pub fn names(&self, account: &Account) -> bool {
        self.account == account.account && self.account_type.is_none_or(|own| own == account.account_type)
    }
}

impl<'de> Deserialize<'de> for ListedAccount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = ListedAccount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListedAccount, A::Error> {
                let (mut account, mut account_type) = (None, None);
                while let Some(key) = map.next_key()? {
                    match key {
                        AccountField::Account => once(&mut account, "account", &mut map)?,
                        AccountField::AccountType => once(&mut account_type, "account_type", &mut map)?,
                        AccountField::Misspelt(name) => return Err(misspelt(&name)),
                        AccountField::Unknown => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                let account = account.ok_or_else(|| de::Error::missing_field("account"))?;
                Ok(ListedAccount { account, account_type })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

enum AccountField {
    Account,
    AccountType,
    Misspelt(Misspelt),
    Unknown,
}

impl<'de> Deserialize<'de> for AccountField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = AccountField;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<AccountField, E> {
                Ok(match name {
                    "account" => AccountField::Account,
                    "account_type" => AccountField::AccountType,
                    _ => Misspelt::of(name, &ACCOUNT).map_or(AccountField::Unknown, AccountField::Misspelt),
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// TPNS's number of an account type (facts.md, section 3); values outside its table are passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountType(pub u32);

impl<'de> Deserialize<'de> for AccountType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl Visitor<'_> for Rule {
            type Value = AccountType;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer from 0 to 4294967295")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AccountType, E> {
                u32::try_from(number).map(AccountType).map_err(|_| E::invalid_value(Unexpected::Other("number"), &self))
            }
        }
        deserializer.deserialize_u32(Rule)
    }
}
