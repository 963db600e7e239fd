//! Outages of days, simulated with a clock and an SQS of their own: how late events are, what is lost, and what it
//! costs.
//!
//! `make outage` first measures shorter ones with real parts (`local/outage`). This program adds them to its table and
//! to the picture.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table and its progress")]

mod catalogue;
mod cost;
mod function;
mod lane;
mod messages;
mod picture;
mod plots;
mod queue;
mod real;
mod results;
mod scenario;
mod table;
mod wheel;
mod world;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use anyhow::Context;

use real::Real;
use table::Row;

/// Milliseconds of the simulated clock.
type Ms = u32;

/// Each needs about 300 MB.
const SIDE_BY_SIDE: usize = 2;

fn main() -> anyhow::Result<()> {
    let begun = Instant::now();
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let real = Real::read(&root.join("target/outage/real.json"))?;
    let rows = simulated(begun);
    let text = table::text(&rows, real.as_ref())?;
    print!("{text}");
    quote(&root.join("docs/outages.md"), &text)?;
    std::fs::write(root.join("docs/outage.svg"), picture::svg(&plots::plots(&rows, real.as_ref())))?;
    let results: Vec<_> = rows.iter().map(|row| (row.title, row.which, &row.results)).collect();
    std::fs::create_dir_all(root.join("target/outage"))?;
    std::fs::write(root.join("target/outage/simulated.json"), serde_json::to_vec(&results)?)?;
    println!(
        "\nWritten: docs/outage.svg, the table in docs/outages.md, target/outage/simulated.json. \
         The simulation took {} s.",
        begun.elapsed().as_secs()
    );
    Ok(())
}

/// The long ones first: they take as long as all others.
fn simulated(begun: Instant) -> Vec<Row> {
    let entries = catalogue::entries();
    let mut order: Vec<_> = (0..entries.len()).collect();
    order.sort_by_key(|index| (entries[*index].scenario.recovery(), *index));
    let (left, done) = (Mutex::new(order), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(index) = next else { break };
                    let catalogue::Entry { title, which, scenario } = entries[index];
                    let results = world::simulate(&scenario);
                    eprintln!("  {title}, {which}: done, {} s so far", begun.elapsed().as_secs());
                    let row = Row { title, which, scenario, results };
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, row));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, row)| row).collect()
}

/// Puts the table between the two marks of the page.
fn quote(page: &Path, table: &str) -> anyhow::Result<()> {
    const MARKS: [&str; 2] = ["<!-- what make outage printed -->\n", "<!-- until here -->"];
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
    let (before, after) = parts.with_context(|| format!("{} has lost its marks {MARKS:?}", page.display()))?;
    let text = format!("{before}{}```\n{}\n```\n{}{after}", MARKS[0], table.trim_end(), MARKS[1]);
    Ok(std::fs::write(page, text)?)
}
