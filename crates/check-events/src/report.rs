//! The report: for people as a table and what to do, for programs as JSON.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    checked::{CheckResult, Checked},
    table::Table,
};

/// More rows are not read by anyone; those with something to correct come first.
const MOST_ROWS: usize = 40;
/// So many lines are named for each thing to correct.
const MOST_LINES: usize = 8;

/// What the events were checked against.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Against {
    /// The names in the apps document; none if they were not checked.
    pub(crate) apps: Option<Vec<String>>,
    pub(crate) max_event_age: String,
    pub(crate) max_clock_skew: String,
    pub(crate) ledger: bool,
}

/// The number of events by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) events: usize,
    /// Those that the function would park.
    pub(crate) parked: usize,
    /// Those that AWS would not take.
    pub(crate) not_taken: usize,
    /// Those of the others that have warnings.
    pub(crate) with_warnings: usize,
}

impl Totals {
    pub(crate) fn of(events: &[Checked]) -> Self {
        let count = |is: fn(&Checked) -> bool| events.iter().filter(|event| is(event)).count();
        Self {
            events: events.len(),
            parked: count(|event| event.result == CheckResult::Parked),
            not_taken: count(|event| event.result == CheckResult::NotTaken),
            with_warnings: count(|event| event.result == CheckResult::Accepted && !event.warnings.is_empty()),
        }
    }

    /// Whether each event gets to TPNS.
    pub(crate) fn all_accepted(self) -> bool {
        self.parked + self.not_taken == 0
    }
}

/// Writes the report as JSON.
pub(crate) fn json(out: &mut impl Write, events: &[Checked], against: &Against) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        /// Each event is accepted; there may be warnings.
        ok: bool,
        totals: Totals,
        checked_against: &'a Against,
        events: &'a [Checked],
    }
    let totals = Totals::of(events);
    let report = Report { ok: totals.all_accepted(), totals, checked_against: against, events };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}

/// Writes the report for people.
pub(crate) fn text(out: &mut impl Write, events: &[Checked], against: &Against, width: usize) -> io::Result<()> {
    rows(out, events, width)?;
    corrections(out, events, width)?;
    let totals = Totals::of(events);
    fill(out, &summary(totals), "", width)?;
    let apps = match &against.apps {
        None => "any app name is accepted: no apps document was named".to_owned(),
        Some(names) => format!("apps: {}", names.join(", ")),
    };
    let ledger = if against.ledger { "with" } else { "without" };
    let (age, skew) = (&against.max_event_age, &against.max_clock_skew);
    fill(out, &format!("as a stack {ledger} ledger, MaxEventAge {age} and MaxClockSkew {skew}; {apps}"), "", width)
}

fn summary(totals: Totals) -> String {
    let Totals { events, parked, not_taken, with_warnings } = totals;
    let fine = events - parked - not_taken - with_warnings;
    let numbers = [
        (parked, "would be parked"),
        (not_taken, "would not be taken by AWS"),
        (with_warnings, "accepted with warnings"),
        (fine, "fine"),
    ];
    let numbers: Vec<String> =
        numbers.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    format!("{}: {}", count(events, "event"), numbers.join(", "))
}

fn rows(out: &mut impl Write, events: &[Checked], width: usize) -> io::Result<()> {
    let worst_first = |event: &&Checked| match event.result {
        CheckResult::Parked | CheckResult::NotTaken => 0,
        CheckResult::Accepted => 2 - usize::from(!event.warnings.is_empty()),
    };
    let mut chosen: Vec<&Checked> = events.iter().collect();
    if events.len() > MOST_ROWS {
        chosen.sort_by_key(worst_first);
        chosen.truncate(MOST_ROWS);
        chosen.sort_by_key(|event| event.line);
    }
    let has_paths = events.iter().any(|event| event.path.is_some());
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let row = |event: &&Checked| {
        let mut cells = vec![event.line.to_string()];
        if has_paths {
            cells.push(or_dash(event.path.as_deref()));
        }
        cells.push(word(event).to_owned());
        let texts = [event.kind, event.app.as_deref(), event.occurred_at.as_deref(), event.device.as_deref()];
        cells.extend(texts.map(or_dash));
        cells
    };
    let mut header = vec!["line", "result", "event", "app", "occurred at", "device"];
    if has_paths {
        header.insert(1, "where");
    }
    let table = Table::new(header, chosen.iter().map(row).collect());
    table.write(out, width)?;
    if events.len() > MOST_ROWS {
        writeln!(out, "… and {} more; JSON=1 (--json) lists all", events.len() - MOST_ROWS)?;
    }
    writeln!(out)
}

fn word(event: &Checked) -> &'static str {
    match event.result {
        CheckResult::Parked => "parked",
        CheckResult::NotTaken => "not taken",
        CheckResult::Accepted if event.warnings.is_empty() => "fine",
        CheckResult::Accepted => "warning",
    }
}

/// What is to be corrected: the word and the text once, with the lines.
fn corrections(out: &mut impl Write, events: &[Checked], width: usize) -> io::Result<()> {
    let mut refusals: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut warnings: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for event in events {
        if let Some(detail) = &event.detail {
            let place = label(event);
            refusals.entry((event.reason.unwrap_or("not_taken"), detail)).or_default().push(place);
        }
        for warned in &event.warnings {
            let as_line = warned.other_line.map_or_else(String::new, |line| format!(" (as line {line})"));
            let place = format!("{}{as_line}", label(event));
            warnings.entry((warned.warning, &warned.text)).or_default().push(place);
        }
    }
    for (title, found) in [("Refused", refusals), ("Warnings", warnings)] {
        if found.is_empty() {
            continue;
        }
        writeln!(out, "{title}")?;
        for ((word, text), places) in found {
            fill(out, &format!("{word}, {}: {text}", lines(&places)), "  ", width)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Where the event is in the file.
fn label(event: &Checked) -> String {
    event.path.as_ref().map_or_else(|| event.line.to_string(), |path| format!("{} {path}", event.line))
}

fn lines(places: &[String]) -> String {
    let (named, rest) = places.split_at(places.len().min(MOST_LINES));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("line{} {}{more}", if places.len() == 1 { "" } else { "s" }, named.join(", "))
}

fn fill(out: &mut impl Write, text: &str, indent: &str, width: usize) -> io::Result<()> {
    let further = format!("{indent}{}", if indent.is_empty() { "" } else { "  " });
    let options = textwrap::Options::new(width).initial_indent(indent).subsequent_indent(&further);
    writeln!(out, "{}", textwrap::fill(text, &options))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
