//! TPNS is not there, or somebody else is: nothing is sent, every event of that app comes again, the other app goes on.

use serde_json::Value;

use crate::{
    envelope::Envelope,
    expect::Ending,
    listeners::{Heard, Listener},
    play::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_discreet,
    stage::{Stage, function, login},
};

#[tokio::test]
async fn where_there_is_no_tpns_nothing_is_sent_and_the_other_app_goes_on() {
    let nowhere = |url: &str| (url.to_owned(), Heard::default());
    for (name, (endpoint, heard), reason) in [
        ("nobody listens", nowhere("http://127.0.0.1:1"), "tpns_unreachable"),
        ("nobody listens with TLS", nowhere("https://127.0.0.1:1"), "tpns_unreachable"),
        ("there is no such name", nowhere("https://tpns.invalid"), "tpns_unreachable"),
        ("a door shut", Listener::ShutsTheDoor.listen(), "tpns_unreachable"),
        ("silence", Listener::Silent.listen(), "tpns_unreachable"),
        ("TLS refused", Listener::RefusesTls.listen(), "tpns_unreachable"),
        ("no TLS", Listener::SpeaksHttp.listen(), "tpns_unreachable"),
        ("an impostor", Listener::Nobody.listen(), "tpns_unreachable"),
    ] {
        let stage = Stage::new().await;
        let mut apps: Value = serde_json::from_str(&stage.tpns.apps_document()).unwrap();
        apps["android"]["endpoint"] = endpoint.into();
        let settings = [("TPNS_TIMEOUT_MS", "700"), ("TPNS_MAX_ATTEMPTS", "1")];
        let stage = Stage { function: function(&apps.to_string(), &settings), tpns: stage.tpns };
        for envelope in [Envelope::Sqs, Envelope::Array] {
            let mut scene = mixed();
            scene.before.clear();
            let events: Vec<_> = scene.events.iter().collect();
            let endings = deliver(&stage, envelope, &events).await.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            for event in &scene.events {
                let should = match event.app {
                    // Once a run of calls came to nothing, the others are not tried.
                    "android" => [Ending::Reported(("retry", reason)), Ending::Reported(("retry", "tpns_unreachable"))],
                    _ => [Ending::Acknowledged; 2],
                };
                assert!(should.contains(&endings[&event.id]), "{name}: {event:?} is {:?}", endings[&event.id]);
            }
            let there = scene.bound_after(scene.events.iter().filter(|event| event.app == "ios"));
            assert_eq!(same_bindings(&stage, &there), Ok(()), "{name}");
        }
        assert!(heard.lock().unwrap().is_empty(), "{name}: was told something");
        assert!(stage.tpns.calls().iter().all(|call| call.app.as_deref() == Some("ios")), "{name}");
        assert_discreet(&stage.function);
    }
}

#[tokio::test]
async fn where_the_table_should_be_an_impostor_is_told_nothing_and_nothing_is_applied() {
    let (endpoint, heard) = Listener::Nobody.listen();
    let settings = [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &endpoint)];
    let stage = Stage::with(&settings).await;
    let failed = stage.batch(&[login(1, "t", &["a"])]).await;
    assert_eq!(failed, ["m0"]);
    assert_eq!(stage.lines("event failed")[0]["reason"], "ledger_unreachable");
    assert_eq!(stage.calls(), []);
    assert!(heard.lock().unwrap().is_empty(), "was told something");
    assert_discreet(&stage.function);
}
