//! Reports what a file contains, which lines would be refused, and what is odd about the others; nothing is sent.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use contract::{
    preview::{Neighbours, Preview},
    warning::Warning,
};

use super::check::check;
use crate::{
    clock,
    ending::Ending,
    input::{Input, failed},
    interrupt::Interrupt,
    lines::Lines,
    problem::Problem,
    reading::Contract,
    show::{count, fill, plain, table},
};

type Notes = BTreeMap<(&'static str, String), Vec<u64>>;

#[derive(Default)]
struct Findings {
    /// Type and app -> number of lines.
    good: BTreeMap<(&'static str, String), u64>,
    /// Line, field, what is wrong and what to do.
    bad: Vec<[String; 3]>,
    to_be_stamped: u64,
    /// Word and text -> lines: of events that would be sent, what the function would park and what is odd.
    parked: Notes,
    warnings: Notes,
}

/// Checks every line of the input.
pub(crate) async fn run(
    input: Input,
    contract: Contract,
    stamp_now: bool,
    interrupt: Interrupt,
) -> Result<Ending, Problem> {
    // On a thread of its own, so that Ctrl-C is noticed.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(find(input, &contract, stamp_now)));
    let panicked = |_| Problem::Stopped("the file could not be checked; please report it".into());
    let findings = tokio::select! {
        findings = receiver => findings.map_err(panicked)??,
        () = interrupt.wait() => return Ok(Ending::Interrupted),
    };
    show(&findings)?;
    Ok(if findings.bad.is_empty() { Ending::Done } else { Ending::SomeRefused })
}

fn find(input: Input, contract: &Contract, stamp_now: bool) -> Result<Findings, Problem> {
    let path = input.path().to_owned();
    let (mut findings, settings) = (Findings::default(), contract.settings());
    let mut neighbours = Neighbours::default();
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
                let mut preview = settings.preview(line.text.as_deref().unwrap_or_default(), clock::now());
                neighbours.add(line.number, &mut preview);
                findings.note(line.number, preview, checked.to_be_stamped);
            }
        }
    }
    Ok(findings)
}

impl Findings {
    fn note(&mut self, line: u64, preview: Preview, to_be_stamped: bool) {
        if let Err(invalid) = preview.verdict {
            let place = (invalid.reason.as_str(), invalid.detail.into_owned());
            self.parked.entry(place).or_default().push(line);
        }
        // An event without a time gets one if that was asked for.
        let counts = |warning: &Warning| !to_be_stamped || *warning != Warning::NoTime;
        for warning in preview.warnings.iter().filter(|warning| counts(warning)) {
            self.warnings.entry((warning.word(), warning.to_string())).or_default().push(line);
        }
    }
}

fn show(findings: &Findings) -> io::Result<()> {
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
    for (notes, what) in [(&findings.parked, "would be parked"), (&findings.warnings, "warning")] {
        for ((word, text), lines) in notes {
            let [first, ..] = lines[..] else { continue };
            let number = count(lines.len() as u64, "line");
            writeln!(out, "{}\n", fill(&format!("{what}: {word}, {number}, the first is line {first}: {text}")))?;
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
        if bad == 0 { "none".to_owned() } else { bad.to_string() }
    )
}
