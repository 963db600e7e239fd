//! The goals, each with the measured value.

use crate::{
    contenders::Contender::{
        self, Floor, NodeByTwenty, NodeOneCall, Ours, OursWithChecks, OursWithLedger, PythonByTwenty, PythonOneCall,
        RustByTwenty, RustSdkWrites,
    },
    measure::Batch,
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
    let calls = [OursWithChecks, OursWithLedger].map(|contender| of(contender).map_or(0, |batch| batch.calls));
    vec![
        Goal::at_most(
            "ledger, warm batch of 10: checks on against off",
            "1.05 x",
            1.05,
            paired(of(OursWithChecks), of(OursWithLedger)),
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

/// The ratio of the times of two contenders: the median over the rounds, since the two of a round met the same load.
fn paired(one: Option<&Batch>, other: Option<&Batch>) -> f64 {
    let (Some(one), Some(other)) = (one, other) else { return f64::NAN };
    let mut ratios: Vec<_> =
        one.wall.iter().zip(&other.wall).map(|(one, other)| millis(*one) / millis(*other)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The function without its ledger beside what you would write by hand, and with it.
pub(crate) fn of_rust(report: &Report) -> Vec<Goal> {
    let batch = |contender: Contender, messages| report.size(messages)?.batches.get(&contender);
    let time = |one, other, messages| paired(batch(one, messages), batch(other, messages));
    let cpu = |one, other| match (batch(one, 1_000), batch(other, 1_000)) {
        (Some(one), Some(other)) => millis(one.cpu) / millis(other.cpu),
        _ => f64::NAN,
    };
    let goal = |what, goal, most, measured| Goal::at_most(what, goal, most, measured, "x");
    vec![
        goal("CPU for 1,000 messages, ledger on", "6 x ledger off", 6.0, cpu(OursWithLedger, Ours)),
        goal("the same", "1 x Rust, SDK writes", 1.0, cpu(OursWithLedger, RustSdkWrites)),
        goal("CPU for 1,000 messages, ledger off", "1.2 x Rust, by twenty", 1.2, cpu(Ours, RustByTwenty)),
        goal("time for 1,000 messages, ledger off", "1.05 x Rust, by twenty", 1.05, time(Ours, RustByTwenty, 1_000)),
        goal("warm batch of 10, ledger on", "1.5 x ledger off", 1.5, time(OursWithLedger, Ours, 10)),
    ]
}

pub(crate) fn all(report: &Report) -> Vec<Goal> {
    let mut all = of_events(report);
    all.extend(of_rust(report));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{events::Events, report::Size};

    fn batch(wall_ms: &[u64], cpu_ms: u64) -> Batch {
        let wall = wall_ms.iter().copied().map(Duration::from_millis).collect();
        Batch { wall, cpu: Duration::from_millis(cpu_ms), ..Batch::default() }
    }

    #[test]
    fn times_are_compared_within_a_round() {
        // The machine was ten times slower in the third round, and the second contender took too long for a fourth.
        let (one, other) = (batch(&[20, 22, 200, 20], 0), batch(&[10, 10, 100], 0));
        assert_eq!(paired(Some(&one), Some(&other)), 2.0);
        assert!(paired(Some(&one), None).is_nan());
    }

    #[test]
    fn a_goal_that_was_not_measured_is_missed() {
        let goals = of_rust(&Report::default());
        assert_eq!(goals.iter().filter(|goal| !goal.hit).count(), goals.len());
    }

    #[test]
    fn each_goal_compares_its_two_contenders() {
        let mut size = Size::new(1_000, &Events::of(0).unwrap());
        size.batches.insert(Ours, batch(&[105], 12));
        size.batches.insert(OursWithLedger, batch(&[300], 60));
        size.batches.insert(RustByTwenty, batch(&[100], 10));
        size.batches.insert(RustSdkWrites, batch(&[300], 50));
        let mut ten = Size::new(10, &Events::of(0).unwrap());
        ten.batches.insert(Ours, batch(&[20], 1));
        ten.batches.insert(OursWithLedger, batch(&[32], 1));
        let goals = of_rust(&Report { sizes: vec![size, ten], ..Report::default() });
        let measured: Vec<_> = goals.iter().map(|goal| (goal.measured.as_str(), goal.hit)).collect();
        let expected = [("5.00 x", true), ("1.20 x", false), ("1.20 x", true), ("1.05 x", true), ("1.60 x", false)];
        assert_eq!(measured, expected);
    }
}
