//! What an audit found: as tables, as JSON, and as CSV. Fingerprints and numbers only.

use std::io::{self, Write};

use contract::event::Millis;
use serde_json::{Value, json};

use super::tally::{Counts, Drift, Listed, Tally};
use crate::show::{age, columns, count, rfc3339, table};

/// The most devices that are listed in the tables' form.
const MOST_LISTED: usize = 20;
/// With it the tables fit into 80 columns.
const LONGEST_APP: usize = 12;
const COLUMNS: usize = 80;

/// Prints the tables.
pub(crate) fn tables(out: &mut impl Write, tally: &Tally, now: Millis) -> io::Result<()> {
    let header = ["app", "devices", "agree", "bound, but out", "not bound, but in", "unknown"];
    if !tally.apps.is_empty() {
        let row = |(app, counts): (&String, &Counts)| {
            let Counts { devices, differ, bound_but_out, not_bound_but_in, unknown_bindings } = *counts;
            let [a, b, c, d, e] = [devices, devices - differ, bound_but_out, not_bound_but_in, unknown_bindings];
            [shortened(app), a.to_string(), b.to_string(), c.to_string(), d.to_string(), e.to_string()]
        };
        writeln!(out, "{}\n", table(header, tally.apps.iter().map(row)))?;
    }
    if !tally.listed.is_empty() {
        let mut listed: Vec<&Listed> = tally.listed.iter().collect();
        // Someone who is out and gets messages is worse than someone who gets none.
        listed.sort_by_key(|one| (!one.drift.bound_but_out, one.changed));
        let row = |one: &&Listed| {
            let changed = format!("{} ago", age(one.changed, now));
            [one.device.clone(), shortened(&one.app), kind(one.drift).to_owned(), changed]
        };
        let rows = listed.iter().take(MOST_LISTED).map(row);
        writeln!(out, "{}\n", table(["device", "app", "differs", "row changed"], rows))?;
        if listed.len() > MOST_LISTED {
            let more = listed.len() - MOST_LISTED;
            fill(out, &format!("{more} more; --csv FILE writes all of them"))?;
        }
    }
    for note in notes(tally) {
        fill(out, &note)?;
    }
    Ok(())
}

/// What there is to say besides the tables.
fn notes(tally: &Tally) -> Vec<String> {
    let omitted = &tally.omitted;
    let parts = [
        (omitted.recent, "changed a moment ago (their own checks are still to come)"),
        (omitted.no_row, "without a row in the ledger"),
        (omitted.unanswered, "not answered"),
        (omitted.unreadable, "whose row is not one that the function writes"),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    let mut notes = Vec::new();
    if !parts.is_empty() {
        notes.push(format!("devices not compared: {}", parts.join(", ")));
    }
    if omitted.no_row_but_bound > 0 {
        notes.push(format!("{} of those without a row have accounts at TPNS", omitted.no_row_but_bound));
    }
    if omitted.rows_of_other_apps > 0 {
        let rows = count(omitted.rows_of_other_apps, "row");
        notes.push(format!("{rows} of apps that are not in the apps document"));
    }
    if omitted.rows_of_accounts > 0 {
        notes.push(format!("{} of deleted accounts, which name no device", count(omitted.rows_of_accounts, "row")));
    }
    for app in tally.suspicious() {
        notes.push(format!(
            "warning: more than half of the devices of {app} differ: TPNS writes its accounts in another way than the \
             events do, or --table and the apps are not of one stack. Checks do not repair such an app"
        ));
    }
    let out: u64 = tally.apps.values().map(|counts| counts.bound_but_out).sum();
    let compared: u64 = tally.apps.values().map(|counts| counts.devices).sum();
    notes.push(match tally.differ() {
        _ if compared == 0 => "no device was compared".to_owned(),
        0 => "TPNS agrees with the ledger".to_owned(),
        differ => format!(
            "TPNS differs for {}; {out} of them may show messages to someone who is out",
            count(differ, "device")
        ),
    });
    notes
}

/// One object.
pub(crate) fn json(tally: &Tally, table: &str, began: Millis) -> Value {
    let Tally { apps, omitted, listed } = tally;
    let apps = apps.iter().map(|(app, counts)| {
        let Counts { devices, differ, bound_but_out, not_bound_but_in, unknown_bindings } = *counts;
        let agree = devices - differ;
        let counts = json!({"devices": devices, "agree": agree, "differ": differ, "bound_but_out": bound_but_out,
            "not_bound_but_in": not_bound_but_in, "unknown_bindings": unknown_bindings});
        (app.clone(), counts)
    });
    let device = |one: &Listed| {
        let Drift { bound_but_out, not_bound_but_in, unknown_bindings } = one.drift;
        json!({"device": one.device, "app": one.app, "bound_but_out": bound_but_out,
            "not_bound_but_in": not_bound_but_in, "unknown_bindings": unknown_bindings,
            "row_changed": rfc3339(one.changed)})
    };
    json!({
        "table": table,
        "began": rfc3339(began),
        "apps": apps.collect::<serde_json::Map<_, _>>(),
        "not_compared": omitted,
        "devices": listed.iter().map(device).collect::<Vec<_>>(),
    })
}

/// The devices that differ. No field needs quotes: they are hex digits, names of apps, numbers and times.
pub(crate) fn csv(out: &mut impl Write, tally: &Tally) -> io::Result<()> {
    writeln!(out, "device,app,bound_but_out,not_bound_but_in,unknown_bindings,row_changed")?;
    for one in &tally.listed {
        let Drift { bound_but_out, not_bound_but_in, unknown_bindings } = one.drift;
        let changed = rfc3339(one.changed);
        writeln!(out, "{},{},{bound_but_out},{not_bound_but_in},{unknown_bindings},{changed}", one.device, one.app)?;
    }
    Ok(())
}

fn kind(drift: Drift) -> &'static str {
    match (drift.bound_but_out, drift.not_bound_but_in) {
        (true, true) => "both",
        (true, false) => "bound, but out",
        (false, _) => "not bound, but in",
    }
}

/// A name of an app, which is ASCII, at most [`LONGEST_APP`] long.
fn shortened(app: &str) -> String {
    if app.len() <= LONGEST_APP { app.to_owned() } else { format!("{}…", app.get(..LONGEST_APP - 1).unwrap_or("?")) }
}

/// Prints a text within the width of the tables.
pub(crate) fn fill(out: &mut impl Write, text: &str) -> io::Result<()> {
    let width = columns().map_or(COLUMNS, usize::from).clamp(20, COLUMNS);
    writeln!(out, "{}", textwrap::fill(text, width))
}

#[cfg(test)]
mod tests;
