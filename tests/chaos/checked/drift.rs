//! What differs at TPNS, as a test sees it and as the log reports it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use tpns_sim::model::{Account, Bindings};

use super::{Message, time};

/// The accounts of each device, of each app.
pub(super) type Bound = BTreeMap<String, Bindings>;

/// What a check names: an app, and a token or an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Device(String, String),
    Account(String, Account),
}

/// What a line of the log is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) app: String,
    /// The fingerprint of the device; `None` of a deleted account.
    pub(super) device: Option<String>,
    pub(super) kind: &'static str,
}

/// A line of the log.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: Name,
    pub(super) counts: bool,
}

/// Something that differs.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) name: Name,
    /// When the device's row changed, in milliseconds since 1970.
    pub(super) changed: Option<i64>,
}

impl Difference {
    /// Whether this line reports it, in an invocation that began within this time.
    pub(super) fn is(&self, line: &Line, (from, to): (i64, i64)) -> bool {
        let counts = |at| self.changed.is_none_or(|changed| is_settled(changed, at));
        self.name == line.name && (line.counts == counts(from) || line.counts == counts(to))
    }
}

/// Whether what differs counts as drift at this time, if its row was changed at the other.
pub(super) fn is_settled(changed: i64, at: i64) -> bool {
    at - changed >= i64::try_from(time::CHECK_AFTER.as_millis()).unwrap() / 2
}

/// A device that differs, while checks repair it.
#[derive(Debug, Default)]
struct Device {
    /// How often it was counted.
    counted: usize,
    /// Whether it may be counted once more: TPNS may have lost its repair.
    is_lost: bool,
    /// Whether it may not be counted: its process was killed, its check failed, or that of an account repaired it.
    is_missed: bool,
}

/// The devices that differ when a quiet begins, and whose rows are old enough to count.
#[derive(Debug, Default)]
pub(super) struct Drifted(HashMap<(String, String), Device>);

impl Drifted {
    pub(super) fn add(&mut self, app: &str, device: String) {
        self.0.insert((app.to_owned(), device), Device::default());
    }

    /// A check was sent for it that may not have reported it.
    pub(super) fn miss(&mut self, app: &str, device: &str) {
        self.change(app, Some(device), |device| device.is_missed = true);
    }

    /// The same.
    pub(super) fn miss_of(&mut self, name: &Name) {
        self.change(&name.app, name.device.as_deref(), |device| device.is_missed = true);
    }

    /// TPNS may have lost its repair.
    pub(super) fn lose(&mut self, name: &Name) {
        self.change(&name.app, name.device.as_deref(), |device| device.is_lost = true);
    }

    /// A line of the log.
    pub(super) fn count(&mut self, line: &Line) {
        self.change(&line.name.app, line.name.device.as_deref(), |device| device.counted += usize::from(line.counts));
    }

    fn change(&mut self, app: &str, device: Option<&str>, change: impl FnOnce(&mut Device)) {
        let key = device.map(|device| (app.to_owned(), device.to_owned()));
        if let Some(device) = key.and_then(|key| self.0.get_mut(&key)) {
            change(device);
        }
    }

    /// How many were counted once. An error if one was counted too seldom or too often.
    pub(super) fn counted_once(&self) -> Result<usize, String> {
        let is_right =
            |device: &Device| (device.counted > 0 || device.is_missed) && (device.counted < 2 || device.is_lost);
        match self.0.iter().find(|(_, device)| !is_right(device)) {
            Some(wrong) => Err(format!("a device that differed was not counted once: {wrong:?}")),
            None => Ok(self.0.values().filter(|device| device.counted == 1).count()),
        }
    }
}

pub(super) fn keys(check: &Message) -> HashSet<Key> {
    let body: Value = serde_json::from_str(&check.body).unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
    let key = |key: &Value| match key["token"].as_str() {
        Some(token) => Key::Device(text(key, "app"), token.to_owned()),
        None => {
            let account_type = u32::try_from(key["account_type"].as_u64().unwrap_or_default()).unwrap();
            Key::Account(text(key, "app"), Account::new(text(key, "account"), account_type))
        }
    };
    body["checks"].as_array().unwrap().iter().map(key).collect()
}

fn of(all: &Bound, app: &str, token: &str) -> Vec<Account> {
    all[app].get(token).cloned().unwrap_or_default()
}

/// The devices that have a deleted account, and are not to have it.
pub(super) fn holders<'b>(
    (app, account): (&'b str, &'b Account),
    bound: &'b Bound,
    should: &'b Bound,
) -> impl Iterator<Item = &'b String> {
    let has = move |(token, list): &(&String, &Vec<Account>)| {
        list.contains(account) && !of(should, app, token).contains(account)
    };
    bound[app].iter().filter(has).map(|(token, _)| token)
}

/// How TPNS differs at a key.
pub(super) fn kind(key: &Key, bound: &Bound, should: &Bound) -> Option<&'static str> {
    let (shown, missing) = match key {
        Key::Device(app, token) => {
            let (is, should) = (of(bound, app, token), of(should, app, token));
            let lacks = |other: &[Account], list: &[Account]| list.iter().any(|account| !other.contains(account));
            (lacks(&should, &is), lacks(&is, &should))
        }
        // A deleted account is not to be where no newer login has it.
        Key::Account(app, account) => (holders((app, account), bound, should).next().is_some(), false),
    };
    match (shown, missing) {
        (true, true) => Some("both"),
        (true, false) => Some("shown"),
        (false, true) => Some("missing"),
        (false, false) => None,
    }
}

pub(super) fn line(line: &Value) -> Option<Line> {
    let counts = match line["message"].as_str()? {
        "drift repaired" => true,
        "repaired ahead of a newer check" => false,
        _ => return None,
    };
    let kind = ["shown", "missing", "both"].into_iter().find(|kind| line["kind"] == *kind)?;
    let (app, device) = (line["app"].as_str()?.to_owned(), line["device"].as_str().map(str::to_owned));
    Some(Line { name: Name { app, device, kind }, counts })
}
