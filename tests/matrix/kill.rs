//! SIGKILL during a call, whether TPNS has applied it or not; then Lambda redelivers the batch.

use std::time::Duration;

use lambda_sim::{AsyncInvoker, Outcome};
use tpns_sim::Fault;

use crate::{
    envelope::Envelope,
    expect::EventOutcome,
    run::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_no_secrets,
    stage::Stage,
};

#[tokio::test]
async fn killed_during_any_call_nothing_is_lost_and_the_bindings_are_correct() {
    let stage = Stage::with(&[("TPNS_CONCURRENCY", "1"), ("TPNS_TIMEOUT_MS", "15000")]).await;
    for (operator_type, apply) in [5, 2, 3, 4].into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let row = format!("operator_type {operator_type}, applied: {apply}");
        let scene = mixed();
        let events: Vec<_> = scene.events.iter().collect();
        for envelope in [Envelope::Sqs, Envelope::Fifo, Envelope::Array] {
            stage.tpns.reset();
            deliver(&stage, Envelope::Array, &scene.before.iter().collect::<Vec<_>>()).await.unwrap();
            stage.tpns.fault(Fault::hang().apply(apply).app("android").operator_type(operator_type));
            let payload = envelope.payload(&events);
            if envelope == Envelope::Array {
                let mut lambda = AsyncInvoker::new(stage.function.clone());
                let (invocation, ()) = tokio::join!(lambda.invoke(payload), kill_in_the_hanging_call(&stage));
                let invocation = invocation.unwrap();
                assert!(matches!(invocation.attempts[0].outcome, Outcome::Exited { .. }), "{row}: {invocation:?}");
                assert!(invocation.succeeded() && invocation.attempts.len() == 2, "{row}: {invocation:?}");
            } else {
                let (invocation, ()) = tokio::join!(stage.function.invoke(payload), kill_in_the_hanging_call(&stage));
                let outcome = invocation.unwrap().outcome;
                assert!(matches!(outcome, Outcome::Exited { .. }), "{row}: {outcome:?}");
                let outcomes = deliver(&stage, envelope, &events).await.unwrap();
                assert!(scene.events.iter().all(|event| outcomes[&event.id] == EventOutcome::Acknowledged), "{row}");
            }
            assert_eq!(same_bindings(&stage, &scene.bound_after(&scene.events)), Ok(()), "{row}, {envelope:?}");
        }
    }
    assert_no_secrets(&stage.function);
}

/// Waits for the call, so that the process is killed neither before nor after it.
async fn kill_in_the_hanging_call(stage: &Stage) {
    while stage.tpns.calls().iter().all(|call| call.fault.is_none()) {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    stage.function.kill();
}
