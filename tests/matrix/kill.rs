//! SIGKILL while a call is under way, whether TPNS has taken it or not; then Lambda brings the batch again.

use std::time::Duration;

use lambda_sim::{AsyncInvoker, Outcome};
use tpns_sim::Fault;

use crate::{
    envelope::Envelope,
    expect::Ending,
    play::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_discreet,
    stage::Stage,
};

#[tokio::test]
async fn killed_in_any_call_nothing_is_lost_and_nothing_wrong_stays() {
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
                let endings = deliver(&stage, envelope, &events).await.unwrap();
                assert!(scene.events.iter().all(|event| endings[&event.id] == Ending::Acknowledged), "{row}");
            }
            assert_eq!(same_bindings(&stage, &scene.bound_after(&scene.events)), Ok(()), "{row}, {envelope:?}");
        }
    }
    assert_discreet(&stage.function);
}

/// Waits for the call, so that the process dies neither before nor after it.
async fn kill_in_the_hanging_call(stage: &Stage) {
    while stage.tpns.calls().iter().all(|call| call.fault.is_none()) {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    stage.function.kill();
}
