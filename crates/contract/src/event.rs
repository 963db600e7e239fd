//! The contract: what a backend says happened, checked and completed (docs/producers.md).

mod account;
mod characters;
mod explain;
mod fallbacks;
mod fields;
mod names;
mod once;
#[cfg(test)]
mod schema;
mod timestamp;
mod wire;

use std::{borrow::Cow, ops::Deref};

pub use account::{Account, AccountType, ListedAccount};
pub(crate) use explain::{Place, explain};
pub(crate) use fallbacks::deliveries;
pub use fallbacks::{EventTime, Fallbacks};
pub use fields::{AccountName, AppName, EventId, Kind, OccurredAt, Text, Token};
pub(crate) use names::{BRIDGE, EVENT, Misspelt, NOTIFICATION};
pub use timestamp::Millis;
pub use wire::EventFields;
pub(crate) use wire::Field;

use crate::{
    apps::{AppId, AppNames},
    outcome::{Failure, Reason},
};

/// `MAX_EVENT_AGE` where it is not set; the template's `MaxEventAge` has the same default.
pub const DEFAULT_MAX_EVENT_AGE: &str = "14d";
/// `MAX_CLOCK_SKEW` where it is not set; the template's `MaxClockSkew` has the same default.
pub const DEFAULT_MAX_CLOCK_SKEW: &str = "5m";

/// At most this many accounts in one event.
pub const MOST_ACCOUNTS: usize = 100;

/// An event that keeps the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of events.
    pub version: Version,
    /// What it changes.
    pub change: Change,
    /// The producer's id, or the envelope's.
    pub id: Text,
    /// By how much `occurred_at` is later than the time at which the event was sent, which is impossible: the
    /// producer's clock is ahead. Usually 0.
    pub clock_ahead: Millis,
    /// How often its message has been delivered, as far as the envelope says; at least 1.
    pub deliveries: u32,
}

/// The place of an event among those of its batch that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventIndex(pub usize);

/// The place of an event in the total order: time, then rank (at equal times privacy wins), then what breaks the tie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// When, in epoch milliseconds: `occurred_at`, but not later than the event was sent.
    pub at: Millis,
    /// login < logout < deletion.
    pub rank: Kind,
    /// The event's id; of a login or logout from a FIFO queue `~<number of digits><SequenceNumber>~<id>`, which sorts
    /// as the numbers do, and behind ids without one.
    pub tie_breaker: Text,
}

/// A device as TPNS identifies it: each app has its own tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// The app the token belongs to.
    pub app: AppId,
    /// The device's token.
    pub token: Token,
}

/// What an event changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The device must have these accounts and no others; one of each account type, since TPNS keeps no more.
    Login(Device, Vec<Account>),
    /// The device must have none of these accounts.
    Logout(Device, Vec<ListedAccount>),
    /// The device must have no account at all.
    LogoutAll(Device),
    /// No device of these apps may have any of these accounts.
    Deletion(Reach, Vec<Account>),
}

/// The apps that a deletion reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    apps: Vec<AppId>,
    every: bool,
}

impl Reach {
    /// A deletion that names no app reaches every app, including apps that are not known yet.
    #[must_use]
    pub fn every(apps: &AppNames) -> Self {
        Self { apps: apps.ids().collect(), every: true }
    }
}

impl From<Vec<AppId>> for Reach {
    fn from(apps: Vec<AppId>) -> Self {
        Self { apps, every: false }
    }
}

impl Deref for Reach {
    type Target = [AppId];
    fn deref(&self) -> &[AppId] {
        &self.apps
    }
}

/// An event that breaks the contract: it can never be applied as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// Why, in one word.
    pub reason: Reason,
    /// The field and what to do. Never a value of the event.
    pub detail: Cow<'static, str>,
}

impl Invalid {
    pub(crate) fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl From<Invalid> for Failure {
    fn from(Invalid { reason, detail }: Invalid) -> Self {
        Self { detail, ..Self::of(reason) }
    }
}

/// What an event is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The configured apps.
    pub apps: &'a AppNames,
    /// The time at which the batch arrived.
    pub now: Millis,
    /// An older event is rejected, since a replay must not restore a binding.
    pub max_age: Millis,
    /// An event further ahead is rejected, since one wrong clock must not outrank every later event.
    pub max_skew: Millis,
    /// Whether a table keeps what is newest of each device and account. Then logouts and deletions of any age are
    /// applied: they do nothing where the table has something newer.
    pub ledger: bool,
}

impl Event {
    /// Checks the fields against the contract and completes them from the envelope.
    ///
    /// # Errors
    /// [`Invalid`] with the first field that breaks the contract.
    pub fn new(fields: EventFields, fallbacks: &Fallbacks<'_>, rules: &Rules<'_>) -> Result<Self, Invalid> {
        let kind = fields.kind.ok_or_else(|| Invalid::new(Reason::MissingField, "type: is missing"))?;
        let change = change(kind, fields.app.as_ref(), fields.token, fields.account_list, rules.apps)?;
        let time = fallbacks.time(fields.occurred_at)?;
        check_age(kind, &time, rules)?;
        let id = fallbacks.id(fields.id)?;
        let version = Version { at: time.at, rank: kind, tie_breaker: fallbacks.tie_breaker(kind, &id) };
        Ok(Self { version, change, id, clock_ahead: time.ahead, deliveries: fallbacks.deliveries() })
    }

    /// Has its version name another text in place of the event's id, which may be made of an account. For the same id
    /// it must be the same text, or copies of the event do not have the same version.
    pub fn name_in_version(&mut self, pseudonym: impl FnOnce(&str) -> String) {
        // The id comes last, behind what a FIFO queue adds.
        let tie_breaker = &self.version.tie_breaker;
        let kept = tie_breaker.get(..tie_breaker.len().saturating_sub(self.id.len())).unwrap_or_default();
        self.version.tie_breaker = format!("{kept}{}", pseudonym(&self.id)).into();
    }

    /// Whether it reaches every app, including apps that are not known yet.
    #[must_use]
    pub fn reaches_every_app(&self) -> bool {
        matches!(&self.change, Change::Deletion(reach, _) if reach.every)
    }

    /// The device of a login or logout.
    #[must_use]
    pub fn device(&self) -> Option<&Device> {
        match &self.change {
            Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => Some(device),
            Change::Deletion(..) => None,
        }
    }
}

fn change(
    kind: Kind,
    app: Option<&AppName>,
    token: Option<Token>,
    accounts: Option<Vec<ListedAccount>>,
    apps: &AppNames,
) -> Result<Change, Invalid> {
    let accounts = accounts.map(|list| distinct(kind, list)).transpose()?;
    let device = |token: Option<Token>| {
        let token = token
            .ok_or_else(|| Invalid::new(Reason::MissingField, "token: is missing; name the device's TPNS token"))?;
        Ok::<_, Invalid>(Device { app: app_of_device(app, apps)?, token })
    };
    let required = |accounts: Option<Vec<ListedAccount>>| {
        let accounts = accounts.filter(|list| !list.is_empty()).ok_or_else(|| {
            Invalid::new(Reason::MissingField, "account_list: is missing or empty; name at least one account")
        })?;
        Ok::<Vec<Account>, Invalid>(accounts.into_iter().map(ListedAccount::with_default_type).collect())
    };
    match kind {
        Kind::Login => Ok(Change::Login(device(token)?, required(accounts)?)),
        Kind::Logout => match accounts {
            // An empty list would acknowledge a logout without any effect.
            Some(list) if list.is_empty() => Err(Invalid::new(
                Reason::InvalidField,
                "account_list: is empty; name at least one account, or omit the field to sign out of every account",
            )),
            Some(list) => Ok(Change::Logout(device(token)?, list)),
            None => Ok(Change::LogoutAll(device(token)?)),
        },
        Kind::Deletion if token.is_some() => Err(Invalid::new(
            Reason::InvalidField,
            "token: is not allowed in account.deleted, which reaches every device; omit it, or send user.logout",
        )),
        Kind::Deletion => {
            let apps = match app {
                Some(name) => vec![known_app(name, apps)?].into(),
                None => Reach::every(apps),
            };
            Ok(Change::Deletion(apps, required(accounts)?))
        }
    }
}

/// Drops doubles, and of a login's accounts of one type all but the last: TPNS keeps one account a type, "an account
/// bound later will override the one bound earlier" (facts.md, section 3), and the order must know which one counts.
fn distinct(kind: Kind, mut list: Vec<ListedAccount>) -> Result<Vec<ListedAccount>, Invalid> {
    if list.len() > MOST_ACCOUNTS {
        let detail = match kind {
            // Two logins would not add up: the later one takes the first one's accounts away.
            Kind::Login => {
                "account_list: has more than 100 accounts; send at most 100: a login carries all accounts of the \
                 device, and TPNS keeps one of each account_type"
            }
            Kind::Logout | Kind::Deletion => "account_list: has more than 100 accounts; send them in several events",
        };
        return Err(Invalid::new(Reason::InvalidField, detail));
    }
    let mut index = 0;
    while index < list.len() {
        let (account, rest) = (&list[index], &list[index + 1..]);
        let type_of = |listed: &ListedAccount| listed.account_type.unwrap_or_default();
        let appears_later = match kind {
            Kind::Login => rest.iter().any(|later| type_of(later) == type_of(account)),
            Kind::Logout => rest.contains(account),
            Kind::Deletion => {
                rest.iter().any(|later| later.account == account.account && type_of(later) == type_of(account))
            }
        };
        if appears_later {
            list.remove(index);
        } else {
            index += 1;
        }
    }
    Ok(list)
}

fn app_of_device(app: Option<&AppName>, apps: &AppNames) -> Result<AppId, Invalid> {
    match app {
        Some(name) => known_app(name, apps),
        None => apps.only().ok_or_else(|| {
            let detail = "app: is missing, and more than one app is configured; name the token's app; the apps are";
            Invalid::new(Reason::MissingApp, format!("{detail} {}", apps.listed()))
        }),
    }
}

fn known_app(name: &AppName, apps: &AppNames) -> Result<AppId, Invalid> {
    apps.find(name.as_str()).ok_or_else(|| {
        let detail = "app: is not configured; name an app of TPNS_APPS, or add it there; the apps are";
        Invalid::new(Reason::UnknownApp, format!("{detail} {}", apps.listed()))
    })
}

/// A login is refused for its age or for a clock too far ahead. Logouts and deletions are the private side: with a
/// ledger they are applied at any age, and a clock ahead of its transport's has been corrected already.
fn check_age(kind: Kind, time: &EventTime, rules: &Rules<'_>) -> Result<(), Invalid> {
    let unbinds_by_ledger = rules.ledger && kind != Kind::Login;
    let claimed = if unbinds_by_ledger { time.at } else { time.at.saturating_add(time.ahead) };
    if claimed > rules.now.saturating_add(rules.max_skew) {
        return Err(Invalid::new(
            Reason::InTheFuture,
            "occurred_at: is further ahead than MAX_CLOCK_SKEW; set the producer's clock, and count milliseconds",
        ));
    }
    if time.at < rules.now.saturating_sub(rules.max_age) && !unbinds_by_ledger {
        return Err(Invalid::new(
            Reason::TooOld,
            "occurred_at: is older than MAX_EVENT_AGE; a number must count milliseconds, not seconds",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
