//! Compares the function, its alternatives and the floor in one run, on any machine.
//!
//! `make bench` builds and installs what this needs, then starts it. It prints one table, and writes
//! `target/bench/bench.json`, the picture `docs/bench.svg`, and the table into `docs/bench.md`. With an argument it
//! only prints: with `checks` what checks add to events, with `rust` the function beside the Rust peers.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table and its progress")]

mod contenders;
mod cost;
mod events;
mod goals;
mod json;
mod measure;
mod picture;
mod processor_time;
mod report;
mod selection;
mod table;
mod tpns;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use contenders::{Contender, Places, Stage};
use events::Events;
use measure::{Batch, Contestant, start};
use report::{PureModules, Report, Size, Starts};
use selection::Selection;
use tpns::Tpns;

const TPNS_LATENCY: Duration = Duration::from_millis(20);
const TABLE_LATENCY: Duration = Duration::from_millis(5);
const STARTS: usize = 20;
/// Messages of a batch, and the maximum number of measurements.
const SIZES: [(usize, usize); 5] = [(1, 100), (10, 100), (100, 50), (1_000, 25), (10_000, 9)];
/// The two differ by less than other work on the machine makes of a single batch.
const CHECKS_ROUNDS: usize = 100;
const LARGEST_SEQUENTIAL: usize = 1_000;
const PURE_MODULES_ROUNDS: &str = "31";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let begun = Instant::now();
    let selection = Selection::named(std::env::args().nth(1).as_deref())?;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join("target");
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;

    let tpns = Tpns::start(TPNS_LATENCY).await?;
    let contenders = selection.contenders();
    let stage = Stage::new(Places::find(&target, contenders)?, tpns.apps(), TABLE_LATENCY).await?;
    let mut report = Report { contenders, ..Report::default() };
    if selection != Selection::Checks {
        report.starts = starts(&stage, &tpns, contenders).await?;
        for (messages, rounds) in SIZES {
            report.sizes.push(size(&stage, &tpns, contenders, messages, rounds).await?);
            eprintln!("  {messages} messages done, {} s so far", begun.elapsed().as_secs());
        }
        for &contender in contenders {
            report.zipped.insert(contender, stage.zipped(contender, &folder)?);
        }
    }
    if selection != Selection::Rust {
        report.checks = checks(&stage, &tpns).await?;
    }
    match selection {
        Selection::Checks => print!("{}", table::goals(&goals::of_checks(&report))),
        Selection::Rust => print!("{}", table::text(&report, &goals::of_rust(&report))),
        Selection::Everything => {
            for messages in [1_000, 10_000] {
                report.modules.insert(messages, pure_modules(&stage, &folder, messages)?);
            }
            let text = table::text(&report, &goals::all(&report));
            print!("{text}");
            quote(&root.join("docs/bench.md"), &text)?;
            std::fs::write(folder.join("bench.json"), json::write(&report)?)?;
            std::fs::write(root.join("docs/bench.svg"), picture::svg(&report))?;
            println!("\nWritten: target/bench/bench.json, docs/bench.svg, the table in docs/bench.md.");
        }
    }
    println!("\nIt took {} s.", begun.elapsed().as_secs());
    Ok(())
}

/// Puts the table between the two marks of the page.
fn quote(page: &Path, table: &str) -> anyhow::Result<()> {
    const MARKS: [&str; 2] = ["<!-- what make bench printed -->\n", "<!-- until here -->"];
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
    let (before, after) = parts.with_context(|| format!("{} has lost its marks {MARKS:?}", page.display()))?;
    let lines: Vec<_> = table.lines().map(str::trim_end).collect();
    let text = format!("{before}{}```\n{}\n```\n{}{after}", MARKS[0], lines.join("\n"), MARKS[1]);
    Ok(std::fs::write(page, text)?)
}

/// Starts fresh processes of all contenders in turn, so that other load on the machine affects all of them equally.
async fn starts(stage: &Stage, tpns: &Tpns, contenders: &[Contender]) -> anyhow::Result<Starts> {
    let mut starts = Starts::default();
    for round in 0..=STARTS {
        eprint!("\r  starting fresh processes: round {round} of {STARTS}");
        let one = Events::of(1)?;
        for &contender in contenders {
            tpns.prepare(&one).await?;
            let started = start(stage, contender, &one).await?;
            // The first round only brings the files into the page cache.
            if round > 0 {
                starts.entry(contender).or_default().push(started);
            }
        }
    }
    eprintln!();
    Ok(starts)
}

/// Batches of one size: each contender is first checked for correct results, then all are measured in turn, with a bare
/// call to TPNS.
async fn size(
    stage: &Stage,
    tpns: &Tpns,
    contenders: &[Contender],
    messages: usize,
    rounds: usize,
) -> anyhow::Result<Size> {
    let events = Events::of(messages)?;
    let mut size = Size::new(messages, &events);
    let mut contestants = Vec::new();
    for &contender in contenders.iter().filter(|contender| contender.applies_events()) {
        if contender.is_sequential() && messages > LARGEST_SEQUENTIAL {
            continue;
        }
        eprintln!("  {messages} messages: {}", contender.name());
        contestants.push(Contestant::checked(stage, tpns, contender, &events).await?);
    }
    let floor = stage.function(Contender::Floor)?;
    floor.invoke(events.payload()).await?;
    for _ in 0..rounds {
        let events = Events::of(messages)?;
        tpns.prepare(&Events::of(1)?).await?;
        size.bare_call.push(tpns.bare_call().await?);
        size.empty.push(floor.invoke(events.payload()).await?.duration);
        for contestant in &mut contestants {
            contestant.turn(&events).await?;
        }
    }
    size.batches.extend(contestants.into_iter().map(|contestant| (contestant.contender, contestant.batch)));
    Ok(size)
}

/// Batches of ten with a ledger, with and without a check queue, in turn.
async fn checks(stage: &Stage, tpns: &Tpns) -> anyhow::Result<BTreeMap<Contender, Batch>> {
    let mut pair = Vec::new();
    for contender in [Contender::OursWithLedger, Contender::OursWithChecks] {
        pair.push(Contestant::checked(stage, tpns, contender, &Events::of(10)?).await?);
    }
    for _ in 0..CHECKS_ROUNDS {
        for contestant in &mut pair {
            contestant.turn(&Events::of(10)?).await?;
        }
        // Each of them is as often the first of a round.
        pair.reverse();
    }
    Ok(pair.into_iter().map(|contestant| (contestant.contender, contestant.batch)).collect())
}

/// The pure modules and serde_json with the same payload, in a separate process.
fn pure_modules(stage: &Stage, folder: &Path, messages: usize) -> anyhow::Result<PureModules> {
    let payload = folder.join("payload.json");
    std::fs::write(&payload, Events::of(messages)?.payload())?;
    let output = Command::new(stage.places.binary("pure-modules")).arg(&payload).arg(PURE_MODULES_ROUNDS).output();
    let output = output.context("the binary `pure-modules` can't be run; `make bench` builds it")?;
    if !output.status.success() {
        bail!("pure-modules: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_file(&payload)?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
