//! Between two epochs nothing but checks goes on, one batch at a time, each after all that TPNS accepted has landed. So
//! what a batch finds is known before, and each drift that there is has to be counted:
//!
//! * A batch reports each device and each deleted account that it names and that differs, once, and nothing else; as
//!   `drift repaired` unless the device's row is newer than its checks, which then has a check of its own still to come.
//! * `Drifted` and `DriftShown` count those lines.
//!
//! Not so of a process that was killed, which may have repaired and reported nothing, nor of a check that failed, which
//! is redelivered.
//!
//! Most of it TPNS has made, by losing calls or by their order: there, what was accepted is what the events say. The
//! rest two invocations have made: an older deletion, say, that was accepted after a newer login of the account.
//!
//! When all checks are completed, TPNS has what the events say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use contract::fingerprint;
use serde_json::Value;
use tpns_sim::model::{Account, Bindings, Tpns};

use super::*;
use crate::{
    faults,
    records::{APPS, apply, compare},
};

/// As long as the ledger keeps a row.
const LIFETIME: Duration = Duration::from_hours(45 * 24);
/// By how much a row may be newer than a check and still be taken for as old, in milliseconds.
const CLOCKS: i64 = 2000;

/// What a check names: an app, and a token or an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Device(String, String),
    Account(String, Account),
}

/// A line of the log: app, fingerprint of the device, kind of drift, and whether it counts.
type Line = (String, Option<String>, &'static str, bool);

impl Checked {
    /// Delivers checks until all are completed, and compares what TPNS then has with what the events say.
    pub(super) async fn quiet(&mut self) -> Result<(), String> {
        let should = self.should();
        self.skip(time::BOUND.as_secs() + 1);
        self.attribute(&should);
        for deliveries in 0.. {
            self.skip(time::BOUND.as_secs() + 1);
            let Some(batch) = self.receive_checks() else {
                if self.skip_to_next(&[CHECKS]) { continue } else { break }
            };
            if deliveries > 100 * EPOCH {
                return Err("the checks have no end".to_owned());
            }
            self.deliver_alone(batch, &should).await?;
        }
        self.skip(time::BOUND.as_secs() + 1);
        compare(&self.standard.tpns.bindings(), &should, |_| true, &HashSet::new())
            .map_err(|wrong| format!("after the last check: {wrong}"))
    }

    /// Counts the devices that differ, and those of them that TPNS has made differ.
    fn attribute(&mut self, should: &Tpns) {
        let (bound, accepted) = (self.standard.tpns.bindings(), self.standard.tpns.accepted_bindings());
        for app in APPS {
            let should = should.bindings(app);
            let tokens: BTreeSet<_> = bound[app].keys().chain(should.keys()).collect();
            for token in tokens.into_iter().filter(|token| bound[app].get(*token) != should.get(*token)) {
                self.standard.tally.differing += 1;
                self.standard.tally.by_tpns += usize::from(accepted[app].get(token) == should.get(token));
            }
        }
    }

    /// TPNS as the events that were sent make it, in version order.
    fn should(&self) -> Tpns {
        let sent: HashSet<_> = self.standard.messages.values().collect();
        let mut should = Tpns::new(APPS, self.standard.script.world.settings.clone());
        for (index, event) in self.standard.script.events.iter().enumerate() {
            if sent.contains(&index) {
                apply(&mut should, event);
            }
        }
        should
    }

    async fn deliver_alone(&mut self, batch: Vec<Message>, should: &Tpns) -> Result<(), String> {
        let expected = self.drifts(&batch, should);
        let tpns = self.standard.tpns.clone();
        faults::lasting(&self.standard.script.world).into_iter().for_each(|fault| tpns.fault(fault));
        tpns.fault(self.loss());
        let kill = self.kill();
        let mark = self.checker(0).output_len().unwrap();
        let delivered = self.deliver(0, batch, kill).await?;
        self.complete(&delivered);
        self.standard.tally.count(&tpns.calls());
        reset(&tpns, r#"{"faults":true,"calls":true}"#).await;
        if delivered.killed {
            return Ok(());
        }
        let printed = self.checker(0).lines_since(mark).unwrap();
        let printed: Vec<Value> = printed.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut lines: Vec<Line> = printed.iter().filter_map(line).collect();
        lines.sort();
        // On a busy machine an answer may be late, so that a check fails and is redelivered.
        let failed: u64 = printed.iter().filter_map(|line| line["failed"].as_u64()).sum();
        let mut missing = expected.clone();
        let is_expected =
            |line: &Line| missing.iter().position(|other| other == line).map(|place| missing.remove(place));
        if !lines.iter().map(is_expected).all(|found| found.is_some()) || missing.len() as u64 > failed {
            let done: Vec<_> = printed.iter().filter(|line| line["message"] == "checks done").collect();
            return Err(format!("drift made {expected:?}, drift counted {lines:?}: {done:?}"));
        }
        let metric = |name: &str| printed.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
        let counted = |is: fn(&&Line) -> bool| lines.iter().filter(is).count() as u64;
        let (drifted, shown) = (counted(|line| line.3), counted(|line| line.3 && line.2 != "missing"));
        if (metric("Drifted"), metric("DriftShown")) != (drifted, shown) {
            return Err(format!("the metrics do not count {lines:?}"));
        }
        self.standard.tally.drifts += lines.len();
        self.standard.tally.drifted += usize::try_from(drifted).unwrap();
        Ok(())
    }

    /// What these checks have to report.
    fn drifts(&self, batch: &[Message], should: &Tpns) -> Vec<Line> {
        let bound = self.standard.tpns.bindings();
        let should: BTreeMap<_, _> = APPS.iter().map(|app| ((*app).to_owned(), should.bindings(app))).collect();
        let mut sent: HashMap<Key, i64> = HashMap::new();
        for check in batch {
            let at = i64::try_from(check.sent.as_millis()).unwrap();
            for key in keys(check) {
                let newest = sent.entry(key).or_insert(at);
                *newest = at.max(*newest);
            }
        }
        let mut lines: Vec<Line> = sent
            .into_iter()
            .filter_map(|(key, sent)| {
                let kind = kind(&key, &bound, &should)?;
                Some(match key {
                    Key::Account(app, _) => (app, None, kind, true),
                    Key::Device(app, token) => {
                        let counts = self.changed(&app, &token) <= sent + CLOCKS;
                        let device = fingerprint::device(&app, &token);
                        (app, Some(device), kind, counts)
                    }
                })
            })
            .collect();
        lines.sort();
        lines
    }

    /// When the row of a device that had accounts changed, in milliseconds since 1970.
    fn changed(&self, app: &str, token: &str) -> i64 {
        let expires = |table: &mut Table| table.get(&format!("device#{app}#{token}"))?.number(time::EXPIRES);
        let expires = self.standard.aws.with_table(standard::TABLE, expires).unwrap();
        (expires.expect("the device has a row") - i64::try_from(LIFETIME.as_secs()).unwrap()) * 1000
    }
}

fn keys(check: &Message) -> HashSet<Key> {
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

/// How TPNS differs at a key.
fn kind(key: &Key, bound: &BTreeMap<String, Bindings>, should: &BTreeMap<String, Bindings>) -> Option<&'static str> {
    let of =
        |all: &BTreeMap<String, Bindings>, app: &str, token: &str| all[app].get(token).cloned().unwrap_or_default();
    let (shown, missing) = match key {
        Key::Device(app, token) => {
            let (is, should) = (of(bound, app, token), of(should, app, token));
            let lacks = |other: &[Account], list: &[Account]| list.iter().any(|account| !other.contains(account));
            (lacks(&should, &is), lacks(&is, &should))
        }
        // A deleted account is not to be where no newer login has it.
        Key::Account(app, account) => {
            let has =
                |token: &String, list: &[Account]| list.contains(account) && !of(should, app, token).contains(account);
            (bound[app].iter().any(|(token, list)| has(token, list)), false)
        }
    };
    match (shown, missing) {
        (true, true) => Some("both"),
        (true, false) => Some("shown"),
        (false, true) => Some("missing"),
        (false, false) => None,
    }
}

fn line(line: &Value) -> Option<Line> {
    let counts = match line["message"].as_str()? {
        "drift repaired" => true,
        "repaired ahead of a newer check" => false,
        _ => return None,
    };
    let kind = ["shown", "missing", "both"].into_iter().find(|kind| line["kind"] == *kind)?;
    Some((line["app"].as_str()?.to_owned(), line["device"].as_str().map(str::to_owned), kind, counts))
}
