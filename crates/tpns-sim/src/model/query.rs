//! `POST /v3/device/account/query`: the current bindings (facts.md, section 5).

use super::{
    ForcedCodes,
    answer::{Answer, QueryAnswer},
    bindings::AppBindings,
    found::{AccountTokens, Found},
    limits::{self, ItemError},
    request::{Query, TokenAccounts},
    settings::Settings,
};
use crate::codes::RetCode;

pub(super) fn answer(bindings: &AppBindings, settings: &Settings, query: &Query, forced: &ForcedCodes) -> QueryAnswer {
    let count = query.items().len();
    if count == 0 {
        return QueryAnswer::refused(RetCode::INVALID_PARAMETER, "the query has no items");
    }
    let check = |index: usize| match forced.get(&index) {
        Some(&code) => Err(ItemError::Forced(code)),
        None => Ok(()),
    };
    let (answer, found) = match query {
        Query::ByAccount(accounts) => {
            let mut found = Vec::new();
            let answer = Answer::of_items(count, |index| {
                check(index)?;
                let account = &accounts[index];
                limits::check_account(account, settings)?;
                let token_list = bindings.tokens_of(account);
                if token_list.is_empty() {
                    return Err(ItemError::NothingBound);
                }
                found.push(AccountTokens { account: account.clone(), token_list });
                Ok(())
            });
            (answer, Found::AccountTokens(found))
        }
        Query::ByToken(tokens) => {
            let mut found = Vec::new();
            let answer = Answer::of_items(count, |index| {
                check(index)?;
                let token = &tokens[index];
                limits::check_token_shape(token, settings)?;
                let account_list = bindings.accounts_of(token);
                if account_list.is_empty() {
                    return Err(ItemError::NothingBound);
                }
                found.push(TokenAccounts { token: token.clone(), account_list });
                Ok(())
            });
            (answer, Found::TokenAccounts(found))
        }
    };
    QueryAnswer { answer, found: Some(found), omits_account_type: settings.omit_account_type }
}
