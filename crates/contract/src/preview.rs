//! What the function would do with an event that is sent now, and what its sender should know of it. `make run`,
//! `make check-events` and `replay send --dry-run` show the same, made here.

mod likeness;
mod neighbours;
mod opened;
mod words;

use std::borrow::Cow;

use serde_json::Value;

pub use self::{
    neighbours::Neighbours,
    opened::{EnvelopeKind, Opened},
    words::duration_text,
};
use crate::{
    apps::AppNames,
    event::{Event, Invalid, Kind, Millis, Rules},
    ingress, opaque,
    warning::Warning,
};

/// The longest token of TPNS (facts.md, section 3).
const LONGEST_TOKEN: usize = 36;
/// As milliseconds a few months of 1970 to 1973, as seconds the years 1973 to 5138.
const SECONDS: std::ops::Range<Millis> = 100_000_000..100_000_000_000;

/// The settings of the function that events are checked against.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configured apps; `None` accepts any name.
    pub apps: Option<AppNames>,
    /// `MAX_EVENT_AGE`.
    pub max_age: Millis,
    /// `MAX_CLOCK_SKEW`.
    pub max_skew: Millis,
    /// Whether the stack has a ledger.
    pub ledger: bool,
}

/// What the function would do with an event.
#[derive(Debug)]
pub struct Preview {
    /// What can be recognised of the event, also if it breaks the contract.
    pub opened: Opened,
    /// The event, or why the function parks it.
    pub verdict: Result<Event, Invalid>,
    /// What its sender should know.
    pub warnings: Vec<Warning>,
}

impl Settings {
    /// Reads a body as the function does if it is sent to a standard queue at `now`.
    #[must_use]
    pub fn preview(&self, body: &str, now: Millis) -> Preview {
        let opened = Opened::new(body);
        // Without configured names, the app that the event names is the only one.
        let any = || AppNames::new([opened.app().unwrap_or("any")]);
        let apps = self.apps.as_ref().map_or_else(|| Cow::Owned(any()), Cow::Borrowed);
        let rules = Rules { apps: &apps, now, max_age: self.max_age, max_skew: self.max_skew, ledger: self.ledger };
        let verdict = ingress::sent_event(body, now, &rules);
        let warnings = self.warnings(&opened, verdict.as_ref().ok(), now);
        Preview { opened, verdict, warnings }
    }

    fn warnings(&self, opened: &Opened, event: Option<&Event>, now: Millis) -> Vec<Warning> {
        let Some(kind) = opened.kind() else { return Vec::new() };
        let time = self.of_time(opened, event, kind, now);
        time.into_iter().chain(self.of_app(opened, kind)).chain(of_fields(opened, event, kind)).collect()
    }

    fn of_time(&self, opened: &Opened, event: Option<&Event>, kind: Kind, now: Millis) -> Option<Warning> {
        let Some(own) = opened.fields.get("occurred_at") else {
            return Some(if opened.envelope_has_time { Warning::TimeOfEnvelope } else { Warning::NoTime });
        };
        let at = opened.occurred_at()?;
        // Of a text nothing is counted.
        if own.is_number() && SECONDS.contains(&at) {
            return Some(Warning::Seconds);
        }
        if event.is_some_and(|event| event.clock_ahead > 0) {
            return Some(Warning::Ahead);
        }
        if kind != Kind::Login && self.ledger && at < now.saturating_sub(self.max_age) {
            return Some(Warning::OldUnbind);
        }
        (at % 1000 == 0).then_some(Warning::WholeSeconds)
    }

    fn of_app(&self, opened: &Opened, kind: Kind) -> Option<Warning> {
        match (opened.fields.contains_key("app"), kind, &self.apps) {
            (true, ..) => None,
            (false, Kind::Deletion, Some(apps)) if apps.only().is_some() => None,
            (false, Kind::Deletion, _) => Some(Warning::EveryApp),
            (false, Kind::Login | Kind::Logout, None) => Some(Warning::NoApp),
            // The function takes the only app, or parks the event.
            (false, Kind::Login | Kind::Logout, Some(_)) => None,
        }
    }
}

fn of_fields(opened: &Opened, event: Option<&Event>, kind: Kind) -> Vec<Warning> {
    let accounts = opened.fields.get("account_list").and_then(Value::as_array);
    let own_id = opened.id().filter(|id| !id.is_empty());
    let is_shown = |id: &str| event.map_or_else(|| opaque::is_opaque(id), |event| opaque::may_be_shown(id, event));
    let is_long = |token: &str| token.len() > LONGEST_TOKEN;
    let conditions = [
        (kind == Kind::Logout && !opened.fields.contains_key("account_list"), Warning::EveryAccount),
        (kind == Kind::Login && accounts.is_some_and(|list| one_replaces_another(list)), Warning::AccountReplaced),
        (own_id.is_none(), Warning::NoId),
        (own_id.is_some_and(|id| !is_shown(id)), Warning::IdNotShown),
        (opened.token().is_some_and(is_long), Warning::LongToken),
    ];
    let ignored = likeness::ignored_fields(&opened.fields);
    conditions.into_iter().filter_map(|(holds, warning)| holds.then_some(warning)).chain(ignored).collect()
}

/// Whether two different accounts have one type; none counts as 0.
fn one_replaces_another(list: &[Value]) -> bool {
    let key = |account: &Value| account.get("account_type").and_then(Value::as_u64).unwrap_or_default();
    let name = |account: &Value| account.get("account").cloned();
    list.iter()
        .enumerate()
        .any(|(index, one)| list[index + 1..].iter().any(|later| key(later) == key(one) && name(later) != name(one)))
}

#[cfg(test)]
mod tests;
