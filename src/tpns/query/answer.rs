//! Reading the answer to a query. What it lists is matched by token, or by account and type; only the codes in `result`
//! have nothing but their place.

use contract::json::Object;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{BoundAccount, Finding};
use crate::{
    event::{AccountName, AccountType, Device, Token},
    ledger::AccountKey,
    outcome::{Failure, Reason},
    plan::Verdict,
    tpns::{
        HttpAnswer, Judgement, QueryBy, Signal,
        answer::{Code, Codes},
        classify,
        codes::is_about_items,
    },
};

/// `{"retCode":0,"errMsg":"ok","result":["0"],"token_accounts":[…]}`, or with `account_tokens`. Other keys are ignored.
#[derive(Debug, Deserialize)]
struct AnswerBody {
    #[serde(alias = "retCode")]
    ret_code: Code,
    #[serde(default)]
    result: Codes,
    #[serde(default)]
    token_accounts: Entries<TokenAccounts>,
    #[serde(default)]
    account_tokens: Entries<AccountTokens>,
}

/// The entries of a list that can be read. What one that can't be read is about is not answered, so that it is asked
/// for again, and nothing else is.
#[derive(Debug)]
struct Entries<T>(Vec<T>);

#[derive(Debug, Deserialize)]
struct TokenAccounts {
    token: String,
    account_list: Vec<Object<AccountEntry>>,
}

#[derive(Debug, Deserialize)]
struct AccountTokens {
    #[serde(flatten)]
    account: AccountEntry,
    token_list: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct AccountEntry {
    account: String,
    #[serde(default, deserialize_with = "account_type")]
    account_type: Option<AccountType>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: for<'any> Deserialize<'any>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Array(entries) = Value::deserialize(deserializer)? else { return Ok(Self::default()) };
        let entries = entries.into_iter().filter_map(|entry| Object::<T>::deserialize(entry).ok());
        Ok(Self(entries.map(|Object(entry)| entry).collect()))
    }
}

/// A number, or its digits as text, as codes have it. `None` for anything else.
fn account_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountType>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number.map(AccountType))
}

/// The accounts of each device.
pub(super) fn by_token(answer: &HttpAnswer, devices: &[Device]) -> Judgement<Finding<BoundAccount>> {
    judge(answer, QueryBy::Token, devices.len(), |body| {
        let mut listed: Vec<Option<Vec<_>>> = vec![None; devices.len()];
        for TokenAccounts { token, account_list } in body.token_accounts.0 {
            let Some(place) = devices.iter().position(|device| device.token.as_str() == token) else { continue };
            let accounts = account_list.into_iter().map(|Object(AccountEntry { account, account_type })| {
                BoundAccount { account: AccountName::as_bound(&account), account_type }
            });
            listed[place].get_or_insert_default().extend(accounts);
        }
        listed
    })
}

/// The devices of each account. An entry without a type counts only if one account of that name is asked for.
pub(super) fn by_account(answer: &HttpAnswer, keys: &[AccountKey]) -> Judgement<Finding<Device>> {
    judge(answer, QueryBy::Account, keys.len(), |body| {
        let mut listed: Vec<Option<Vec<Device>>> = vec![None; keys.len()];
        for AccountTokens { account, token_list } in body.account_tokens.0 {
            let is_meant = |key: &AccountKey| {
                key.account.account.as_str() == account.account
                    && account.account_type.is_none_or(|account_type| account_type == key.account.account_type)
            };
            let mut places = (0..keys.len()).filter(|&place| is_meant(&keys[place]));
            let (Some(place), None) = (places.next(), places.next()) else { continue };
            let devices = listed[place].get_or_insert_default();
            // No event can name a device whose token breaks the contract.
            for token in token_list.iter().filter_map(|token| Token::new(token)) {
                let device = Device { app: keys[place].app, token };
                if !devices.contains(&device) {
                    devices.push(device);
                }
            }
        }
        listed
    })
}

/// What the answer says of each of the items, given what it lists for them.
fn judge<Bound>(
    answer: &HttpAnswer,
    by: QueryBy,
    items: usize,
    listed: impl FnOnce(AnswerBody) -> Vec<Option<Vec<Bound>>>,
) -> Judgement<Finding<Bound>> {
    let judgement = answer.read().and_then(|body| read(body, by, items, listed));
    let judgement = match judgement {
        // An error page shows no bindings.
        Some(Judgement::Each(findings)) if !answer.is_success() && findings.iter().any(is_bound) => None,
        other => other,
    };
    let judgement = judgement.unwrap_or_else(|| Judgement::Whole(classify(Signal::Status(answer.status), by)));
    judgement.retried_after(answer.retry_after)
}

/// `None` if there is no `ret_code` that can be read.
fn read<Bound>(
    mut body: AnswerBody,
    by: QueryBy,
    items: usize,
    listed: impl FnOnce(AnswerBody) -> Vec<Option<Vec<Bound>>>,
) -> Option<Judgement<Finding<Bound>>> {
    let Code(ret_code @ Signal::Code(number)) = body.ret_code else { return None };
    let whole = classify(ret_code, by);
    if whole == Verdict::Accepted && !ret_code.is_success() {
        return Some(match items {
            1 => Judgement::Each(vec![Finding::Bound(Vec::new())]),
            // It need not mean all of them.
            _ => Judgement::Whole(Verdict::Rejected(Failure {
                code: Some(number),
                ..Failure::of(Reason::TpnsBatchError)
            })),
        });
    }
    if !is_about_items(number, &whole) {
        return Some(Judgement::Whole(whole));
    }
    let codes = usable(body.result.0.take().unwrap_or_default(), items);
    let listed = listed(body);
    if codes.is_none() && whole != Verdict::Accepted && listed.iter().all(Option::is_none) {
        return Some(Judgement::Whole(whole));
    }
    let code = |place: usize| codes.as_ref().and_then(|codes| codes.get(place).copied());
    let findings = listed.into_iter().enumerate().map(|(place, listed)| finding(listed, code(place), by));
    Some(Judgement::Each(findings.collect()))
}

/// What the answer lists by name counts, whatever the code at the item's place.
fn finding<Bound>(listed: Option<Vec<Bound>>, code: Option<Signal>, by: QueryBy) -> Finding<Bound> {
    match (listed, code) {
        (Some(bound), _) if !bound.is_empty() => Finding::Bound(bound),
        (listed, Some(code)) if !code.is_success() => match classify(code, by) {
            Verdict::Accepted => Finding::Bound(listed.unwrap_or_default()),
            verdict => Finding::Failed(verdict),
        },
        (Some(none), _) => Finding::Bound(none),
        (None, _) => Finding::Unanswered,
    }
}

/// One code for each item. A `result` of another length is not read by index; of a single item all of it can be.
fn usable(codes: Vec<Signal>, items: usize) -> Option<Vec<Signal>> {
    let all_alike = codes.windows(2).all(|pair| pair[0] == pair[1]);
    match codes.as_slice() {
        [_, ..] if codes.len() == items => Some(codes),
        [first, ..] if items == 1 && all_alike => Some(vec![*first]),
        _ => None,
    }
}

fn is_bound<Bound>(finding: &Finding<Bound>) -> bool {
    matches!(finding, Finding::Bound(_))
}

#[cfg(test)]
mod tests;
