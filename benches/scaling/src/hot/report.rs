//! The tables of what was measured, in Markdown.

use std::time::Duration;

use super::drive::Load;
use crate::tables::{count, table};

/// A scenario, measured once.
#[derive(Debug)]
pub(super) struct Row {
    /// What arrives, how, and how many sandboxes have how large a batch.
    pub(super) scenario: [String; 3],
    pub(super) load: Load,
    /// The deletion of the account that every device has.
    pub(super) deleted: Option<Load>,
}

/// An invocation with checks, measured once.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) devices: usize,
    pub(super) load: Load,
}

/// The one with the median time.
pub(super) fn median(mut rows: Vec<Row>) -> Row {
    rows.sort_by_key(|row| row.load.took);
    let middle = rows.len() / 2;
    rows.swap_remove(middle)
}

/// Of each size, the median of CPU and of time.
pub(super) fn median_checks(rounds: &[Vec<Checked>]) -> Vec<(usize, Duration, Duration, usize, usize)> {
    let sizes = rounds.first().map_or(0, Vec::len);
    let middle = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all[all.len() / 2]
    };
    let of = |size: usize| {
        let all: Vec<_> = rounds.iter().map(|round| &round[size]).collect();
        let (took, cpu) = (all.iter().map(|one| one.load.took).collect(), all.iter().map(|one| one.load.cpu).collect());
        (all[0].devices, middle(took), middle(cpu), all[0].load.calls, all[0].load.requests.rows_read)
    };
    (0..sizes).map(of).collect()
}

pub(super) fn text(rows: &[Row], checks: &[(usize, Duration, Duration, usize, usize)]) -> String {
    let heads = [
        "events for",
        "arrive",
        "sandboxes x batch",
        "events an invocation",
        "all acknowledged after",
        "median",
        "p99",
        "writes an event",
        "of them refused",
        "rows read an event",
        "TPNS calls",
        "failed deliveries",
    ];
    let loads = rows.iter().map(|Row { scenario, load, .. }| {
        let late = |share: f64| load.late.get((load.late.len() as f64 * share) as usize).copied().unwrap_or_default();
        let an_event = |number: usize| format!("{:.2}", number as f64 / load.events as f64);
        let refused = 100.0 * load.requests.refused as f64 / load.requests.writes.max(1) as f64;
        let measured = [
            count(load.events as f64 / load.invocations.max(1) as f64),
            millis(load.took),
            millis(late(0.5)),
            millis(late(0.99)),
            an_event(load.requests.writes),
            format!("{refused:.0} %"),
            an_event(load.requests.rows_read),
            count(load.calls as f64),
            failed(load),
        ];
        scenario.iter().cloned().chain(measured).collect()
    });
    let loads = table(heads.map(str::to_owned).into(), loads);

    let heads = ["one `account.deleted` for", "acknowledged after", "writes", "rows read", "TPNS calls"];
    let deletions = rows.iter().filter_map(|row| Some((row.load.events, row.deleted.as_ref()?)));
    let deletions = deletions.map(|(devices, load)| {
        let Load { requests, .. } = load;
        vec![
            format!("{} devices", count(devices as f64)),
            millis(load.took),
            count(requests.writes as f64),
            count(requests.rows_read as f64),
            count(load.calls as f64),
        ]
    });
    let deletions = table(heads.map(str::to_owned).into(), deletions);

    let heads = ["checks in an invocation", "time", "CPU", "TPNS queries", "rows read"];
    let checks = checks.iter().map(|(devices, took, cpu, calls, rows)| {
        let cpu = format!("{:.1} ms", cpu.as_secs_f64() * 1e3);
        vec![
            format!("{} devices", count(*devices as f64)),
            millis(*took),
            cpu,
            count(*calls as f64),
            count(*rows as f64),
        ]
    });
    let checks = table(heads.map(str::to_owned).into(), checks);
    format!("{loads}\n{deletions}\n{checks}")
}

fn failed(load: &Load) -> String {
    let reasons: Vec<_> = load.reasons.iter().map(|reason| format!("`{reason}`")).collect();
    let number = count(load.failed as f64);
    if reasons.is_empty() { number } else { format!("{number}: {}", reasons.join(", ")) }
}

fn millis(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 10.0 => format!("{} ms", count(seconds * 1e3)),
        seconds => format!("{seconds:.1} s"),
    }
}
