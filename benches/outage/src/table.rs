//! The results as text.

use std::fmt::Write;

use crate::{
    Ms,
    catalogue::{DAY, NOW},
    cost::Cost,
    real::{Real, RealFault, RealTiming},
    results::Results,
    scenario::Scenario,
};

/// A simulated scenario, with its name in the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) which: &'static str,
    pub(crate) scenario: Scenario,
    pub(crate) results: Results,
}

/// # Errors
/// See [`Cost::of_failures`].
pub(crate) fn text(rows: &[Row], real: Option<&Real>) -> anyhow::Result<String> {
    let mut out = String::new();
    line(
        &mut out,
        [
            "simulated, 200 events/s, 2 % of them unbinds",
            "",
            "unbinds: median",
            "p99",
            "max",
            "last unbind",
            "last login",
        ],
    );
    for row in rows {
        let (from, until) = row.scenario.outage.map_or((0, Ms::MAX), |outage| (outage.from, outage.until));
        let late = row.results.lateness(from, until).map(|late| late.map(duration)).unwrap_or_default();
        let [median, p99, most] = late.each_ref().map(String::as_str);
        let last = |at: Option<Ms>| at.map_or_else(String::new, |at| format!("+{}", duration(at)));
        let (unbind, login) = (last(row.results.last_unbind), last(row.results.last_login));
        line(&mut out, [row.title, row.which, median, p99, most, &unbind, &login]);
    }
    let _ = writeln!(out);
    line(&mut out, ["", "", "dead-lettered", "lost, stale", "calls/min (max)", "in flight", "cost"]);
    for row in rows {
        let results = &row.results;
        let (most, mean) = results.calls_a_minute();
        let calls = if results.calls.is_empty() { String::new() } else { format!("{mean:.0} ({most})") };
        let flight: Vec<_> = results.most_in_flight.iter().map(|most| grouped(*most as u64)).collect();
        let cost = Cost::of_failures(results, row.scenario.apps)?.total();
        let cost = if results.failed_deliveries == 0 { String::new() } else { format!("${cost:.2}") };
        let lost = format!("{}, {}", results.lost + results.expired, results.stale);
        let dead = grouped(results.dead_lettered);
        line(&mut out, [row.title, row.which, &dead, &lost, &calls, &flight.join(" + "), &cost]);
    }
    if let Some(day) = rows.iter().find(|row| row.title == DAY && row.which == NOW) {
        let Cost { sqs, lambda, dynamodb, logs, traces } = Cost::of_failures(&day.results, day.scenario.apps)?;
        let _ = writeln!(
            out,
            "\ncost of {DAY}, {NOW}: DynamoDB ${dynamodb:.2}, logs ${logs:.2}, SQS ${sqs:.2}, Lambda ${lambda:.2}, \
             X-Ray ${traces:.2}"
        );
    }
    if let Some(real) = real {
        let _ = writeln!(out);
        line(
            &mut out,
            ["real parts, a login and a logout a second", "", "unbinds: median", "p99", "max", "dead-lettered", ""],
        );
        for (fault, title) in [
            (RealFault::Tpns, "TPNS down for 1 min"),
            (RealFault::Table, "table down for 1 min"),
            (RealFault::Key, "wrong key for 1 min"),
        ] {
            for (timing, which) in [(RealTiming::New, "now"), (RealTiming::Old, "before")] {
                let Some(run) = real.run(fault, timing) else { continue };
                let late = run.lateness(real.fault).map(|late| late.map(duration)).unwrap_or_default();
                let [median, p99, most] = late.each_ref().map(String::as_str);
                line(&mut out, [title, which, median, p99, most, &grouped(run.dead_lettered), ""]);
            }
        }
    }
    Ok(out)
}

fn line(out: &mut String, [title, which, cells @ ..]: [&str; 7]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>18}")).collect();
    let text = format!("{title:<24}{which:<21}");
    let _ = writeln!(out, "{}", format!("{text:<46}{cells}").trim_end());
}

/// A duration in words that people use.
pub(crate) fn duration(ms: Ms) -> String {
    let seconds = f64::from(ms) / 1e3;
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.1} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
