//! The accounts of an owner.

use std::{mem, ops::Deref};

use serde::{Serialize, Serializer};

use crate::event::Account;

/// Accounts, one a type, in the order of their types. Nearly always there is a single one, and each device of a batch
/// has such a list, so it takes no more space than its accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(Box<[Account]>);

impl Deref for Accounts {
    type Target = [Account];

    fn deref(&self) -> &[Account] {
        &self.0
    }
}

/// Of several accounts of one type it has the last.
impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        accounts.sort_by_key(|account| account.account_type);
        accounts.dedup_by(|later, earlier| {
            let is_of_one_type = later.account_type == earlier.account_type;
            if is_of_one_type {
                mem::swap(later, earlier);
            }
            is_of_one_type
        });
        Self(accounts.into())
    }
}

/// `{"0":"1527000000","1005":"926@126.com"}`.
impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|account| (account.account_type.0, account.account.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::AccountType, testing};

    #[test]
    fn there_is_one_account_a_type_the_last_one_in_the_order_of_types() {
        let account = |name, account_type| testing::account(name, AccountType(account_type));
        let list = [account("a", 1005), account("b", 0), account("c", 1005), account("d", 10)];
        let accounts: Accounts = list.into_iter().collect();
        assert_eq!(*accounts, [account("b", 0), account("d", 10), account("c", 1005)]);
        assert_eq!(serde_json::to_string(&accounts).unwrap(), r#"{"0":"b","10":"d","1005":"c"}"#);
        assert_eq!(serde_json::to_string(&Accounts::default()).unwrap(), "{}");
    }
}
