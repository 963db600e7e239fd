//! What the function prints: no account, no token, no key, at any level.

mod checks;
mod ids;

use std::{io::IsTerminal, panic, str::FromStr, time::Duration};

pub use checks::checks_finished;
use tracing::{Level, Span, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::{
    event::Event,
    fingerprint,
    finished::{Finished, MessageOutcome},
    ingress::{MessageIndex, Source, Unrecognised},
    outcome::{Cause, Failure, Outcome, OutcomeKind, Reason},
};
use ids::Shown;

/// Sets up the log as Lambda requires it: its format and level come from `AWS_LAMBDA_LOG_FORMAT` and
/// `AWS_LAMBDA_LOG_LEVEL`, read through `variable`.
///
/// Libraries print nothing: lambda_runtime shows payloads, and AWS's SDK warns with the answers it can't read. Their
/// failures are in our own lines.
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
        // Where, but not what: a panic's message may quote the text that caused it.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic");
    }));
}

/// The span of an invocation, whose fields are on each of its lines.
#[must_use]
pub fn invocation(request_id: &str, trace: Option<&str>) -> Span {
    // At ERROR it exists at any log level; it prints nothing itself.
    tracing::error_span!("invocation", requestId = request_id, xray_trace_id = trace.and_then(root))
}

/// An invocation that is answered with an error before any event was read.
pub fn unrecognised(error: &Unrecognised) {
    tracing::error!(reason = Reason::UnrecognisedInvocation.as_str(), "{error}");
}

/// One line for each message (failures at WARN, the others at DEBUG), one for the invocation, and one for each
/// misconfiguration.
pub fn finished(finished: &Finished<'_>) {
    for settled in finished.messages() {
        let is_failure = settled.outcome.failure().is_some();
        if is_failure && tracing::enabled!(Level::WARN) || tracing::enabled!(Level::DEBUG) {
            message(&settled, finished.batch.source);
        }
    }
    let Finished { outcomes, calls, .. } = finished;
    let count = |kind| outcomes.iter().filter(|outcome| outcome.kind() == kind).count();
    let unchanged = outcomes.iter().filter(|outcome| **outcome == Outcome::Unchanged).count();
    let is_of_the_ledger =
        |outcome: &&Outcome| outcome.failure().is_some_and(|failure| failure.reason.cause() == Cause::Ledger);
    tracing::info!(
        received = outcomes.len(),
        applied = count(OutcomeKind::Applied),
        unchanged = (unchanged > 0).then_some(unchanged),
        superseded = count(OutcomeKind::Superseded),
        retry = count(OutcomeKind::Retry),
        rejected = count(OutcomeKind::Rejected),
        parked = count(OutcomeKind::Parked),
        misconfigured = count(OutcomeKind::Misconfigured),
        ledger_failed = outcomes.iter().filter(is_of_the_ledger).count(),
        calls = calls.len(),
        calls_failed = calls.iter().filter(|call| !call.failures.is_empty()).count(),
        slowest_call_ms = millis(calls.iter().map(|call| call.took).max().unwrap_or_default()),
        took_ms = millis(finished.took),
        remaining_ms = millis(finished.remaining),
        delayed = (finished.delayed > 0).then_some(finished.delayed),
        version = env!("CARGO_PKG_VERSION"),
        "batch done"
    );
    misconfigured(outcomes);
    clock_ahead(finished);
    deduplicated_by_content(finished);
}

/// Producers' clocks that are ahead are reported once an invocation: such an event counts as having happened when it
/// was sent.
fn clock_ahead(finished: &Finished<'_>) {
    let ahead = || finished.events.iter().map(|(_, event)| event.clock_ahead).filter(|ahead| *ahead > 0);
    if let Some(most_ahead_ms) = ahead().max() {
        tracing::warn!(
            reason = Reason::ClockAhead.as_str(),
            events = ahead().count(),
            most_ahead_ms,
            "occurred_at: is later than the time the event was sent, which is used instead; set the producer's clock"
        );
    }
}

fn message(settled: &MessageOutcome<'_>, source: Source) {
    let MessageOutcome { message, event, outcome, app } = *settled;
    let (failure, attributes) = (outcome.failure(), message.attributes());
    let detail = failure.map(Failure::detail);
    let (message_id, event_id) = (ids::of_message(settled, source), ids::of_event(settled, source));
    let device = event.and_then(Event::device).map(|device| fingerprint::device(app, device.token.as_str()));
    /// A macro, since the level and the words of a line are fixed at compile time.
    macro_rules! line {
        ($level:ident, $words:literal) => {
            tracing::$level!(
                message_id = message_id.id(),
                message_id_hash = message_id.hash(),
                event_id = event_id.as_ref().and_then(Shown::id),
                event_id_hash = event_id.as_ref().and_then(Shown::hash),
                "type" = event.map(|event| event.version.rank.name()),
                app,
                device,
                outcome = outcome.name(),
                reason = failure.map(|failure| failure.reason.as_str()),
                detail = detail.as_deref(),
                receive_count = attributes.receive_count.as_deref().and_then(|count| count.parse::<u32>().ok()),
                trace = attributes.trace_header.as_deref().and_then(root),
                $words
            )
        };
    }
    match outcome {
        Outcome::Applied | Outcome::Unchanged => line!(debug, "event applied"),
        Outcome::AppliedNotBound => line!(warn, "event applied"),
        Outcome::Superseded | Outcome::SupersededAtSameTime => line!(debug, "event superseded"),
        Outcome::Parked(_) => line!(warn, "event parked"),
        Outcome::Retry(_) | Outcome::Rejected(_) | Outcome::Misconfigured(_) => line!(warn, "event failed"),
    }
}

/// A misconfiguration is logged once an invocation, at ERROR, since the operator has to correct it.
fn misconfigured(outcomes: &[Outcome]) {
    let mut logged = Vec::new();
    for outcome in outcomes {
        if let Outcome::Misconfigured(failure) = outcome
            && !logged.contains(&failure)
        {
            logged.push(failure);
            tracing::error!(
                reason = failure.reason.as_str(),
                detail = &*failure.detail(),
                "TPNS refuses the app; check access_id, secret_key, region and billing"
            );
        }
    }
}

/// What SQS drops never gets here, so the first of two equal events is reported: the second one would be lost.
fn deduplicated_by_content(finished: &Finished<'_>) {
    if finished.batch.source != Source::FifoQueue {
        return;
    }
    let hides_repeats = |(index, event): &(MessageIndex, Event)| {
        let message = &finished.batch.messages[index.0];
        // Without an id of its own it has that of the message.
        message.id == *event.id && message.hides_repeats()
    };
    if finished.events.iter().any(hides_repeats) {
        tracing::warn!(
            reason = Reason::DeduplicatedByContent.as_str(),
            "the FIFO queue knows events without id and occurred_at by their content, and drops an equal one that is sent \
             within five minutes; send each event with an id and a MessageDeduplicationId of its own"
        );
    }
}

/// The trace's id in an X-Ray header. Its sender may have made it up, so only X-Ray's own form is shown:
/// `1-`, eight hex digits, `-` and 24 more.
fn root(header: &str) -> Option<&str> {
    let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root="))?;
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_form = root.split('-').map(str::len).eq([1, 8, 24]) && root.starts_with("1-");
    (has_form && root.split('-').all(is_hex)).then_some(root)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
