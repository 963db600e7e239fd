//! Shows messages and their reasons.

use std::io::{self, Write};

use contract::event::Millis;

use crate::{
    message::Summary,
    show::{age, columns, table},
};

/// On a narrower terminal, a table of messages leaves too little space for its texts.
const TABLE_COLUMNS: u16 = 150;

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
