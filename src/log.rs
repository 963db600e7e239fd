//! What the function prints: no account, no token, no key, at any level.

use std::{io::IsTerminal, panic, str::FromStr, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use tracing::{Level, Span, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{
    event::{Change, Device, Event},
    finished::{Finished, Told},
    ingress::Unrecognised,
    report::{Outcome, Reason},
};

/// Sets up the log as Lambda wants it: its format and level come from `AWS_LAMBDA_LOG_FORMAT` and
/// `AWS_LAMBDA_LOG_LEVEL`, read through `variable`.
///
/// Libraries print nothing: lambda_runtime shows payloads, and AWS's SDK warns with the answers it can't read. What they
/// fail at is in our own lines.
pub fn init(variable: impl Fn(&str) -> Option<String>) {
    let level = match variable("AWS_LAMBDA_LOG_LEVEL").as_deref() {
        // Lambda's level above ERROR, which tracing does not know.
        Some("FATAL") => LevelFilter::ERROR,
        level => level.and_then(|level| LevelFilter::from_str(level).ok()).unwrap_or(LevelFilter::INFO),
    };
    let targets = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        let format = json_subscriber::fmt::layer().with_target(false).flatten_event(true);
        let format = format.with_span_list(false).flatten_current_span_on_top_level(true);
        registry().with(format.with_filter(targets)).init();
    } else {
        let format = tracing_subscriber::fmt::layer().with_target(false).with_ansi(std::io::stdout().is_terminal());
        registry().with(format.without_time().with_filter(targets)).init();
    }
    panic::set_hook(Box::new(|panic| {
        // Where, but not what: a panic's message may quote the text it stumbled over.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

/// What every line of an invocation bears.
#[must_use]
pub fn invocation(request_id: &str, trace: Option<&str>) -> Span {
    // At ERROR it is there whatever the level; it prints nothing of itself.
    tracing::error_span!("invocation", requestId = request_id, xray_trace_id = trace.and_then(root))
}

/// An invocation that is answered with an error before any event was looked at.
pub fn unrecognised(error: &Unrecognised) {
    tracing::error!(reason = "unrecognised_invocation", "{error}");
}

/// One line for each message (failures at WARN, the others at DEBUG), one for the invocation, and one for each
/// misconfiguration.
pub fn finished(finished: &Finished<'_>) {
    for told in finished.messages() {
        if told.outcome.reason().is_some() || tracing::enabled!(Level::DEBUG) {
            message(&told);
        }
    }
    let Finished { outcomes, calls, .. } = finished;
    let count = |name| outcomes.iter().filter(|outcome| outcome.name() == name).count();
    tracing::info!(
        received = outcomes.len(),
        applied = count("applied"),
        superseded = count("superseded"),
        retry = count("retry"),
        rejected = count("rejected"),
        parked = count("parked"),
        misconfigured = count("misconfigured"),
        ledger_failed =
            outcomes.iter().filter(|outcome| outcome.reason().is_some_and(Reason::is_of_the_ledger)).count(),
        calls = calls.len(),
        calls_failed = calls.iter().filter(|call| !call.failures.is_empty()).count(),
        slowest_call_ms = millis(calls.iter().map(|call| call.took).max().unwrap_or_default()),
        took_ms = millis(finished.took),
        remaining_ms = millis(finished.remaining),
        "batch done"
    );
    misconfigured(outcomes);
    clock_ahead(finished);
}

/// Producers' clocks that are ahead are reported once an invocation: such an event counts as having happened when it was sent.
fn clock_ahead(finished: &Finished<'_>) {
    let ahead = || finished.events.iter().map(|(_, event)| event.clock_ahead).filter(|ahead| *ahead > 0);
    if let Some(most_ahead_ms) = ahead().max() {
        tracing::warn!(
            reason = "clock_ahead",
            events = ahead().count(),
            most_ahead_ms,
            "occurred_at: is later than the event was sent, so that time counts; set the producer's clock"
        );
    }
}

fn message(told: &Told<'_>) {
    let Told { message, event, outcome, app } = *told;
    let (reason, attributes) = (outcome.reason(), message.attributes());
    /// A macro, since a line's level and words are fixed where it stands.
    macro_rules! line {
        ($level:ident, $words:literal) => {
            tracing::$level!(
                message_id = plain(&message.id).unwrap_or("-"),
                event_id = event.and_then(event_id),
                "type" = event.map(|event| event.version.rank.name()),
                app,
                device = event.and_then(Event::device).map(|device| fingerprint(device, app)),
                outcome = outcome.name(),
                reason = reason.map(|reason| reason.reason),
                detail = reason.map(|reason| &*reason.detail),
                receive_count = attributes.receive_count.as_deref().and_then(|count| count.parse::<u32>().ok()),
                trace = attributes.trace_header.as_deref().and_then(root),
                $words
            )
        };
    }
    match outcome {
        Outcome::Applied => line!(debug, "event applied"),
        Outcome::AppliedNotBound => line!(warn, "event applied"),
        Outcome::Superseded | Outcome::SupersededAtSameTime => line!(debug, "event superseded"),
        Outcome::Parked(_) => line!(warn, "event parked"),
        Outcome::Retry(_) | Outcome::Rejected(_) | Outcome::Misconfigured(_) => line!(warn, "event failed"),
    }
}

/// A misconfiguration is told once an invocation, at ERROR, for it is the operator's to mend.
fn misconfigured(outcomes: &[Outcome]) {
    let mut told = Vec::new();
    for outcome in outcomes {
        if let Outcome::Misconfigured(reason) = outcome
            && !told.contains(&reason)
        {
            told.push(reason);
            tracing::error!(
                reason = reason.reason,
                detail = &*reason.detail,
                "TPNS refuses the app; check access_id, secret_key, region and billing"
            );
        }
    }
}

/// Tells one device from another, and nobody which it is: who has the token can find its lines, and not the other way
/// round, for tokens are too many to try them all.
fn fingerprint(device: &Device, app: &str) -> String {
    let text = [app.as_bytes(), b"\0", device.token.as_str().as_bytes()].concat();
    HEXLOWER.encode(&digest(&SHA256, &text).as_ref()[..6])
}

/// The trace's id in an X-Ray header, which its sender may have made up.
fn root(header: &str) -> Option<&str> {
    plain(header.split(';').find_map(|part| part.trim().strip_prefix("Root="))?)
}

/// The producer's id, unless it could tell who somebody is: ids are free text, and some are made of the account.
fn event_id(event: &Event) -> Option<&str> {
    let id = plain(&event.id)?;
    let accounts: Vec<&str> = match &event.change {
        Change::Login(_, accounts) | Change::Deletion(_, accounts) => {
            accounts.iter().map(|each| each.account.as_str()).collect()
        }
        Change::Logout(_, accounts) => accounts.iter().map(|each| each.account.as_str()).collect(),
        Change::LogoutAll(_) => Vec::new(),
    };
    let told = letters(id);
    let tells = |text: &str| Some(letters(text)).is_some_and(|text| !text.is_empty() && told.contains(&text));
    let names = |account: &&str| tells(account) || account.split_once('@').is_some_and(|(name, _)| tells(name));
    let tells = event.device().is_some_and(|device| tells(device.token.as_str())) || accounts.iter().any(names);
    (!tells).then_some(id)
}

/// What is left of a text when it is made part of an id: its letters and digits.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The text, if it looks like an id: no mail address, nothing that breaks a line.
fn plain(id: &str) -> Option<&str> {
    let like_an_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    (id.len() <= 128 && id.chars().all(like_an_id)).then_some(id)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
