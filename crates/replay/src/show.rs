//! Formats times, names and tables.

use std::{
    io::{self, Write},
    time::{Duration, UNIX_EPOCH},
};

use comfy_table::{Cell, ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;
use contract::event::Millis;

use crate::message::Summary;

/// On a narrower terminal, a table of messages leaves too little space for its texts.
const TABLE_COLUMNS: u16 = 150;

/// A time to the second; one that the calendar does not cover as its number.
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

/// A name chosen by a producer, if it looks like a name: it could also be an account in the wrong field.
pub(crate) fn plain(name: &str) -> String {
    let like_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    let plain = (1..=64).contains(&name.len()) && name.chars().all(like_a_name);
    if plain { name.to_owned() } else { "(not a plain name)".to_owned() }
}

/// A text without control characters, which could control a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// "1 line", "2 lines".
pub(crate) fn count(number: impl Into<u64>, what: &str) -> String {
    let number = number.into();
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The width of the terminal, if standard output is one.
fn columns() -> Option<u16> {
    let terminal = Term::stdout();
    terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns)
}

/// A table that fits the terminal's width; in a pipe nothing is wrapped.
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

/// The messages: as a table if the terminal is wide enough, otherwise one below the other.
pub(crate) fn messages(out: &mut impl Write, messages: &[Summary], now: Millis) -> io::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let dash = || "-".to_owned();
    let sent = |message: &Summary| message.sent_millis.map_or_else(dash, |at| format!("{} ago", age(at, now)));
    let received = |message: &Summary| message.receive_count.map_or_else(dash, |count| count.to_string());
    let when = |message: &Summary| match (&message.occurred_at, message.timeless) {
        (Some(at), _) => format!("{at}{}", if message.out_of_time { " (out of time)" } else { "" }),
        (None, true) => "when sent".to_owned(),
        (None, false) => dash(),
    };
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    if columns().is_none_or(|columns| columns >= TABLE_COLUMNS) {
        let header =
            ["#", "message id", "type", "app", "device", "occurred at", "reason", "detail", "received", "sent"];
        let row = |(index, message): (usize, &Summary)| {
            [
                (index + 1).to_string(),
                message.message_id.clone(),
                or_dash(message.kind),
                or_dash(message.app.as_deref()),
                or_dash(message.device.as_deref()),
                when(message),
                message.reason.clone(),
                message.detail.clone(),
                received(message),
                sent(message),
            ]
        };
        return writeln!(out, "{}\n", table(header, messages.iter().enumerate().map(row)));
    }
    let columns = usize::from(columns().unwrap_or(TABLE_COLUMNS));
    let block = textwrap::Options::new(columns.max(20)).initial_indent("   ").subsequent_indent("   ");
    for (index, message) in messages.iter().enumerate() {
        writeln!(out, "{}. {}  {}", index + 1, message.reason, message.message_id)?;
        let (kind, app) = (message.kind.unwrap_or("unknown type"), message.app.as_deref().unwrap_or("no app"));
        let what = format!("{kind}, {app}, device {}", message.device.as_deref().unwrap_or("-"));
        let times = format!("occurred {}, sent {}, received {}", when(message), sent(message), received(message));
        for text in [&message.detail, &what, &times].into_iter().filter(|text| !text.is_empty()) {
            writeln!(out, "{}", textwrap::fill(text, &block))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The number of messages for each reason, the most frequent first.
pub(crate) fn reasons(out: &mut impl Write, messages: &[Summary]) -> io::Result<()> {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for message in messages {
        match counts.iter_mut().find(|(reason, _)| *reason == message.reason) {
            Some((_, count)) => *count += 1,
            None => counts.push((&message.reason, 1)),
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let rows = counts.into_iter().map(|(reason, count)| [reason.to_owned(), count.to_string()]);
    writeln!(out, "{}\n", table(["reason", "messages"], rows))
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
    fn a_time_is_shown_to_the_second_and_one_out_of_range_as_a_number() {
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
