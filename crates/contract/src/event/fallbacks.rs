//! What an event takes from its envelopes: its id and time if it has none of its own, the latest time at which it can
//! have been sent, and its place in a FIFO queue.

use std::{
    fmt::Write,
    sync::{Arc, LazyLock},
};

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EventId, Invalid, Kind, Millis, OccurredAt, Text};
use crate::outcome::Reason;

/// What the envelopes say. Everything stays unread until it is needed.
#[derive(Clone, Debug, Default)]
pub struct Fallbacks<'a> {
    /// EventBridge's `id`.
    pub bridge_id: Option<EventId>,
    /// EventBridge's `time`.
    pub bridge_time: Option<&'a RawValue>,
    /// SNS's `Timestamp`.
    pub sns_time: Option<&'a RawValue>,
    /// The SQS message id.
    pub message_id: Option<&'a str>,
    /// The SQS record's `attributes`, which hold `SentTimestamp`.
    pub attributes: Option<&'a RawValue>,
    /// Whether the queue is a FIFO queue: then the attributes hold `SequenceNumber`.
    pub fifo: bool,
}

/// When an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime {
    /// In epoch milliseconds; not later than the event was sent.
    pub at: Millis,
    /// By how many milliseconds the time it claims is later than that.
    pub ahead: Millis,
}

impl Fallbacks<'_> {
    pub(super) fn id(&self, own: Option<EventId>) -> Result<Text, Invalid> {
        let named = own.into_iter().chain(self.bridge_id.clone()).find(|id| !id.as_str().is_empty());
        match (named, self.message_id) {
            (Some(id), _) => Ok(id.into_text()),
            (None, Some(id)) => Ok(Arc::from(id)),
            (None, None) => Err(Invalid::new(Reason::MissingField, "id: is missing, and the envelope has none")),
        }
    }

    /// The event's own time, else EventBridge's, SNS's or SQS's; and, since nothing happens after it was sent, at most
    /// the earliest of those.
    pub(super) fn time(&self, own: Option<OccurredAt>) -> Result<EventTime, Invalid> {
        let (bridge, sns, sent) = (self.bridge_time.map(read_time), self.sns_time.map(read_time), self.sent_at());
        let claimed = match (own, bridge, sns, sent) {
            (Some(OccurredAt(at)), ..) => at,
            (None, Some(time), ..) => time.ok_or_else(|| {
                Invalid::new(Reason::InvalidField, "time: EventBridge's time must be an RFC 3339 time with an offset")
            })?,
            (None, None, Some(time), _) => time.ok_or_else(|| {
                Invalid::new(Reason::InvalidField, "Timestamp: SNS's Timestamp must be an RFC 3339 time with an offset")
            })?,
            (None, None, None, Some(sent)) => sent,
            (None, None, None, None) => {
                return Err(Invalid::new(
                    Reason::MissingField,
                    "occurred_at: is missing, and the envelope has no time; add the time of the event",
                ));
            }
        };
        /// EventBridge cuts its time down to whole seconds.
        const SECOND: Millis = 999;
        let bridge = bridge.flatten().map(|time| time.saturating_add(SECOND));
        let sent = [bridge, sns.flatten(), sent].into_iter().flatten().min();
        let at = sent.map_or(claimed, |sent| claimed.min(sent));
        Ok(EventTime { at, ahead: claimed.saturating_sub(at) })
    }

    /// Decides between events of the same time and rank. Of two messages of a FIFO queue the later one has the greater
    /// `SequenceNumber`, whatever their ids are. Between two deletions there is nothing to decide, and a redriven one
    /// has a new number: it must be recognised as the one that TPNS has accepted.
    pub(super) fn tie_breaker(&self, kind: Kind, id: &Text) -> Text {
        let attributes = self.attributes.filter(|_| self.fifo && kind != Kind::Deletion);
        let number = attributes.and_then(sequence_number);
        let Some(number) = number else { return id.clone() };
        let mut text = String::with_capacity(number.len() + id.len() + 4);
        // Writing to a String can't fail.
        _ = write!(text, "~{:02}{number}~{id}", number.len());
        text.into()
    }

    fn sent_at(&self) -> Option<Millis> {
        static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(r#""SentTimestamp":""#));
        number_of(self.attributes?, &NAME, |numbers| numbers.sent_timestamp)
    }

    pub(super) fn deliveries(&self) -> u32 {
        deliveries(self.attributes)
    }
}

/// A record's `ApproximateReceiveCount`, or 1.
pub(crate) fn deliveries(attributes: Option<&RawValue>) -> u32 {
    static NAME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(r#""ApproximateReceiveCount":""#));
    let count =
        attributes.and_then(|attributes| number_of(attributes, &NAME, |numbers| numbers.approximate_receive_count));
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1)
}

/// The attributes that are numbers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Numbers<'a> {
    #[serde(borrow, default)]
    sent_timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    approximate_receive_count: Option<&'a RawValue>,
}

/// The number behind a name. Every record is read for it, so the name is searched for before the attributes are parsed.
/// A quote within a value would be escaped, so what is found can only be the name.
fn number_of(
    attributes: &RawValue,
    name: &Finder<'_>,
    field: impl Fn(Numbers<'_>) -> Option<&RawValue>,
) -> Option<Millis> {
    let json = attributes.get();
    let found = name.find(json.as_bytes());
    let found = found.and_then(|place| number(json.as_bytes().get(place + name.needle().len()..)?));
    found.or_else(|| {
        let value = field(serde_json::from_str(json).ok()?)?;
        serde_json::from_str::<&str>(value.get()).ok()?.parse().ok()
    })
}

/// The digits up to the next quote.
fn number(text: &[u8]) -> Option<Millis> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let (length, number) = digits.fold((0, 0), |(length, number): (usize, Millis), byte| {
        (length + 1, number.wrapping_mul(10).wrapping_add(Millis::from(byte - b'0')))
    });
    ((1..=18).contains(&length) && text.get(length) == Some(&b'"')).then_some(number)
}

fn read_time(time: &RawValue) -> Option<Millis> {
    serde_json::from_str(time.get()).ok().map(|OccurredAt(at)| at)
}

/// The digits of a record's `SequenceNumber`, without leading zeros.
fn sequence_number(attributes: &RawValue) -> Option<&str> {
    #[derive(Deserialize)]
    struct Attributes<'a> {
        #[serde(rename = "SequenceNumber")]
        sequence_number: &'a str,
    }
    let Attributes { sequence_number } = serde_json::from_str(attributes.get()).ok()?;
    let digits = sequence_number.trim_start_matches('0');
    // SQS's numbers have 20 digits and 128 bits at most.
    let is_number = (1..=39).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}
