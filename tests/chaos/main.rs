//! The chaos run: random events of many devices and accounts through a FIFO queue grouped by token, in random batches
//! with duplicates, through several processes at once, while TPNS fails in every way and processes are killed; until the
//! queue is empty. Then the bindings must be those of applying the events one by one in version order.
//!
//! ```console
//! $ cargo test --test chaos                                             # a short run, a handful of seeds
//! $ SEED=7 EVENTS=300 cargo test --test chaos                           # one seed again
//! $ SEED=100 SEEDS=30 EVENTS=3000 cargo test --test chaos               # the long run, with its progress on stderr
//! ```
//!
//! [`standard`] is the same with a standard queue and the ledger: events late, doubled and shuffled, nobody's order to rely on.
//!
//! [`script`] writes the events, [`post`] says which may be sent when, [`trouble`] what goes wrong, [`run`] is the run
//! itself, [`books`] and [`past`] what must be true during and after it.
//!
//! A seed fixes the events, the batches, the faults and the kills. It does not fix how fast this machine is: should an
//! answer take longer than the timeout on its own, that run has one fault more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can not go on fails")]

mod books;
mod past;
mod post;
mod run;
mod script;
mod standard;
mod tally;
mod trouble;

use std::{env, io::Write, time::Instant};

use test_support::{control, secrets, stage, what};
use tpns_sim::model::OverrideMode;

use crate::{run::run, tally::Tally};

/// What to run: `SEED` or the seeds from it on, so many `SEEDS`, of so many `EVENTS`.
struct Order {
    seeds: std::ops::Range<u64>,
    events: usize,
    /// Somebody is watching, or waiting.
    tells: bool,
}

fn order() -> Order {
    let number = |name: &str| env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<u64>());
    let number = |name: &str| number(name).map(|number| number.unwrap_or_else(|_| panic!("{name}: no whole number")));
    let (seed, seeds, events) = (number("SEED"), number("SEEDS"), number("EVENTS"));
    let first = seed.unwrap_or(1);
    let count = seeds.unwrap_or(if seed.is_some() { 1 } else { 3 });
    let events = usize::try_from(events.unwrap_or(250)).unwrap();
    Order { seeds: first..first + count, events, tells: seed.or(seeds).is_some() }
}

/// Past the test harness, which keeps back what a test prints.
fn tell(text: &str) {
    _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

async fn chaos(mode: OverrideMode, kind: Kind) {
    let Order { seeds, events, tells } = order();
    let mut whole = Tally::default();
    for seed in seeds.clone() {
        let begun = Instant::now();
        let ended = match kind {
            Kind::Fifo => run(seed, events, mode).await,
            Kind::Ledger => standard::run(seed, events, mode).await,
        };
        match ended {
            Ok(tally) => {
                if tells {
                    tell(&format!(
                        "{kind:?}, {mode:?}, seed {seed}: {} ({:.1} s)",
                        tally.line(),
                        begun.elapsed().as_secs_f64()
                    ));
                }
                whole.add(tally);
            }
            Err(wrong) => panic!(
                "{kind:?}, {mode:?}: {wrong}\n\nagain: SEED={seed} EVENTS={events} cargo test --test chaos {}",
                test_of(mode, kind)
            ),
        }
    }
    whole.assert_wild();
    if tells {
        tell(&format!(
            "\n{kind:?}, {mode:?}, seeds {} to {}, {events} events each\n{}",
            seeds.start,
            seeds.end - 1,
            whole.table()
        ));
    }
}

/// What brings the order.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Fifo,
    Ledger,
}

fn test_of(mode: OverrideMode, kind: Kind) -> String {
    let queue = match kind {
        Kind::Fifo => "fifo",
        Kind::Ledger => "ledger",
    };
    match mode {
        OverrideMode::Replace => format!("{queue}_where_tpns_replaces"),
        OverrideMode::PerType => format!("{queue}_where_tpns_overrides_per_type"),
    }
}

#[tokio::test]
async fn the_bindings_come_true_by_fifo_where_tpns_replaces_all_accounts_of_a_token() {
    chaos(OverrideMode::Replace, Kind::Fifo).await;
}

#[tokio::test]
async fn the_bindings_come_true_by_fifo_where_tpns_overrides_per_type() {
    chaos(OverrideMode::PerType, Kind::Fifo).await;
}

#[tokio::test]
async fn the_bindings_come_true_by_the_ledger_where_tpns_replaces_all_accounts_of_a_token() {
    chaos(OverrideMode::Replace, Kind::Ledger).await;
}

#[tokio::test]
async fn the_bindings_come_true_by_the_ledger_where_tpns_overrides_per_type() {
    chaos(OverrideMode::PerType, Kind::Ledger).await;
}
