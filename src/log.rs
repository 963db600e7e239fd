//! What the function prints: no account, no token, no key, at any level.

use std::{borrow::Cow, io::IsTerminal, panic, str::FromStr, time::Duration};

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{
    event::{Account, Change, Event},
    ingress::{Batch, Message},
    report::{Outcome, Reason},
    tpns::CallCount,
};

/// Sets up the log as Lambda wants it: its format and level come from `AWS_LAMBDA_LOG_FORMAT` and
/// `AWS_LAMBDA_LOG_LEVEL`, read through `variable`.
///
/// Libraries are kept to warnings: lambda_runtime prints whole payloads at TRACE, and those hold accounts.
pub fn init(variable: impl Fn(&str) -> Option<String>) {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").and_then(|level| LevelFilter::from_str(&level).ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // Its ERROR lines quote errors that may quote payloads; what they tell is in our own lines.
        .with_target("lambda_runtime", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level);
    let format = tracing_subscriber::fmt::layer().with_target(false).with_ansi(std::io::stdout().is_terminal());
    if variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        let format = format.json().flatten_event(true).with_current_span(false).with_span_list(false);
        registry().with(format.with_filter(targets)).init();
    } else {
        registry().with(format.without_time().with_filter(targets)).init();
    }
    panic::set_hook(Box::new(|panic| {
        // Where, but not what: a panic's message may quote the text it stumbled over.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

/// One line for each message (failures at WARN, the others at DEBUG) and one for the invocation.
pub fn batch(
    request_id: &str,
    batch: &Batch<'_>,
    events: &[(usize, Event)],
    outcomes: &[Outcome],
    calls: CallCount,
    took: Duration,
) {
    let event_of =
        |index: usize| events.binary_search_by_key(&index, |(index, _)| *index).ok().map(|found| &events[found].1);
    for (index, (message, outcome)) in batch.messages.iter().zip(outcomes).enumerate() {
        if outcome.reason().is_none() && !tracing::enabled!(Level::DEBUG) {
            continue;
        }
        self::message(request_id, message, event_of(index), outcome);
    }
    let count = |name| outcomes.iter().filter(|outcome| outcome.name() == name).count();
    tracing::info!(
        requestId = request_id,
        received = batch.messages.len(),
        applied = count("applied"),
        superseded = count("superseded"),
        retry = count("retry"),
        rejected = count("rejected"),
        parked = count("parked"),
        misconfigured = count("misconfigured"),
        ledger_failed =
            outcomes.iter().filter(|outcome| outcome.reason().is_some_and(Reason::is_of_the_ledger)).count(),
        calls = calls.calls,
        calls_failed = calls.failed,
        slowest_call_ms = millis(calls.slowest),
        took_ms = millis(took),
        "batch done"
    );
}

fn message(request_id: &str, message: &Message<'_>, event: Option<&Event>, outcome: &Outcome) {
    let message_id = plain(&message.id).unwrap_or("-");
    let event_id = event.and_then(event_id);
    let receive_count = message.attribute("ApproximateReceiveCount").and_then(|count| count.parse::<u32>().ok());
    let name = outcome.name();
    let Reason { reason, detail } = match outcome {
        Outcome::Applied | Outcome::Superseded => {
            tracing::debug!(
                requestId = request_id,
                message_id,
                event_id,
                outcome = name,
                receive_count,
                "event {name}"
            );
            return;
        }
        Outcome::Retry(reason)
        | Outcome::Rejected(reason)
        | Outcome::Parked(reason)
        | Outcome::Misconfigured(reason) => reason,
    };
    let detail: &Cow<'_, str> = detail;
    tracing::warn!(
        requestId = request_id,
        message_id,
        event_id,
        outcome = name,
        reason,
        detail = &**detail,
        receive_count,
        "event {}",
        if outcome.is_acknowledged() { "parked" } else { "failed" }
    );
}

/// A misconfiguration is told once an invocation, at ERROR, for it is the operator's to mend.
pub fn misconfigured(request_id: &str, outcomes: &[Outcome]) {
    let mut told = Vec::new();
    for outcome in outcomes {
        if let Outcome::Misconfigured(reason) = outcome
            && !told.contains(&reason)
        {
            told.push(reason);
            tracing::error!(
                requestId = request_id,
                reason = reason.reason,
                detail = &*reason.detail,
                "TPNS refuses the app; check access_id, secret_key, region and billing"
            );
        }
    }
}

/// The producer's id, unless it could tell who somebody is: ids are free text, and some are made of the account.
fn event_id(event: &Event) -> Option<&str> {
    let id = plain(&event.version.id)?;
    let accounts = match &event.change {
        Change::Login(_, accounts) | Change::Logout(_, accounts) | Change::Deletion(_, accounts) => accounts.as_slice(),
        Change::LogoutAll(_) => &[],
    };
    let told = letters(id);
    let tells = |text: &str| Some(letters(text)).is_some_and(|text| !text.is_empty() && told.contains(&text));
    let names = |account: &Account| {
        let account = account.account.as_str();
        tells(account) || account.split_once('@').is_some_and(|(name, _)| tells(name))
    };
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
