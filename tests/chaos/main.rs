//! The chaos run: random events of many devices and accounts through a FIFO queue grouped by token, in random batches
//! with duplicates, through several processes at once, while TPNS fails in every way and processes are killed, until
//! the queue is empty. Then the bindings must be those that result from applying the events one by one in version
//! order.
//!
//! ```console
//! $ cargo test --test chaos                                             # a short run of a few seeds
//! $ SEED=7 EVENTS=300 cargo test --test chaos                           # repeats one seed
//! $ SEED=100 SEEDS=30 EVENTS=3000 cargo test --test chaos               # the long run, with progress on stderr
//! ```
//!
//! [`standard`] is the same with a standard queue and the ledger: events are late, duplicated and shuffled, and there
//! is no order to rely on. [`checked`] adds the check queue, before a TPNS that loses and reorders what it has accepted.
//!
//! [`script`] writes the events, [`producer`] decides which may be sent when, [`faults`] what goes wrong; [`run`] is
//! the run itself, and [`records`] and [`history`] check it during and after.
//!
//! A seed fixes the events, the batches, the faults and the kills, but not the speed of the machine: if an answer takes
//! longer than the timeout by itself, that run has one more fault.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod checked;
mod faults;
mod history;
mod producer;
mod records;
mod run;
mod script;
mod standard;
mod tally;

use std::{env, io::Write, time::Instant};

use test_support::{contract_event, control, secrets, stage};
use tpns_sim::model::OverrideMode;

use crate::{run::run, tally::Tally};

/// Change to run: `SEEDS` seeds from `SEED` on, each with `EVENTS` events.
struct Options {
    seeds: std::ops::Range<u64>,
    events: usize,
    /// Whether to print progress.
    verbose: bool,
}

fn options(kind: Kind) -> Options {
    let (some_seeds, some_events) = if matches!(kind, Kind::Checked) { (1, 150) } else { (3, 250) };
    let number = |name: &str| env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<u64>());
    let number =
        |name: &str| number(name).map(|number| number.unwrap_or_else(|_| panic!("{name}: must be a whole number")));
    let (seed, seeds, events) = (number("SEED"), number("SEEDS"), number("EVENTS"));
    let first = seed.unwrap_or(1);
    let count = seeds.unwrap_or(if seed.is_some() { 1 } else { some_seeds });
    let events = usize::try_from(events.unwrap_or(some_events)).unwrap();
    Options { seeds: first..first + count, events, verbose: seed.or(seeds).is_some() }
}

/// Prints directly, since the test harness captures what a test prints.
fn print(text: &str) {
    _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

async fn chaos(mode: OverrideMode, kind: Kind) {
    let Options { seeds, events, verbose } = options(kind);
    let mut total = Tally::default();
    for seed in seeds.clone() {
        let begun = Instant::now();
        let ended = match kind {
            Kind::Fifo => run(seed, events, mode).await,
            Kind::Ledger => standard::run(seed, events, mode).await,
            Kind::Checked => checked::run(seed, events, mode).await,
        };
        match ended {
            Ok(tally) => {
                if verbose {
                    print(&format!(
                        "{kind:?}, {mode:?}, seed {seed}: {} ({:.1} s)",
                        tally.line(),
                        begun.elapsed().as_secs_f64()
                    ));
                }
                total.add(tally);
            }
            Err(wrong) => panic!(
                "{kind:?}, {mode:?}: {wrong}\n\nto repeat: SEED={seed} EVENTS={events} cargo test --test chaos {}",
                test_of(mode, kind)
            ),
        }
    }
    total.assert_eventful();
    if verbose {
        print(&format!(
            "\n{kind:?}, {mode:?}, seeds {} to {}, {events} events each\n{}",
            seeds.start,
            seeds.end - 1,
            total.table()
        ));
    }
}

/// Change ensures the order of events.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Fifo,
    Ledger,
    Checked,
}

fn test_of(mode: OverrideMode, kind: Kind) -> String {
    let queue = match kind {
        Kind::Fifo => "fifo",
        Kind::Ledger => "ledger",
        Kind::Checked => "checks",
    };
    match mode {
        OverrideMode::Replace => format!("{queue}_where_tpns_replaces"),
        OverrideMode::PerType => format!("{queue}_where_tpns_overrides_per_type"),
    }
}

#[tokio::test]
async fn the_bindings_are_correct_with_fifo_where_tpns_replaces_all_accounts_of_a_token() {
    chaos(OverrideMode::Replace, Kind::Fifo).await;
}

#[tokio::test]
async fn the_bindings_are_correct_with_fifo_where_tpns_overrides_per_type() {
    chaos(OverrideMode::PerType, Kind::Fifo).await;
}

#[tokio::test]
async fn the_bindings_are_correct_with_the_ledger_where_tpns_replaces_all_accounts_of_a_token() {
    chaos(OverrideMode::Replace, Kind::Ledger).await;
}

#[tokio::test]
async fn the_bindings_are_correct_with_the_ledger_where_tpns_overrides_per_type() {
    chaos(OverrideMode::PerType, Kind::Ledger).await;
}

#[tokio::test]
async fn the_bindings_are_correct_with_checks_where_tpns_replaces_all_accounts_of_a_token() {
    chaos(OverrideMode::Replace, Kind::Checked).await;
}

#[tokio::test]
async fn the_bindings_are_correct_with_checks_where_tpns_overrides_per_type() {
    chaos(OverrideMode::PerType, Kind::Checked).await;
}
