//! The results of a run, in numbers.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use tpns_sim::Call;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) runs: usize,
    pub(crate) events: usize,
    /// Messages sent, duplicates included.
    pub(crate) messages: usize,
    /// Messages handed to the function, redeliveries included.
    pub(crate) deliveries: usize,
    pub(crate) batches: usize,
    /// Batches handled at the same time as another.
    pub(crate) concurrent: usize,
    pub(crate) kills: usize,
    pub(crate) outages: usize,
    pub(crate) calls: usize,
    /// Calls hit by a fault, by its kind.
    pub(crate) faults: BTreeMap<&'static str, usize>,
    pub(crate) applied: usize,
    pub(crate) superseded: usize,
    pub(crate) dead: usize,
    /// Accounts that a deletion removed from a newer login: the ledger's named exception.
    pub(crate) exceptions: usize,
    /// Checks handed to the function.
    pub(crate) checks: usize,
    /// Devices that differ after an epoch; of these, those that TPNS made differ; devices and deleted accounts that differed
    /// when a check saw them, and were reported; of these, those that count as drift; devices with old rows that differ after
    /// an epoch and were counted once.
    pub(crate) differing: usize,
    pub(crate) by_tpns: usize,
    pub(crate) drifts: usize,
    pub(crate) drifted: usize,
    pub(crate) counted_once: usize,
    /// Items that TPNS accepted and lost, and operations that took effect after a newer one.
    pub(crate) lost: u64,
    pub(crate) overtaken: u64,
    pub(crate) cold_starts: u64,
    pub(crate) took: Duration,
    /// A hash of every batch and its result: always the same for a seed.
    pub(crate) trace: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.events += other.events;
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.batches += other.batches;
        self.concurrent += other.concurrent;
        self.kills += other.kills;
        self.outages += other.outages;
        self.calls += other.calls;
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.applied += other.applied;
        self.superseded += other.superseded;
        self.dead += other.dead;
        self.exceptions += other.exceptions;
        self.checks += other.checks;
        self.differing += other.differing;
        self.by_tpns += other.by_tpns;
        self.drifts += other.drifts;
        self.drifted += other.drifted;
        self.counted_once += other.counted_once;
        self.lost += other.lost;
        self.overtaken += other.overtaken;
        self.cold_starts += other.cold_starts;
        self.took += other.took;
        self.trace ^= other.trace;
    }

    /// Counts calls that TPNS received, and the faults that hit them.
    pub(crate) fn count(&mut self, calls: &[Call]) {
        self.calls += calls.len();
        for kind in calls.iter().filter_map(|call| call.fault) {
            *self.faults.entry(kind).or_default() += 1;
        }
    }

    pub(crate) fn line(&self) -> String {
        let Self { events, deliveries, batches, kills, calls, trace, .. } = self;
        let faults: usize = self.faults.values().sum();
        format!(
            "{events} events, {deliveries} deliveries, {batches} batches, {kills} kills, {faults} of {calls} calls hit, trace {trace:016x}"
        )
    }

    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let rows = [
            ("runs", self.runs),
            ("events", self.events),
            ("messages, with duplicates", self.messages),
            ("deliveries", self.deliveries),
            ("batches", self.batches),
            ("  at the same time as another", self.concurrent),
            ("kills", self.kills),
            ("outages of an app", self.outages),
            ("calls", self.calls),
            ("messages applied", self.applied),
            ("messages superseded", self.superseded),
            ("messages rejected for good", self.dead),
            ("unbound by a late deletion", self.exceptions),
            ("checks", self.checks),
            ("devices that differed", self.differing),
            ("  by calls lost or overtaken", self.by_tpns),
            ("differences reported", self.drifts),
            ("  counted as drift", self.drifted),
            ("devices counted once", self.counted_once),
            ("items lost by TPNS", usize::try_from(self.lost).unwrap_or(usize::MAX)),
            ("calls overtaken at TPNS", usize::try_from(self.overtaken).unwrap_or(usize::MAX)),
            ("processes started", usize::try_from(self.cold_starts).unwrap_or(usize::MAX)),
        ];
        for (name, count) in rows {
            _ = writeln!(table, "  {name:<29} {count:>8}");
        }
        for (kind, count) in &self.faults {
            _ = writeln!(table, "  calls hit by {kind:<16} {count:>8}");
        }
        _ = writeln!(table, "  {:<29} {:>6.0} s", "time", self.took.as_secs_f64());
        table
    }

    /// A run in which nothing went wrong proves nothing. Single short runs may have few faults.
    pub(crate) fn assert_eventful(&self) {
        if self.events < 600 {
            return;
        }
        let table = self.table();
        assert!(self.faults.len() >= 9, "too few kinds of faults:\n{table}");
        assert!(self.kills > 0 && self.outages > 0 && self.concurrent > 0, "too few faults:\n{table}");
        assert!(self.applied > 0 && self.superseded > 0 && self.dead > 0, "outcomes are missing:\n{table}");
        assert!(
            self.deliveries > self.messages && self.messages > self.events,
            "nothing was delivered twice:\n{table}"
        );
        if self.checks > 0 && self.events >= 3000 {
            assert!(self.lost > 0 && self.overtaken > 0 && self.by_tpns > 0, "TPNS kept all calls:\n{table}");
            assert!(self.drifted > 0 && self.counted_once > 0, "no drift was counted:\n{table}");
        }
    }
}
