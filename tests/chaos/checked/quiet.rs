//! Between two epochs nothing but checks goes on, one batch at a time, each after all that TPNS accepted has landed. So
//! what a batch finds is known before, and each drift that there is has to be counted:
//!
//! * A batch reports each device and each deleted account that it names and that differs, once, and nothing else; as
//!   `drift repaired` if the device's row has not changed for half of the time that a check waits.
//! * `Drifted` and `DriftShown` count those lines.
//! * Each device that differs when the quiet begins, and whose row is that old, is counted once until all checks are
//!   completed; again only if TPNS loses its repair.
//!
//! Not so of a process that was killed, which may have repaired and reported nothing, of a check that failed, which is
//! redelivered, and of a device that the check of a deleted account repairs.
//!
//! Most of it TPNS has made, by losing calls or by their order: there, what was accepted is what the events say. The
//! rest two invocations have made: an older deletion, say, that was accepted after a newer login of the account.
//!
//! When all checks are completed, TPNS has what the events say.

use std::collections::{BTreeSet, HashSet};

use contract::fingerprint;
use serde_json::Value;
use tpns_sim::model::Tpns;

use super::{
    drift::{Bound, Difference, Drifted, Key, Line, Name, holders, is_settled, keys, kind, line},
    *,
};
use crate::{
    faults,
    records::{APPS, apply, compare},
};

/// As long as the ledger keeps a row.
const LIFETIME: Duration = Duration::from_hours(45 * 24);

impl Checked {
    /// Delivers checks until all are completed, and compares what TPNS then has with what the events say.
    pub(super) async fn quiet(&mut self) -> Result<(), String> {
        let tpns = self.should();
        let should = APPS.iter().map(|app| ((*app).to_owned(), tpns.bindings(app))).collect();
        self.skip(time::BOUND.as_secs() + 1);
        let mut drifted = self.attribute(&should);
        for deliveries in 0.. {
            self.skip(time::BOUND.as_secs() + 1);
            let Some(batch) = self.receive_checks() else {
                if self.skip_to_next(&[CHECKS]) { continue } else { break }
            };
            if deliveries > 100 * EPOCH {
                return Err("the checks have no end".to_owned());
            }
            self.deliver_alone(batch, &should, &mut drifted).await?;
        }
        self.skip(time::BOUND.as_secs() + 1);
        self.standard.tally.counted_once += drifted.counted_once()?;
        compare(&self.standard.tpns.bindings(), &tpns, |_| true, &HashSet::new())
            .map_err(|wrong| format!("after the last check: {wrong}"))
    }

    /// Counts the devices that differ, and those of them that TPNS has made differ. Returns those with old rows.
    fn attribute(&mut self, should: &Bound) -> Drifted {
        let (bound, accepted) = (self.standard.tpns.bindings(), self.standard.tpns.accepted_bindings());
        let (mut drifted, now) = (Drifted::default(), now());
        for app in APPS {
            let should = &should[app];
            let tokens: BTreeSet<_> = bound[app].keys().chain(should.keys()).collect();
            for token in tokens.into_iter().filter(|token| bound[app].get(*token) != should.get(*token)) {
                self.standard.tally.differing += 1;
                self.standard.tally.by_tpns += usize::from(accepted[app].get(token) == should.get(token));
                if is_settled(self.changed(app, token), now) {
                    drifted.add(app, fingerprint::device(app, token));
                }
            }
        }
        drifted
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

    async fn deliver_alone(
        &mut self,
        batch: Vec<Message>,
        should: &Bound,
        drifted: &mut Drifted,
    ) -> Result<(), String> {
        let named: HashSet<Key> = batch.iter().flat_map(keys).collect();
        let expected = self.differences(&named, should);
        let tpns = self.standard.tpns.clone();
        let (bound, lost) = (tpns.bindings(), tpns.effects().lost);
        faults::lasting(&self.standard.script.world).into_iter().for_each(|fault| tpns.fault(fault));
        tpns.fault(self.loss());
        let kill = self.kill();
        let mark = self.checker(0).output_len().unwrap();
        let from = now();
        let delivered = self.deliver(0, batch, kill).await?;
        let within = (from, now());
        self.complete(&delivered);
        self.standard.tally.count(&tpns.calls());
        reset(&tpns, r#"{"faults":true,"calls":true}"#).await;
        for difference in expected.iter().filter(|_| tpns.effects().lost > lost) {
            drifted.lose(&difference.name);
        }
        for key in &named {
            match key {
                Key::Device(app, token) if delivered.killed => drifted.miss(app, &fingerprint::device(app, token)),
                Key::Device(..) => {}
                Key::Account(app, account) => {
                    let devices = holders((app, account), &bound, should);
                    devices.for_each(|token| drifted.miss(app, &fingerprint::device(app, token)));
                }
            }
        }
        if delivered.killed {
            return Ok(());
        }
        let printed = self.checker(0).lines_since(mark).unwrap();
        let printed: Vec<Value> = printed.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let lines: Vec<Line> = printed.iter().filter_map(line).collect();
        // On a busy machine an answer may be late, so that a check fails and is redelivered.
        let failed: u64 = printed.iter().filter_map(|line| line["failed"].as_u64()).sum();
        let mut missing = expected.clone();
        let is_expected = |line: &Line| {
            let place = missing.iter().position(|other| other.is(line, within));
            place.map(|place| missing.remove(place)).is_some()
        };
        if !lines.iter().all(is_expected) || missing.len() as u64 > failed {
            let done: Vec<_> = printed.iter().filter(|line| line["message"] == "checks done").collect();
            return Err(format!("drift made {expected:?}, drift counted {lines:?} within {within:?}: {done:?}"));
        }
        missing.iter().for_each(|difference| drifted.miss_of(&difference.name));
        lines.iter().for_each(|line| drifted.count(line));
        let metric = |name: &str| printed.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
        let counted = |is: fn(&&Line) -> bool| lines.iter().filter(is).count() as u64;
        let (counts, shown) = (counted(|line| line.counts), counted(|line| line.counts && line.name.kind != "missing"));
        if (metric("Drifted"), metric("DriftShown")) != (counts, shown) {
            return Err(format!("the metrics do not count {lines:?}"));
        }
        self.standard.tally.drifts += lines.len();
        self.standard.tally.drifted += usize::try_from(counts).unwrap();
        Ok(())
    }

    /// What checks that name this have to report.
    fn differences(&self, named: &HashSet<Key>, should: &Bound) -> Vec<Difference> {
        let bound = self.standard.tpns.bindings();
        let difference = |key: &Key| {
            let kind = kind(key, &bound, should)?;
            Some(match key {
                Key::Account(app, _) => {
                    Difference { name: Name { app: app.clone(), device: None, kind }, changed: None }
                }
                Key::Device(app, token) => {
                    let device = Some(fingerprint::device(app, token));
                    let changed = Some(self.changed(app, token));
                    Difference { name: Name { app: app.clone(), device, kind }, changed }
                }
            })
        };
        named.iter().filter_map(difference).collect()
    }

    /// When the row of a device that had accounts changed, in milliseconds since 1970.
    fn changed(&self, app: &str, token: &str) -> i64 {
        let expires = |table: &mut Table| table.get(&format!("device#{app}#{token}"))?.number(time::EXPIRES);
        let expires = self.standard.aws.with_table(standard::TABLE, expires).unwrap();
        (expires.expect("the device has a row") - i64::try_from(LIFETIME.as_secs()).unwrap()) * 1000
    }
}

/// The time of the functions, to whose clock nothing is skipped.
fn now() -> i64 {
    i64::try_from(Timestamp::now().as_millis()).unwrap()
}
