//! The table.

use std::fmt::Write;

use crate::{
    contenders::Contender,
    cost::{LEDGER, MB_PER_PROCESSOR, PRICES, SQS_REQUESTS_PER_EVENT, WRITES_ALONE},
    goals::Goal,
    report::{Figures, Report, mebibytes, median, millis},
};

const FIRST: usize = 34;
const COLUMN: usize = 15;

type Row = (String, Vec<String>);

pub(crate) fn text(report: &Report, goals: &[Goal]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, report);
    out.push_str(&self::goals(goals));
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let names = report.contenders.iter().map(|contender| heading(contender.name()));
    let (first, second): (Vec<_>, Vec<_>) = names.unzip();
    row(out, "", first)?;
    row(out, "", second)?;
    let all = |of: &dyn Fn(Contender) -> String| -> Vec<String> { report.contenders.iter().copied().map(of).collect() };
    row(out, "start: ready for the first event", all(&|c| ms(millis(report.ready(c)))))?;
    row(out, "  against the floor", all(&|c| times(millis(report.ready(c)) / millis(report.ready(Contender::Floor)))))?;
    row(out, "start: first answer", all(&|c| ms(millis(report.first_answer(c)))))?;
    row(out, "memory after the first answer", all(&|c| mib(report.started_bytes(c))))?;
    row(out, "zipped package", all(&|c| report.zipped.get(&c).map_or_else(String::new, |&bytes| mib(bytes))))?;
    for size in &report.sizes {
        let bare = millis(median(&size.bare_call));
        writeln!(
            out,
            "\n{} messages, {:.2} MB; at best {} calls; a bare call to TPNS {bare:.2} ms, an empty invocation {:.2} ms",
            thousands(size.messages),
            size.payload_bytes as f64 / 1e6,
            size.fewest_calls,
            millis(median(&size.empty))
        )?;
        for (name, cells) in of_size(report, size.messages, size.fewest_calls, bare) {
            row(out, &name, cells)?;
        }
    }
    writeln!(
        out,
        "\n~ ten times the figure of 1,000 messages, one after the other   ! messages failed and are redelivered, five times at most"
    )?;
    writeln!(
        out,
        "\nA million events cost: 1e6/messages x (seconds x GB x {} + {}/1e6) + {SQS_REQUESTS_PER_EVENT:.1} x {} + writes x {} + reads x {}",
        PRICES.lambda_gb_second,
        PRICES.lambda_million_requests,
        PRICES.sqs_million_requests,
        PRICES.dynamodb_million_writes,
        PRICES.dynamodb_million_reads,
    )?;
    writeln!(
        out,
        "dollars (Lambda on arm64, SQS, DynamoDB on demand; us-east-1); seconds = waiting + CPU x {MB_PER_PROCESSOR}/MB, at the cheapest memory that holds the peak."
    )?;
    writeln!(
        out,
        "An event takes {} write and {:.1} reads with the ledger, {} write and no read with SDK writes.\n",
        LEDGER.writes, LEDGER.reads, WRITES_ALONE.writes
    )
}

/// A name in two lines.
fn heading(name: &str) -> (String, String) {
    match name.split_once(' ') {
        Some((first, second)) => (first.to_owned(), second.to_owned()),
        None => (name.to_owned(), String::new()),
    }
}

/// The goals, a line each.
pub(crate) fn goals(goals: &[Goal]) -> String {
    let mut out = format!("{:<47} {:<36} {:>16}\n", "goal", "", "measured");
    for goal in goals {
        let verdict = if goal.hit { "" } else { "  MISSED" };
        // Writing to a string does not fail.
        let _ = writeln!(out, "{:<47} {:<36} {:>16}{verdict}", goal.what, goal.goal, goal.measured);
    }
    out
}

fn of_size(report: &Report, messages: usize, fewest: usize, bare: f64) -> Vec<Row> {
    let cells = |of: &dyn Fn(Figures) -> String| -> Vec<String> {
        let cell = |contender| report.figures(contender, messages).map(of).unwrap_or_default();
        report.applying().map(cell).collect()
    };
    let ours = report.figures(Contender::Ours, messages);
    let against = |of: &dyn Fn(&Figures) -> f64| {
        cells(&|figures| ours.as_ref().map_or_else(String::new, |ours| times(of(&figures) / of(ours))))
    };
    let cost =
        |contender| report.cost(contender, messages).map_or_else(String::new, |cost| format!("${:.2}", cost.total()));
    let lambda = |contender| {
        let cost = report.cost(contender, messages);
        cost.map_or_else(String::new, |cost| format!("${}", dollars(cost.lambda)))
    };
    let memory =
        |contender| report.cost(contender, messages).map_or_else(String::new, |cost| format!("{} MB", cost.memory_mb));
    let mut wall = cells(&|figures| {
        let failed = if figures.redelivered > 0 { "!" } else { "" };
        format!("{failed}{}{}", if figures.extrapolated { "~" } else { "" }, ms(millis(figures.wall)))
    });
    let waves = (fewest.div_ceil(8)) as f64;
    wall.push(ms(bare * waves));
    vec![
        ("  time".into(), wall),
        ("  against ours".into(), against(&|figures| millis(figures.wall))),
        ("  CPU".into(), cells(&|figures| ms(millis(figures.cpu)))),
        ("  against ours".into(), against(&|figures| millis(figures.cpu))),
        ("  peak memory".into(), cells(&|figures| figures.peak_bytes.map_or_else(String::new, mib))),
        ("  failed at first, dead letters".into(), {
            cells(&|figures| match figures.redelivered {
                0 => String::new(),
                some => format!("{}, {}", thousands(some), thousands(figures.dead)),
            })
        }),
        ("  calls to TPNS".into(), {
            let mut calls = cells(&|figures| thousands(figures.calls));
            calls.push(thousands(fewest));
            calls
        }),
        ("  a million events: Lambda".into(), report.applying().map(lambda).collect()),
        ("  at this memory size".into(), report.applying().map(memory).collect()),
        ("  a million events: all".into(), report.applying().map(cost).collect()),
    ]
}

fn row(out: &mut String, name: &str, cells: impl IntoIterator<Item = String>) -> std::fmt::Result {
    write!(out, "{name:<FIRST$}")?;
    for cell in cells {
        write!(out, "{cell:>COLUMN$}")?;
    }
    writeln!(out)
}

fn ms(millis: f64) -> String {
    match millis {
        small if small < 100.0 => format!("{small:.2} ms"),
        large if large < 10_000.0 => format!("{large:.0} ms"),
        longer => format!("{:.1} s", longer / 1e3),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", mebibytes(bytes))
}

pub(crate) fn times(ratio: f64) -> String {
    match ratio {
        small if small < 10.0 => format!("{small:.2} x"),
        middle if middle < 100.0 => format!("{middle:.1} x"),
        large => format!("{large:.0} x"),
    }
}

/// With two significant digits.
pub(crate) fn dollars(amount: f64) -> String {
    let decimals = (1.0 - amount.log10().floor()).clamp(2.0, 6.0);
    format!("{amount:.*}", decimals as usize)
}

fn thousands(number: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_fits_its_column_and_keeps_all_of_the_name() {
        for contender in Contender::EVERYTHING {
            let (first, second) = heading(contender.name());
            assert!(first.len() < COLUMN && second.len() < COLUMN, "{first} / {second}");
            assert_eq!(format!("{first} {second}").trim_end(), contender.name());
        }
    }

    #[test]
    fn the_floor_is_the_last_column_since_it_has_no_cells_in_most_rows() {
        for contenders in [Contender::EVERYTHING, Contender::RUST] {
            assert_eq!(contenders.iter().position(|contender| !contender.applies_events()), Some(contenders.len() - 1));
        }
    }
}
