//! Reports what a file contains and which lines would be refused; nothing is sent.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::check::check;
use crate::{
    clock,
    ending::Ending,
    input::{Input, failed},
    interrupt::Interrupt,
    lines::Lines,
    problem::Problem,
    reading::{Age, Contract},
    show::{count, plain, table},
};

#[derive(Default)]
struct Findings {
    /// Type and app -> number of lines.
    good: BTreeMap<(&'static str, String), u64>,
    /// Line, field, what is wrong and what to do.
    bad: Vec<[String; 3]>,
    too_old: Vec<u64>,
    in_the_future: Vec<u64>,
    to_be_stamped: u64,
}

/// Checks every line of the input.
pub(crate) async fn run(
    input: Input,
    contract: Contract,
    stamp_now: bool,
    interrupt: Interrupt,
) -> Result<Ending, Problem> {
    let (age, skew) = (contract.max_age, contract.max_skew);
    // On a thread of its own, so that Ctrl-C is noticed.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(find(input, &contract, stamp_now)));
    let panicked = |_| Problem::Stopped("the file could not be checked; please report it".into());
    let findings = tokio::select! {
        findings = receiver => findings.map_err(panicked)??,
        () = interrupt.wait() => return Ok(Ending::Interrupted),
    };
    show(&findings, age, skew)?;
    Ok(if findings.bad.is_empty() { Ending::Done } else { Ending::SomeRefused })
}

fn find(input: Input, contract: &Contract, stamp_now: bool) -> Result<Findings, Problem> {
    let path = input.path().to_owned();
    let mut findings = Findings::default();
    for line in Lines::new(input.reader()) {
        let line = line.map_err(|error| failed(&path, error))?;
        match check(&line, contract, stamp_now, clock::now()) {
            Err(error) => {
                let error = error.to_string();
                let (field, problem) = error.split_once(": ").unwrap_or(("", &error));
                findings.bad.push([line.number.to_string(), field.to_owned(), problem.to_owned()]);
            }
            Ok(checked) => {
                let app = checked.reading.app.as_deref().map_or_else(|| "(none named)".into(), plain);
                *findings.good.entry((checked.reading.kind.unwrap_or("-"), app)).or_default() += 1;
                findings.to_be_stamped += u64::from(checked.to_be_stamped);
                match checked.age {
                    Age::Fine => {}
                    Age::TooOld => findings.too_old.push(line.number),
                    Age::InTheFuture => findings.in_the_future.push(line.number),
                }
            }
        }
    }
    Ok(findings)
}

fn show(findings: &Findings, max_age: i64, max_skew: i64) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let good: u64 = findings.good.values().sum();
    if good > 0 {
        let row = |((kind, app), number): (&(&'static str, String), &u64)| {
            [(*kind).to_owned(), app.clone(), number.to_string()]
        };
        writeln!(out, "{}\n", table(["type", "app", "lines"], findings.good.iter().map(row)))?;
    }
    if !findings.bad.is_empty() {
        writeln!(out, "{}\n", table(["line", "field", "what is wrong, and what to do"], findings.bad.iter().cloned()))?;
    }
    let late = [
        (&findings.too_old, "older than", max_age, "a number must count milliseconds, not seconds"),
        (&findings.in_the_future, "further in the future than", max_skew, "check the producer's clock"),
    ];
    for (lines, what, limit, remedy) in late {
        if let [first, ..] = lines[..] {
            let limit = humantime::format_duration(std::time::Duration::from_millis(limit.unsigned_abs()));
            let number = count(lines.len() as u64, "line");
            writeln!(
                out,
                "warning: {number} {what} {limit}, the first is line {first}: the function will park them; {remedy}"
            )?;
        }
    }
    if findings.to_be_stamped > 0 {
        writeln!(
            out,
            "{} without a time of their own would get the time of sending",
            count(findings.to_be_stamped, "line")
        )?;
    }
    let bad = findings.bad.len() as u64;
    writeln!(
        out,
        "{} would be sent, {} refused; nothing was sent",
        count(good, "line"),
        if bad == 0 { "none".into() } else { count(bad, "line") }
    )
}
