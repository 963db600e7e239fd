//! Formats times, names and tables.

use std::time::{Duration, UNIX_EPOCH};

use comfy_table::{Cell, ContentArrangement, LineStyle, Table, TableStyle};
use console::Term;
use contract::{apps::plain_name, event::Millis, preview::duration_text};

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

/// "3h 12m", "40d 2h": the two largest units.
pub(crate) fn age(from: Millis, now: Millis) -> String {
    let seconds = u64::try_from(now.saturating_sub(from) / 1000).unwrap_or(0);
    let text = duration_text(Duration::from_secs(seconds));
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A name chosen by a producer, if it looks like a name.
pub(crate) fn plain(name: &str) -> String {
    plain_name(name).to_owned()
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
pub(crate) fn columns() -> Option<u16> {
    let terminal = Term::stdout();
    terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns)
}

/// A paragraph that fits the terminal's width; in a pipe nothing is wrapped.
pub(crate) fn fill(text: &str) -> String {
    let options = |columns: u16| textwrap::Options::new(usize::from(columns)).subsequent_indent("  ");
    columns().map_or_else(|| text.to_owned(), |columns| textwrap::fill(text, options(columns)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_at_most() {
        assert_eq!(age(0, 3_723_000), "1h 2m");
        assert_eq!(age(0, 59_999), "59s");
        assert_eq!(age(5000, 0), "0s");
        assert_eq!(age(0, 5 * 24 * 3_600_000 + 3_600_000), "5d 1h");
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
