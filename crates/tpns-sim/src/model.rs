//! The binding model: what TPNS holds, and what each operation does to it.
//!
//! Pure and synchronous: no clock, no network, no environment. A property test can apply a
//! client's calls and a one-by-one reference to two clones and compare them:
//!
//! ```
//! use tpns_sim::model::{Account, BatchOperate, Settings, TokenAccounts, Tpns};
//!
//! let mut tpns = Tpns::new(["android"], Settings::default());
//! let login = BatchOperate::Override(vec![TokenAccounts {
//!     token: "token1".to_owned(),
//!     account_list: vec![Account::new("926@126.com", 1005)],
//! }]);
//! let answer = tpns.batch_operate("android", &login);
//! assert_eq!(answer.ret_code, 0);
//! assert_eq!(answer.result, ["0"]);
//! assert_eq!(tpns.bindings("android")["token1"], [Account::new("926@126.com", 1005)]);
//! ```

mod answer;
mod bindings;
mod changes;
mod found;
mod limits;
mod query;
mod request;
mod settings;
mod wire;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use self::wire::parse_json;
pub use self::{
    answer::{Answer, QueryAnswer},
    found::{AccountTokens, Found},
    limits::{ACCOUNT_LENGTH_MAX, TOKENS_PER_ACCOUNT, TOKENS_PER_CALL},
    request::{Account, BatchOperate, ItemView, Query, TokenAccounts},
    settings::{OverrideMode, Settings, TokenCap},
    wire::RequestError,
};
use self::{bindings::AppBindings, changes::Changes, limits::ItemError};
use crate::codes::RetCode;

/// The bindings of one app as its users see them: token to its accounts, by `account_type`.
/// A token without bindings is absent.
pub type Bindings = BTreeMap<String, Vec<Account>>;

/// Codes that a fault forces on items, by their position in the request.
pub(crate) type ForcedCodes = BTreeMap<usize, RetCode>;

/// The service's state: the bindings of every app, and the configured rules.
#[derive(Clone, Debug)]
pub struct Tpns {
    apps: BTreeMap<String, AppBindings>,
    settings: Settings,
    /// Only of a service that someone watches.
    changes: Option<Changes>,
}

/// A token's bindings as of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Device {
    pub(crate) app: String,
    pub(crate) token: String,
    /// The number of its last change, from 1; other tokens of any app have other numbers.
    pub(crate) change: u64,
    /// None after it lost the last one.
    pub(crate) accounts: Vec<Account>,
}

impl Tpns {
    /// A service with these apps and no bindings.
    pub fn new(apps: impl IntoIterator<Item = impl Into<String>>, settings: Settings) -> Self {
        let apps = apps.into_iter().map(|name| (name.into(), AppBindings::default())).collect();
        Self { apps, settings, changes: None }
    }

    /// Does what `POST /v3/device/account/batchoperate` does, at once.
    ///
    /// Items are handled in request order, and each succeeds or fails as a whole; `result` has one code
    /// per item. A call that breaks a rule as a whole changes nothing and has an empty `result`.
    /// The answer for an app that does not exist is 1008035.
    pub fn batch_operate(&mut self, app: &str, operation: &BatchOperate) -> Answer {
        self.batch_operate_with(app, operation, &ForcedCodes::new())
    }

    pub(crate) fn batch_operate_with(&mut self, app: &str, operation: &BatchOperate, forced: &ForcedCodes) -> Answer {
        let Some(bindings) = self.apps.get_mut(app) else {
            return no_such_app(app);
        };
        let settings = &self.settings;
        let answer = answer(operation, forced, |index| {
            check(bindings, settings, operation, index)?;
            apply(bindings, settings, operation, index);
            Ok(())
        });
        note(self.changes.as_mut(), app, bindings);
        answer
    }

    /// What [`batch_operate_with`](Self::batch_operate_with) would answer, without its effect. Each
    /// item is checked as if it were alone, which under [`TokenCap::Reject`] can make a difference.
    pub(crate) fn rehearse(&self, app: &str, operation: &BatchOperate, forced: &ForcedCodes) -> Answer {
        match self.apps.get(app) {
            None => no_such_app(app),
            Some(bindings) => answer(operation, forced, |index| check(bindings, &self.settings, operation, index)),
        }
    }

    /// Answers `POST /v3/device/account/query`.
    #[must_use]
    pub fn query(&self, app: &str, query: &Query) -> QueryAnswer {
        self.query_with(app, query, &ForcedCodes::new())
    }

    pub(crate) fn query_with(&self, app: &str, query: &Query, forced: &ForcedCodes) -> QueryAnswer {
        match self.apps.get(app) {
            Some(bindings) => query::answer(bindings, &self.settings, query, forced),
            None => QueryAnswer::of(no_such_app(app), None),
        }
    }

    /// Every binding of an app; empty for an app that does not exist.
    #[must_use]
    pub fn bindings(&self, app: &str) -> Bindings {
        self.apps.get(app).map(AppBindings::to_bindings).unwrap_or_default()
    }

    /// Sets a token's accounts, whatever they were; no rule is checked. Does nothing for an app that does not exist.
    pub fn set_bindings(&mut self, app: &str, token: &str, accounts: &[Account]) {
        if let Some(bindings) = self.apps.get_mut(app) {
            bindings.set_accounts(token, accounts);
            note(self.changes.as_mut(), app, bindings);
        }
    }

    /// Numbers the changes from here on. Only tokens that had a binding since then are listed.
    pub(crate) fn watched(self) -> Self {
        Self { changes: Some(Changes::default()), ..self }
    }

    /// The tokens that changed after change `number`, oldest change first; none if it is not
    /// [`watched`](Self::watched).
    pub(crate) fn changed_since(&self, number: u64) -> Vec<Device> {
        let changes = self.changes.iter().flat_map(|changes| changes.since(number));
        changes
            .map(|(change, app, token)| Device {
                app: app.to_owned(),
                token: token.to_owned(),
                change,
                accounts: self.apps.get(app).map(|bindings| bindings.accounts_of(token)).unwrap_or_default(),
            })
            .collect()
    }

    /// The number of the last change.
    pub(crate) fn last_change(&self) -> u64 {
        self.changes.as_ref().map_or(0, Changes::last)
    }

    pub(crate) fn token_cap(&self) -> TokenCap {
        self.settings.token_cap
    }

    /// The names of the apps, sorted.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.apps.keys().map(String::as_str)
    }

    /// Deletes every binding; apps and settings stay.
    pub fn clear(&mut self) {
        for bindings in self.apps.values_mut() {
            *bindings = AppBindings::default();
        }
        self.changes = self.changes.take().map(|_| Changes::default());
    }
}

/// Empties the list of touched tokens in any case, or it would grow for ever.
fn note(changes: Option<&mut Changes>, app: &str, bindings: &mut AppBindings) {
    let touched = bindings.take_touched();
    if let Some(changes) = changes {
        changes.note(app, touched);
    }
}

fn no_such_app(app: &str) -> Answer {
    Answer::refused(RetCode::ACCESS_ID_NOT_CORRECT, format!("there is no app `{app}`"))
}

fn answer(
    operation: &BatchOperate,
    forced: &ForcedCodes,
    mut item: impl FnMut(usize) -> Result<(), ItemError>,
) -> Answer {
    if let Err(error) = limits::check_call(operation) {
        return Answer::refused(RetCode::INVALID_PARAMETER, error.to_string());
    }
    Answer::of_items(operation.len(), |index| match forced.get(&index) {
        Some(&code) => Err(ItemError::Forced(code)),
        None => item(index),
    })
}

fn check(bindings: &AppBindings, settings: &Settings, operation: &BatchOperate, index: usize) -> Result<(), ItemError> {
    match operation {
        BatchOperate::Append(entries) | BatchOperate::Override(entries) => {
            limits::check_entry(&entries[index], settings)?;
            match settings.token_cap {
                TokenCap::Reject => bindings.check_capacity(&entries[index]),
                TokenCap::Evict | TokenCap::Off => Ok(()),
            }
        }
        BatchOperate::Unbind(entries) => limits::check_entry(&entries[index], settings),
        BatchOperate::UnbindTokens(tokens) => limits::check_token(&tokens[index], settings),
        BatchOperate::UnbindAccounts(accounts) => limits::check_account(&accounts[index], settings),
    }
}

fn apply(bindings: &mut AppBindings, settings: &Settings, operation: &BatchOperate, index: usize) {
    match operation {
        // Since 2020-10-26 operator_type 1 does what 2 does (facts.md, section 3).
        BatchOperate::Append(entries) | BatchOperate::Override(entries) => {
            bindings.override_accounts(&entries[index], settings);
        }
        BatchOperate::Unbind(entries) => bindings.unbind(&entries[index]),
        BatchOperate::UnbindTokens(tokens) => bindings.unbind_token(&tokens[index]),
        BatchOperate::UnbindAccounts(accounts) => bindings.unbind_account(&accounts[index]),
    }
}
