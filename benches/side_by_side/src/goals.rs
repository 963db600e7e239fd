//! The goals, each with the measured value.

use crate::{
    contenders::Contender::{
        self, Floor, NodeByTwenty, NodeOneCall, Ours, OursWithChecks, OursWithLedger, PythonByTwenty, PythonOneCall,
    },
    report::{PureModules, Report, mebibytes, millis},
};

/// Calls in flight, the function's default.
const CONCURRENCY: usize = 8;

#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) measured: String,
    pub(crate) hit: bool,
}

impl Goal {
    fn at_most(what: &'static str, goal: &'static str, most: f64, measured: f64, unit: &str) -> Self {
        Self { what, goal, measured: show(measured, unit), hit: measured <= most }
    }

    fn at_least(what: &'static str, goal: &'static str, least: f64, measured: f64) -> Self {
        Self { what, goal, measured: show(measured, "x"), hit: measured >= least }
    }
}

fn show(measured: f64, unit: &str) -> String {
    match unit {
        "x" => format!("{measured:.2} x"),
        _ => format!("{measured:.2} {unit}"),
    }
}

/// What checks add to the events.
pub(crate) fn of_checks(report: &Report) -> Vec<Goal> {
    let of = |contender: Contender| report.checks.get(&contender);
    let walls = |contender| of(contender).map_or(&[][..], |batch| &batch.wall);
    // Of the two of a round, since they met the same load.
    let rounds = walls(OursWithChecks).iter().zip(walls(OursWithLedger));
    let mut ratios: Vec<_> = rounds.map(|(on, off)| millis(*on) / millis(*off)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let calls = [OursWithChecks, OursWithLedger].map(|contender| of(contender).map_or(0, |batch| batch.calls));
    vec![
        Goal::at_most(
            "ledger, warm batch of 10: checks on against off",
            "1.05 x",
            1.05,
            ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
            "x",
        ),
        Goal {
            what: "the same: TPNS calls",
            goal: "equal",
            measured: format!("{} and {}", calls[0], calls[1]),
            hit: calls[0] == calls[1],
        },
    ]
}

pub(crate) fn all(report: &Report) -> Vec<Goal> {
    let mut all = of_events(report);
    all.extend(of_checks(report));
    all
}

fn of_events(report: &Report) -> Vec<Goal> {
    let ready = |contender: Contender| millis(report.ready(contender));
    let sooner = |one: Contender, other: Contender| ready(one).min(ready(other)) / ready(Ours);
    let wall = |messages| report.figures(Ours, messages).map(|figures| millis(figures.wall)).unwrap_or(f64::NAN);
    let cpu = |messages| report.figures(Ours, messages).map(|figures| millis(figures.cpu)).unwrap_or(f64::NAN);
    let modules = |messages, of: fn(&PureModules) -> f64| report.modules.get(&messages).map_or(f64::NAN, of);
    let calls: Vec<_> = (report.sizes.iter())
        .flat_map(|size| [Ours, OursWithLedger].map(|contender| (size, report.figures(contender, size.messages))))
        .filter_map(|(size, figures)| figures.map(|figures| (figures.calls, size.fewest_calls)))
        .collect();
    let peak = report.figures(Ours, 10_000).and_then(|figures| figures.peak_bytes).unwrap_or(u64::MAX);
    let payload = report.size(10_000).map_or(0, |size| size.payload_bytes);
    let ideal = |round_trip: f64| 500_usize.div_ceil(CONCURRENCY) as f64 * round_trip;
    vec![
        Goal {
            what: "TPNS calls of a batch",
            goal: "the sum of ceil(items/20)",
            measured: format!(
                "{} of {} batches",
                calls.iter().filter(|(own, fewest)| own == fewest).count(),
                calls.len()
            ),
            hit: calls.iter().all(|(own, fewest)| own == fewest),
        },
        Goal::at_most(
            "ready for the first event, without ledger",
            "1.5 x the empty handler",
            1.5,
            ready(Ours) / ready(Floor),
            "x",
        ),
        Goal::at_most("the same with ledger", "4 x the empty handler", 4.0, ready(OursWithLedger) / ready(Floor), "x"),
        Goal::at_least("the same against Python", "40 x as fast", 40.0, sooner(PythonOneCall, PythonByTwenty)),
        Goal::at_least("the same against Node.js", "20 x as fast", 20.0, sooner(NodeOneCall, NodeByTwenty)),
        Goal::at_most(
            "warm batch of 10, beyond a bare call",
            "0.5 ms",
            0.5,
            wall(10) - millis(report.bare_call(10)),
            "ms",
        ),
        Goal::at_most(
            "the same, an empty invocation taken off too",
            "0.5 ms",
            0.5,
            wall(10) - millis(report.bare_call(10)) - millis(report.empty(10)),
            "ms",
        ),
        Goal::at_most(
            "10,000 messages, 500 calls",
            "1.1 x the ideal of 63 round trips",
            1.1,
            wall(10_000) / ideal(millis(report.bare_call(10_000))),
            "x",
        ),
        Goal::at_most(
            "CPU for 10,000 messages, without the calls",
            "3 x serde_json into nothing",
            3.0,
            modules(10_000, |pure| pure.modules / pure.ignored),
            "x",
        ),
        Goal::at_most(
            "the same against a serde_json::Value",
            "3 x",
            3.0,
            modules(10_000, |pure| pure.modules / pure.value),
            "x",
        ),
        Goal::at_most("CPU a message, 10,000 against 1,000", "1.1 x", 1.1, cpu(10_000) / cpu(1_000) / 10.0, "x"),
        Goal::at_most(
            "the same without the calls",
            "1.1 x",
            1.1,
            modules(10_000, |pure| pure.modules) / modules(1_000, |pure| pure.modules) / 10.0,
            "x",
        ),
        Goal::at_most("memory after the first answer", "10 MiB", 10.0, mebibytes(report.started_bytes(Ours)), "MiB"),
        Goal::at_most("memory at 10,000 messages", "5 x the payload", 5.0, peak as f64 / payload as f64, "x"),
        Goal::at_most(
            "zipped package",
            "4 MiB",
            4.0,
            mebibytes(report.zipped.get(&Ours).copied().unwrap_or(u64::MAX)),
            "MiB",
        ),
    ]
}
