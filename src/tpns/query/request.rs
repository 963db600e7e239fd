//! The body of a query.

use serde::Serialize;

use crate::{
    event::Device,
    ledger::AccountKey,
    tpns::{QueryBy, request::AccountEntry},
};

#[derive(Serialize)]
struct ByToken<'a> {
    operator_type: u8,
    token_list: Vec<&'a str>,
}

#[derive(Serialize)]
struct ByAccount<'a> {
    operator_type: u8,
    account_list: Vec<AccountEntry<'a>>,
}

pub(super) fn by_token(devices: &[Device]) -> serde_json::Result<Vec<u8>> {
    let token_list = devices.iter().map(|device| device.token.as_str()).collect();
    serde_json::to_vec(&ByToken { operator_type: QueryBy::Token as u8, token_list })
}

pub(super) fn by_account(keys: &[AccountKey]) -> serde_json::Result<Vec<u8>> {
    let account_list = keys.iter().map(|key| (&key.account).into()).collect();
    serde_json::to_vec(&ByAccount { operator_type: QueryBy::Account as u8, account_list })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        apps::AppId,
        event::{AccountType, Token},
        testing::account,
    };

    #[test]
    fn the_bodies_are_those_of_the_documentation() {
        let device = |token| Device { app: AppId(0), token: Token::new(token).unwrap() };
        assert_eq!(
            String::from_utf8(by_token(&[device("token1"), device("token2")]).unwrap()).unwrap(),
            r#"{"operator_type":2,"token_list":["token1","token2"]}"#
        );
        let key = |name, account_type| AccountKey { app: AppId(0), account: account(name, AccountType(account_type)) };
        assert_eq!(
            String::from_utf8(by_account(&[key("account1", 0), key("account2", 1)]).unwrap()).unwrap(),
            r#"{"operator_type":1,"account_list":[{"account":"account1"},{"account":"account2","account_type":1}]}"#
        );
    }
}
