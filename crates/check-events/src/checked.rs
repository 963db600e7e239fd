//! An event as it is reported: no account, no token, and no id that could identify a person.

use std::time::{Duration, UNIX_EPOCH};

use contract::{
    apps::plain_name,
    event::{Event, Kind, Millis},
    fingerprint, opaque,
    outcome::Reason,
    preview::{Neighbours, Opened, Preview, Settings},
    warning::Warning,
};
use serde::Serialize;

use crate::documents::Found;

/// An event, and what the function would do with it.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    /// The line at which it begins.
    pub(crate) line: u64,
    /// Where it is in the document of that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    pub(crate) result: CheckResult,
    /// Why it would be parked, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// The field, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    pub(crate) warnings: Vec<Warned>,
    /// One of the contract's; another one could be an account in the wrong field.
    #[serde(rename = "type")]
    pub(crate) kind: Option<&'static str>,
    pub(crate) app: Option<String>,
    /// The device's fingerprint, as in the function's log.
    pub(crate) device: Option<String>,
    /// Its own time, if that can be read.
    pub(crate) occurred_at: Option<String>,
    /// What the log shows in place of its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id_hash: Option<String>,
    /// For `make run`, which sends it.
    #[serde(flatten)]
    pub(crate) sent: Option<Sent>,
}

/// What would happen to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckResult {
    /// The function applies it, or knows something newer.
    Accepted,
    /// The function parks it.
    Parked,
    /// AWS does not take it.
    NotTaken,
}

/// A warning.
#[derive(Debug, Serialize)]
pub(crate) struct Warned {
    pub(crate) warning: &'static str,
    pub(crate) text: String,
    /// The line of the other event, where it is about two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) other_line: Option<u64>,
}

/// The event itself. It may identify a person.
#[derive(Debug, Serialize)]
pub(crate) struct Sent {
    body: String,
    envelope: &'static str,
    /// As the event says it.
    type_text: Option<String>,
    app_text: Option<String>,
    token: Option<String>,
    id: Option<String>,
}

/// Checks the events of a text, in its order.
pub(crate) fn check(found: Vec<Found>, settings: &Settings, now: Millis, with_bodies: bool) -> Vec<Checked> {
    let mut neighbours = Neighbours::default();
    let mut one = |event: Found| {
        let mut preview = preview(&event, settings, now);
        neighbours.add(event.line, &mut preview);
        Checked::new(event, preview, settings, with_bodies)
    };
    found.into_iter().map(&mut one).collect()
}

fn preview(event: &Found, settings: &Settings, now: Millis) -> Preview {
    let preview = settings.preview(&event.body, now);
    let is_no_json = preview.verdict.as_ref().is_err_and(|invalid| invalid.reason == Reason::MalformedJson);
    if !is_no_json || event.path.is_some() || event.line == 1 {
        return preview;
    }
    // The error names a line: let it be that of the file.
    let lines_before = usize::try_from(event.line - 1).unwrap_or_default();
    settings.preview(&format!("{}{}", "\n".repeat(lines_before), event.body), now)
}

impl Checked {
    fn new(found: Found, preview: Preview, settings: &Settings, with_bodies: bool) -> Self {
        let Found { line, path, body, not_taken } = found;
        let Preview { opened, verdict, warnings } = preview;
        let (result, reason, detail) = match (not_taken, &verdict) {
            (Some(why), _) => (CheckResult::NotTaken, None, Some(why.to_string())),
            (None, Err(invalid)) => {
                (CheckResult::Parked, Some(invalid.reason.as_str()), Some(invalid.detail.clone().into_owned()))
            }
            (None, Ok(_)) => (CheckResult::Accepted, None, None),
        };
        let only = || settings.apps.as_ref().and_then(|apps| apps.only().map(|id| apps.name(id)));
        let app = opened.app().or_else(only);
        let device = app.zip(opened.token());
        Self {
            line,
            path,
            result,
            reason,
            detail,
            warnings: warnings.iter().map(Warned::new).collect(),
            kind: opened.kind().map(Kind::name),
            app: app.map(|app| plain_name(app).to_owned()),
            device: device.map(|(app, token)| fingerprint::device(app, token)),
            occurred_at: opened.occurred_at().and_then(rfc3339),
            event_id_hash: verdict.as_ref().ok().and_then(|event| hash(event, &opened, device)),
            sent: with_bodies.then(|| Sent::new(body, &opened)),
        }
    }
}

impl Sent {
    fn new(body: String, opened: &Opened) -> Self {
        Self {
            body,
            envelope: opened.envelope.name(),
            type_text: opened.type_text().map(str::to_owned),
            app_text: opened.app().map(str::to_owned),
            token: opened.token().map(str::to_owned),
            id: opened.id().map(str::to_owned),
        }
    }
}

impl Warned {
    fn new(warning: &Warning) -> Self {
        Self { warning: warning.word(), text: warning.to_string(), other_line: warning.other_line() }
    }
}

fn hash(event: &Event, opened: &Opened, device: Option<(&str, &str)>) -> Option<String> {
    let id = opened.id().filter(|id| !id.is_empty() && !opaque::may_be_shown(id, event))?;
    Some(fingerprint::event_id(device, id))
}

/// `None` for a time that the calendar does not cover.
fn rfc3339(at: Millis) -> Option<String> {
    /// The end of the year 9999.
    const LAST: Millis = 253_402_300_799_999;
    let since = u64::try_from(at).ok().filter(|_| at <= LAST)?;
    Some(humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(since)).to_string())
}
