//! In whatever way TPNS stalls, the function answers before its timeout, and reports the events that are not completed.

use std::time::{Duration, Instant};

use tpns_sim::Fault;

use crate::{
    control::end_faults,
    envelope::Envelope,
    expect::EventOutcome,
    run::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_no_secrets,
    stage::Stage,
};

/// The shortest timeout that the template allows. The reserve is the template's too.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The reserve, the longest pause before a retry, and the minimum time for a call: no other time is left unused.
const UNUSED: Duration = Duration::from_millis(1000 + 2000 + 100);

#[tokio::test]
async fn the_deadline_passes_while_tpns_stalls_and_the_answer_is_in_time() {
    // Beside what is said here: an event may not be begun in time, and the last call may not be answered in time.
    let rows = [
        ("hangs", Fault::hang(), None),
        ("hangs, applied", Fault::hang().apply(true), None),
        ("takes a minute", Fault::delay(60_000), None),
        ("asks to wait a second each time", Fault::status(503).retry_after("1"), Some("tpns_unavailable")),
        ("asks to wait an hour", Fault::status(429).retry_after("3600"), Some("tpns_throttled")),
        ("is slow to answer that it fails", Fault::ret_code(1_008_004), Some("tpns_internal")),
    ];
    // Concurrently, since they only wait.
    let rows = rows.into_iter().flat_map(|row| ["1", "8"].map(|concurrency| (row.clone(), concurrency)));
    let rows = rows.map(|((name, fault, reason), concurrency)| stalls(name, fault, reason, concurrency));
    futures_util::future::join_all(rows).await;
}

async fn stalls(name: &str, fault: Fault, said: Option<&str>, concurrency: &str) {
    let settings = [("TPNS_TIMEOUT_MS", "60000"), ("TPNS_MAX_ATTEMPTS", "100"), ("TPNS_CONCURRENCY", concurrency)];
    let stage = Stage::within(TIMEOUT, &settings).await;
    let mut scene = mixed();
    scene.before.clear();
    let events: Vec<_> = scene.events.iter().collect();
    stage.tpns.fault(fault.clone().forever());
    let begun = Instant::now();
    // Anything but a response, such as a timeout, is an error.
    let outcomes = deliver(&stage, Envelope::Sqs, &events).await.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    let took = begun.elapsed();
    assert!(name.ends_with("hour") || took >= TIMEOUT - UNUSED, "{name}: given up after {took:?}");
    let reasons = [said, Some("tpns_timeout"), Some("deadline")];
    for event in &scene.events {
        let EventOutcome::Reported((outcome, reason)) = outcomes[&event.id] else { panic!("{name}: {event:?}") };
        assert!(outcome == "retry" && reasons.contains(&Some(reason)), "{name}: {outcome} {reason} of {event:?}");
    }
    assert_eq!(stage.function.cold_starts(), 1, "{name}: the process is still alive");

    end_faults(&stage.tpns).await;
    let outcomes = deliver(&stage, Envelope::Sqs, &events).await.unwrap();
    assert!(scene.events.iter().all(|event| outcomes[&event.id] == EventOutcome::Acknowledged), "{name}");
    assert_eq!(same_bindings(&stage, &scene.bound_after(&scene.events)), Ok(()), "{name}");
    assert_no_secrets(&stage.function);
}
