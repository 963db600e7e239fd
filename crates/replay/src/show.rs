//! How things look: times, names, tables.

use std::{
    io::{self, Write},
    time::{Duration, UNIX_EPOCH},
};

use comfy_table::{Cell, ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;
use tpns_account_sync::event::Millis;

use crate::message::Told;

/// Below this, a table of messages has too little room for its texts.
const TABLE_COLUMNS: u16 = 150;

/// A time to the second; what is out of the calendar's reach as its number.
pub(crate) fn rfc3339(at: Millis) -> String {
    /// The end of the year 9999.
    const LAST: Millis = 253_402_300_799_999;
    match u64::try_from(at) {
        Ok(since) if at <= LAST => {
            humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(since)).to_string()
        }
        _ => at.to_string(),
    }
}

/// "3h 12m": the two largest units.
pub(crate) fn age(from: Millis, now: Millis) -> String {
    let seconds = u64::try_from(now.saturating_sub(from) / 1000).unwrap_or(0);
    let text = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A name that a producer chose, if it looks like one: it could as well be an account put in the wrong place.
pub(crate) fn plain(name: &str) -> String {
    let like_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    let plain = (1..=64).contains(&name.len()) && name.chars().all(like_a_name);
    if plain { name.to_owned() } else { "(not a plain name)".to_owned() }
}

/// A text without what could steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// "1 line", "2 lines".
pub(crate) fn count(number: impl Into<u64>, what: &str) -> String {
    let number = number.into();
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// How wide the terminal is, if standard output is one.
fn columns() -> Option<u16> {
    let terminal = Term::stdout();
    terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns)
}

/// A table that is as wide as the terminal lets it; in a pipe nothing is wrapped.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    match columns() {
        Some(columns) => table.set_width(columns).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(Cell::new));
    }
    table.trim_fmt()
}

/// The messages: as a table where there is room for one, else one below the other.
pub(crate) fn messages(out: &mut impl Write, messages: &[Told], now: Millis) -> io::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let dash = || "-".to_owned();
    let sent = |told: &Told| told.sent_millis.map_or_else(dash, |at| format!("{} ago", age(at, now)));
    let received = |told: &Told| told.receive_count.map_or_else(dash, |count| count.to_string());
    let when = |told: &Told| match (&told.occurred_at, told.timeless) {
        (Some(at), _) => format!("{at}{}", if told.out_of_time { " (out of time)" } else { "" }),
        (None, true) => "when sent".to_owned(),
        (None, false) => dash(),
    };
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    if columns().is_none_or(|columns| columns >= TABLE_COLUMNS) {
        let header =
            ["#", "message id", "type", "app", "device", "occurred at", "reason", "detail", "received", "sent"];
        let row = |(index, told): (usize, &Told)| {
            [
                (index + 1).to_string(),
                told.message_id.clone(),
                or_dash(told.kind),
                or_dash(told.app.as_deref()),
                or_dash(told.device.as_deref()),
                when(told),
                told.reason.clone(),
                told.detail.clone(),
                received(told),
                sent(told),
            ]
        };
        return writeln!(out, "{}", table(header, messages.iter().enumerate().map(row)));
    }
    for (index, told) in messages.iter().enumerate() {
        writeln!(out, "{}. {}  {}", index + 1, told.reason, told.message_id)?;
        if !told.detail.is_empty() {
            writeln!(out, "   {}", told.detail)?;
        }
        let (kind, app) = (told.kind.unwrap_or("unknown type"), told.app.as_deref().unwrap_or("no app"));
        writeln!(out, "   {kind}, {app}, device {}", told.device.as_deref().unwrap_or("-"))?;
        writeln!(out, "   occurred {}, sent {}, received {}\n", when(told), sent(told), received(told))?;
    }
    Ok(())
}

/// How many there are for each reason, the most first.
pub(crate) fn reasons(out: &mut impl Write, messages: &[Told]) -> io::Result<()> {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for told in messages {
        match counts.iter_mut().find(|(reason, _)| *reason == told.reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((&told.reason, 1)),
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let rows = counts.into_iter().map(|(reason, count)| [reason.to_owned(), count.to_string()]);
    writeln!(out, "{}", table(["reason", "messages"], rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_at_most() {
        assert_eq!(age(0, 3_723_000), "1h 2m");
        assert_eq!(age(0, 59_999), "59s");
        assert_eq!(age(5000, 0), "0s");
        assert_eq!(age(0, 5 * 24 * 3_600_000 + 3_600_000), "5days 1h");
    }

    #[test]
    fn a_time_is_told_to_the_second_and_no_number_is_too_odd() {
        assert_eq!(rfc3339(1_795_334_400_999), "2026-11-22T08:00:00Z");
        assert_eq!(rfc3339(Millis::MAX), Millis::MAX.to_string());
    }

    #[test]
    fn a_name_that_could_be_an_account_is_not_shown() {
        assert_eq!(plain("android-cn"), "android-cn");
        for name in ["ann@example.com", "", "an app", "\u{1b}[2J"] {
            assert_eq!(plain(name), "(not a plain name)");
        }
    }
}
