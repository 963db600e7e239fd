//! TPNS cannot be reached, or something else answers: nothing is sent, every event of that app is retried, and the
//! other app is not affected.

use serde_json::Value;

use crate::{
    envelope::Envelope,
    expect::EventOutcome,
    listeners::{Listener, Received},
    run::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_no_secrets,
    stage::{Stage, function, login},
};

#[tokio::test]
async fn without_tpns_nothing_is_sent_and_the_other_app_is_not_affected() {
    let nowhere = |url: &str| (url.to_owned(), Received::default());
    for (name, (endpoint, received), reason) in [
        ("no listener", nowhere("http://127.0.0.1:1"), "tpns_unreachable"),
        ("no listener, with TLS", nowhere("https://127.0.0.1:1"), "tpns_unreachable"),
        ("an unknown host name", nowhere("https://tpns.invalid"), "tpns_unreachable"),
        ("a connection closed at once", Listener::ClosesAtOnce.listen(), "tpns_unreachable"),
        ("silence", Listener::Silent.listen(), "tpns_unreachable"),
        ("TLS refused", Listener::RefusesTls.listen(), "tpns_unreachable"),
        ("no TLS", Listener::SpeaksHttp.listen(), "tpns_unreachable"),
        ("an impostor", Listener::Impostor.listen(), "tpns_unreachable"),
    ] {
        let stage = Stage::new().await;
        let mut apps: Value = serde_json::from_str(&stage.tpns.apps_document()).unwrap();
        apps["android"]["endpoint"] = endpoint.into();
        // The others are not waited for; but a resolver may be slow.
        let timeout = if ["silence", "an unknown host name"].contains(&name) { "3000" } else { "15000" };
        let settings = [("TPNS_TIMEOUT_MS", timeout), ("TPNS_MAX_ATTEMPTS", "1")];
        let stage = Stage { function: function(&apps.to_string(), &settings), tpns: stage.tpns };
        for envelope in [Envelope::Sqs, Envelope::Array] {
            let mut scene = mixed();
            scene.before.clear();
            let events: Vec<_> = scene.events.iter().collect();
            let outcomes = deliver(&stage, envelope, &events).await.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            for event in &scene.events {
                let should = match event.app {
                    // After several failed calls in a row, the others are not attempted.
                    "android" => [
                        EventOutcome::Reported(("retry", reason)),
                        EventOutcome::Reported(("retry", "tpns_unreachable")),
                    ],
                    _ => [EventOutcome::Acknowledged; 2],
                };
                assert!(should.contains(&outcomes[&event.id]), "{name}: {event:?} is {:?}", outcomes[&event.id]);
            }
            let there = scene.bound_after(scene.events.iter().filter(|event| event.app == "ios"));
            assert_eq!(same_bindings(&stage, &there), Ok(()), "{name}");
        }
        assert!(received.lock().unwrap().is_empty(), "{name}: received something");
        assert!(stage.tpns.calls().iter().all(|call| call.app.as_deref() == Some("ios")), "{name}");
        assert_no_secrets(&stage.function);
    }
}

#[tokio::test]
async fn an_impostor_in_place_of_the_table_receives_nothing_and_nothing_is_applied() {
    let (endpoint, received) = Listener::Impostor.listen();
    let settings = [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &endpoint)];
    let stage = Stage::with(&settings).await;
    let failed = stage.batch(&[login(1, "t", &["a"])]).await;
    assert_eq!(failed, ["m0"]);
    assert_eq!(stage.lines("event failed")[0]["reason"], "ledger_unreachable");
    assert_eq!(stage.calls(), []);
    assert!(received.lock().unwrap().is_empty(), "received something");
    assert_no_secrets(&stage.function);
}
