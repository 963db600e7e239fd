//! One body: a bare event, an EventBridge event, or an SNS notification around either.

mod fields;

use serde_json::value::RawValue;

use super::{foreign, sns, text::text as text_of};
use crate::{
    event::{
        BRIDGE, EVENT, Event, EventFields, Fallbacks, Invalid, Kind, Misspelt, NOTIFICATION, Place, Rules, explain,
    },
    outcome::Reason,
};
use fields::Body;

/// Reads an SQS body.
pub(super) fn event(
    body: Option<&RawValue>,
    message_id: &str,
    attributes: Option<&RawValue>,
    fifo: bool,
    rules: &Rules<'_>,
) -> Result<Event, Invalid> {
    let body = body.ok_or_else(|| Invalid::new(Reason::MissingField, "body: the SQS record has none"))?;
    let body =
        text_of(body).ok_or_else(|| Invalid::new(Reason::MalformedJson, "body: must be a string of valid Unicode"))?;
    let fallbacks = Fallbacks { message_id: Some(message_id), attributes, fifo, ..Fallbacks::default() };
    text(&body, &fallbacks, rules, Place::Body)
}

/// Reads the text of an SQS body that has no message id yet.
pub(super) fn sent(body: &str, attributes: Option<&RawValue>, rules: &Rules<'_>) -> Result<Event, Invalid> {
    text(body, &Fallbacks { message_id: Some("-"), attributes, ..Fallbacks::default() }, rules, Place::Body)
}

/// Reads an EventBridge event that is the invocation, or an element of it.
pub(super) fn bridge_event(json: &str, rules: &Rules<'_>) -> Result<Event, Invalid> {
    text(json, &Fallbacks::default(), rules, Place::Event)
}

/// An SNS notification is opened once, in a queue.
fn text(json: &str, fallbacks: &Fallbacks<'_>, rules: &Rules<'_>, place: Place) -> Result<Event, Invalid> {
    // Some editors and .NET's writers put a byte-order mark before a text.
    let json = json.trim_start_matches('\u{feff}');
    let body: Body<'_> = serde_json::from_str(json)
        .map_err(|_| foreign::recognise(json, place).unwrap_or_else(|| explain::<Body<'_>>(json, place)))?;
    match (body.fields.kind, body.detail_type.zip(body.detail), body.sns_type.zip(body.message)) {
        (Some(_), None, None) if place != Place::Event => {
            body.is_bare(json, place)?;
            Event::new(body.fields, fallbacks, rules)
                .map_err(|invalid| foreign::recognise(json, place).unwrap_or(invalid))
        }
        (None, Some((detail_type, detail)), None) => {
            body.odd.misspelt(&BRIDGE)?;
            body.holds_no_field_beside("detail")?;
            let kind = serde_json::from_str(detail_type.get())
                .map_err(|_| Invalid::new(Reason::UnknownType, format!("detail-type: must be {}", Kind::EXPECTED)))?;
            let fallbacks = Fallbacks { bridge_id: body.fields.id, bridge_time: body.time, ..fallbacks.clone() };
            bridge_detail(kind, detail.get(), &fallbacks, rules)
        }
        (None, None, Some((sns_type, message))) if place == Place::Body => {
            let message = sns::message(sns_type, message)?;
            body.odd.misspelt(&NOTIFICATION)?;
            body.holds_no_field_beside("Message")?;
            let fallbacks = Fallbacks { sns_time: body.timestamp, ..fallbacks.clone() };
            text(&message, &fallbacks, rules, Place::Message)
        }
        (None, None, None) => Err(foreign::recognise(json, place).unwrap_or_else(|| body.lacks_a_mark())),
        _ => Err(Invalid::new(
            Reason::UnknownEnvelope,
            format!(
                "{}: has the fields of several envelopes (type; detail-type with detail; Type with Message); send one",
                place.name()
            ),
        )),
    }
}

fn bridge_detail(kind: Kind, json: &str, fallbacks: &Fallbacks<'_>, rules: &Rules<'_>) -> Result<Event, Invalid> {
    let fields: EventFields = serde_json::from_str(json).map_err(|_| {
        foreign::recognise(json, Place::Detail).unwrap_or_else(|| explain::<EventFields>(json, Place::Detail))
    })?;
    if fields.kind.is_some_and(|own| own != kind) {
        return Err(Invalid::new(Reason::InvalidField, "detail.type: contradicts detail-type; omit it"));
    }
    Event::new(EventFields { kind: Some(kind), ..fields }, fallbacks, rules)
        .map_err(|invalid| foreign::recognise(json, Place::Detail).unwrap_or(invalid))
}

impl Body<'_> {
    /// Refuses what would mean something else than its sender thinks.
    fn is_bare(&self, json: &str, place: Place) -> Result<(), Invalid> {
        let foreign = if self.odd.specversion && self.odd.data { foreign::recognise(json, place) } else { None };
        if let Some(foreign) = foreign {
            return Err(foreign);
        }
        self.odd.misspelt(&EVENT)?;
        let others = [("account", self.odd.account), ("Type", self.sns_type.is_some())];
        let mut present = others.into_iter().filter(|(_, present)| *present);
        match present.find_map(|(name, _)| Misspelt::of(name, &EVENT)) {
            Some(misspelt) => Err(misspelt.refusal()),
            None => Ok(()),
        }
    }

    /// Refuses an event's field beside the event: without its `account_list` a logout signs everyone out.
    fn holds_no_field_beside(&self, mark: &str) -> Result<(), Invalid> {
        let EventFields { occurred_at, app, token, account_list, .. } = &self.fields;
        let fields = [
            ("occurred_at", occurred_at.is_some()),
            ("app", app.is_some()),
            ("token", token.is_some()),
            ("account_list", account_list.is_some()),
        ];
        match fields.into_iter().find(|(_, present)| *present) {
            Some((field, _)) => {
                Err(Invalid::new(Reason::InvalidField, format!("{field}: is next to {mark}; move it into {mark}")))
            }
            None => Ok(()),
        }
    }

    /// Names the mark that is missing, as far as the others show it.
    fn lacks_a_mark(&self) -> Invalid {
        let kind_as_mark =
            self.sns_type.and_then(text_of).is_some_and(|kind| Kind::NAMES.iter().any(|(name, _)| *name == kind));
        let is_bare = kind_as_mark && self.message.is_none();
        let type_misspelt = is_bare.then(|| Misspelt::of("Type", &EVENT)).flatten();
        let misspelt =
            [&EVENT[..], &BRIDGE[..2], &NOTIFICATION[..2]].into_iter().try_for_each(|fields| self.odd.misspelt(fields));
        if let Some(invalid) = type_misspelt.map(|misspelt| misspelt.refusal()).or(misspelt.err()) {
            return invalid;
        }
        let missing = match (self.detail_type, self.detail, self.sns_type, self.message) {
            (Some(_), None, ..) => "detail: is missing from the EventBridge event",
            (None, Some(_), ..) => "detail-type: is missing from the EventBridge event",
            (_, _, Some(_), None) => "Message: is missing from the SNS notification",
            (_, _, None, Some(_)) => "Type: is missing from the SNS notification",
            _ => "type: is missing; send an event of the contract, bare or in an EventBridge or SNS envelope",
        };
        Invalid::new(Reason::UnknownEnvelope, missing)
    }
}
