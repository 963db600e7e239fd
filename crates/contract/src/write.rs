//! Writing events, for backends in Rust: what is written is checked by what the function reads it with.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    apps::AppNames,
    event::{AccountType, Event, EventFields, Fallbacks, Invalid, Kind, MOST_ACCOUNTS, Millis, Place, Rules, explain},
    outcome::Reason,
};

/// An event to be sent: to a bus as `detail`, or to a queue as the message's body.
///
/// `occurred_at` and `id` are arguments since an event without them gets its order from when and how it was sent
/// (docs/producers.md, "The contract").
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct NewEvent<'a> {
    r#type: &'static str,
    id: Cow<'a, str>,
    occurred_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_list: Option<Vec<NewAccount<'a>>>,
}

/// An account in an event.
#[derive(Clone, Debug, Serialize)]
pub struct NewAccount<'a> {
    account: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_type: Option<u32>,
}

impl<'a> NewAccount<'a> {
    /// An account under this type.
    #[must_use]
    pub fn of_type(account: impl Into<Cow<'a, str>>, account_type: AccountType) -> Self {
        Self { account: account.into(), account_type: Some(account_type.0) }
    }
}

/// An account without a type: type 0, or in a logout every type under which the device has the account.
impl<'a> From<&'a str> for NewAccount<'a> {
    fn from(account: &'a str) -> Self {
        Self { account: account.into(), account_type: None }
    }
}

impl<'a> NewEvent<'a> {
    /// `user.login`: the device now has exactly these accounts.
    pub fn login(
        id: impl Into<Cow<'a, str>>,
        occurred_at: Millis,
        token: impl Into<Cow<'a, str>>,
        accounts: impl IntoIterator<Item = impl Into<NewAccount<'a>>>,
    ) -> Self {
        Self::new(Kind::Login, id.into(), occurred_at).at(token.into()).with(accounts)
    }

    /// `user.logout` of these accounts from the device.
    pub fn logout(
        id: impl Into<Cow<'a, str>>,
        occurred_at: Millis,
        token: impl Into<Cow<'a, str>>,
        accounts: impl IntoIterator<Item = impl Into<NewAccount<'a>>>,
    ) -> Self {
        Self::new(Kind::Logout, id.into(), occurred_at).at(token.into()).with(accounts)
    }

    /// `user.logout` of every account of the device.
    pub fn logout_of_all(id: impl Into<Cow<'a, str>>, occurred_at: Millis, token: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Kind::Logout, id.into(), occurred_at).at(token.into())
    }

    /// `account.deleted`: no device has any of these accounts.
    pub fn deletion(
        id: impl Into<Cow<'a, str>>,
        occurred_at: Millis,
        accounts: impl IntoIterator<Item = impl Into<NewAccount<'a>>>,
    ) -> Self {
        Self::new(Kind::Deletion, id.into(), occurred_at).with(accounts)
    }

    /// The name of the app: required where the function has several, except in a deletion, which without it reaches
    /// every app.
    pub fn app(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// The `detail-type` for a bus.
    #[must_use]
    pub fn detail_type(&self) -> &'static str {
        self.r#type
    }

    /// The event as JSON.
    ///
    /// # Errors
    /// [`Invalid`] names the field that breaks the contract, as the function would reject it. Whether the app is
    /// configured, and whether the event is too old, only the function knows.
    pub fn to_json(&self) -> Result<String, Invalid> {
        let json = serde_json::to_string(self)
            .map_err(|_| Invalid::new(Reason::MalformedJson, "the event could not be written as JSON"))?;
        let fields: EventFields =
            serde_json::from_str(&json).map_err(|_| explain::<EventFields>(&json, Place::Body))?;
        let apps = AppNames::new([self.app.as_deref().unwrap_or("any")]);
        let rules = Rules { apps: &apps, now: Millis::MAX, max_age: Millis::MAX, max_skew: 0, ledger: true };
        Event::new(fields, &Fallbacks::default(), &rules)?;
        Ok(json)
    }

    fn new(kind: Kind, id: Cow<'a, str>, occurred_at: Millis) -> Self {
        Self { r#type: kind.name(), id, occurred_at, app: None, token: None, account_list: None }
    }

    fn at(self, token: Cow<'a, str>) -> Self {
        Self { token: Some(token), ..self }
    }

    fn with(self, accounts: impl IntoIterator<Item = impl Into<NewAccount<'a>>>) -> Self {
        let accounts = accounts.into_iter().map(Into::into).take(MOST_ACCOUNTS + 1).collect();
        Self { account_list: Some(accounts), ..self }
    }
}

#[cfg(test)]
mod tests;
