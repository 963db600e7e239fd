//! What was found of devices, counted. Holds fingerprints, no tokens. Pure.

use std::collections::BTreeMap;

use contract::event::Millis;
use serde::{Deserialize, Serialize};
use tpns_account_sync::{
    check::{Inspection, NotInspected},
    ledger::RowError,
};

/// What was found of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// TPNS and the row were compared.
    Compared(Drift, Millis),
    /// The row has just changed: the device's own check is still to come.
    Recent,
    /// The ledger has no row of it. TPNS has this number of accounts for it.
    NoRow(usize),
    /// The row is not one that the function writes.
    Unreadable,
    /// TPNS or the table did not answer, for this reason.
    Unanswered(String),
}

/// How TPNS differs from a device's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drift {
    /// An account is bound that is out.
    pub(crate) bound_but_out: bool,
    /// An account is not bound that is in.
    pub(crate) not_bound_but_in: bool,
    /// Accounts that are bound and that nothing known of the device names.
    pub(crate) unknown_bindings: u64,
}

impl Drift {
    /// Whether a check would repair something.
    pub(crate) fn differs(self) -> bool {
        self.bound_but_out || self.not_bound_but_in
    }
}

impl Seen {
    /// What an inspection shows. A row that has changed within `recent` of `now` is not judged.
    pub(crate) fn of(inspected: &Result<Inspection, NotInspected>, now: Millis, recent: Millis) -> Self {
        match inspected {
            Err(NotInspected::Row(RowError::Unreadable)) => Self::Unreadable,
            Err(NotInspected::Row(row_error)) => {
                Self::Unanswered(contract::outcome::Failure::from(*row_error).to_string())
            }
            Err(NotInspected::Tpns(verdict)) => {
                Self::Unanswered(verdict.failure().map_or_else(String::new, ToString::to_string))
            }
            Ok(Inspection { changed: None, bound, .. }) => Self::NoRow(*bound),
            Ok(Inspection { changed: Some(changed), .. }) if now.saturating_sub(*changed) < recent => Self::Recent,
            Ok(Inspection { comparison, changed: Some(changed), .. }) => {
                let drift = Drift {
                    bound_but_out: comparison.is_shown(),
                    not_bound_but_in: comparison.missing.is_some(),
                    unknown_bindings: comparison.unknown.len() as u64,
                };
                Self::Compared(drift, *changed)
            }
        }
    }

    /// Whether only a second look counts.
    pub(crate) fn is_provisional(&self) -> bool {
        matches!(self, Self::Unanswered(_)) || self.differs()
    }

    pub(crate) fn differs(&self) -> bool {
        matches!(self, Self::Compared(drift, _) if drift.differs())
    }
}

/// The devices of an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Those compared.
    pub(crate) devices: u64,
    /// Those that differ in one way or both.
    pub(crate) differ: u64,
    pub(crate) bound_but_out: u64,
    pub(crate) not_bound_but_in: u64,
    pub(crate) unknown_bindings: u64,
}

/// What was not compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Omitted {
    pub(crate) recent: u64,
    pub(crate) no_row: u64,
    /// Those of them that TPNS has accounts for.
    pub(crate) no_row_but_bound: u64,
    pub(crate) unreadable: u64,
    pub(crate) unanswered: u64,
    pub(crate) rows_of_accounts: u64,
    pub(crate) rows_of_other_apps: u64,
}

/// A device that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its fingerprint.
    pub(crate) device: String,
    pub(crate) app: String,
    pub(crate) drift: Drift,
    /// When its row last changed.
    pub(crate) changed: Millis,
}

/// What was found of some devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) apps: BTreeMap<String, Counts>,
    pub(crate) omitted: Omitted,
    pub(crate) listed: Vec<Listed>,
}

impl Tally {
    /// Adds a device of an app, by its fingerprint.
    pub(crate) fn add(&mut self, app: &str, fingerprint: impl FnOnce() -> String, seen: &Seen) {
        match *seen {
            Seen::Recent => self.omitted.recent += 1,
            Seen::Unreadable => self.omitted.unreadable += 1,
            Seen::Unanswered(_) => self.omitted.unanswered += 1,
            Seen::NoRow(bound) => {
                self.omitted.no_row += 1;
                self.omitted.no_row_but_bound += u64::from(bound > 0);
            }
            Seen::Compared(drift, changed) => {
                let counts = self.apps.entry(app.to_owned()).or_default();
                counts.add(Counts {
                    devices: 1,
                    differ: drift.differs().into(),
                    bound_but_out: drift.bound_but_out.into(),
                    not_bound_but_in: drift.not_bound_but_in.into(),
                    unknown_bindings: (drift.unknown_bindings > 0).into(),
                });
                if drift.differs() {
                    self.listed.push(Listed { device: fingerprint(), app: app.to_owned(), drift, changed });
                }
            }
        }
    }

    /// Adds what was found of other devices.
    pub(crate) fn merge(&mut self, other: Self) {
        for (app, counts) in other.apps {
            self.apps.entry(app).or_default().add(counts);
        }
        self.omitted.add(other.omitted);
        self.listed.extend(other.listed);
    }

    /// The devices that differ.
    pub(crate) fn differ(&self) -> u64 {
        self.apps.values().map(|counts| counts.differ).sum()
    }

    /// The apps of which most devices differ, of enough of them: then most likely not the devices are at fault.
    pub(crate) fn suspicious(&self) -> impl Iterator<Item = &str> {
        /// As in the function, which repairs nothing of such an app.
        const ENOUGH: u64 = 20;
        let most = |counts: &Counts| counts.devices >= ENOUGH && 2 * counts.differ > counts.devices;
        self.apps.iter().filter(move |(_, counts)| most(counts)).map(|(app, _)| app.as_str())
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.devices += other.devices;
        self.differ += other.differ;
        self.bound_but_out += other.bound_but_out;
        self.not_bound_but_in += other.not_bound_but_in;
        self.unknown_bindings += other.unknown_bindings;
    }
}

impl Omitted {
    fn add(&mut self, other: Self) {
        self.recent += other.recent;
        self.no_row += other.no_row;
        self.no_row_but_bound += other.no_row_but_bound;
        self.unreadable += other.unreadable;
        self.unanswered += other.unanswered;
        self.rows_of_accounts += other.rows_of_accounts;
        self.rows_of_other_apps += other.rows_of_other_apps;
    }
}

#[cfg(test)]
mod tests;
