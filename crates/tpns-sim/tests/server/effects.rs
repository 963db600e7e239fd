//! Accepted, and applied late, never, or shown late; and bindings set by hand.

use std::time::Duration;

use serde_json::{Value, json};
use tpns_sim::{Fault, RunningSim, model::Account};

use crate::client::{Client, QUERY, builder, login, started, until, until_called};

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: u64 = 86_400_000;
const SOON: Duration = Duration::from_millis(50);

fn bound(sim: &RunningSim) -> Option<String> {
    Some(sim.bindings()["android"].get("t")?[0].account.clone())
}

async fn query(client: &Client, body: &Value) -> Value {
    client.signed(QUERY, body).await.expect("an answer").json()
}

fn of_token() -> Value {
    json!({"operator_type": 2, "token_list": ["t"]})
}

#[tokio::test]
async fn a_late_effect_is_accepted_at_once_and_overtaken() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.control("/_sim/faults", &json!({"fault": "effect", "late_ms": DAY_MS})).await;
    assert_eq!(client.operate(&login("t", "old")).await.codes(), (0, vec!["0".to_owned()]));
    client.operate(&login("t", "new")).await;
    assert_eq!(bound(&sim).as_deref(), Some("new"));
    let call = &sim.calls()[0];
    assert_eq!((call.fault, call.applied), (Some("effect"), true));
    assert_eq!(
        client.get("/_sim/effects").await.json(),
        json!({"settled": false, "expected": 0, "pending": 1, "hidden": 0, "overtaken": 0, "late": 1, "lost": 0,
               "seed": 0})
    );
}

#[tokio::test]
async fn late_effects_can_be_waited_for() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    sim.fault(Fault::late_effect(50));
    client.operate(&login("t", "a")).await;
    let effects = client.get("/_sim/effects?settle=1").await.json();
    assert_eq!((&effects["settled"], &effects["late"]), (&json!(true), &json!(1)));
    assert_eq!(bound(&sim).as_deref(), Some("a"));
    let bad = client.get("/_sim/effects?settle=yes").await;
    assert_eq!(bad.status, 400);
    assert!(bad.text.contains("`settle`"), "{}", bad.text);
}

#[tokio::test]
async fn a_late_operation_can_be_waited_for_after_its_client_gave_up() {
    let sim = started(builder()).await;
    sim.fault(Fault::late(50));
    let (client, body) = (Client::of(&sim), login("t", "a"));
    tokio::select! {
        _ = client.operate(&body) => {}
        () = until_called(&sim) => {}
    }
    drop(client);
    sim.settle().await;
    assert_eq!(bound(&sim).as_deref(), Some("a"));
    assert!(sim.effects().settled && sim.calls()[0].applied);
}

#[tokio::test]
async fn a_lost_effect_has_a_good_answer_and_is_counted() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    let lost =
        json!({"fault": "effect", "apply": false, "operator_type": 4, "probability": 1.0, "seed": 7, "times": 1});
    client.control("/_sim/faults", &lost).await;
    let logout = json!({"operator_type": 4, "token_list": ["t"]});
    assert_eq!(client.operate(&logout).await.codes(), (0, vec!["0".to_owned()]));
    let call = &sim.calls()[1];
    assert_eq!((call.fault, call.applied, bound(&sim).as_deref()), (Some("effect"), false, Some("a")));
    assert_eq!((sim.effects().lost, sim.effects().settled), (1, true));
    client.operate(&logout).await;
    assert_eq!((bound(&sim), sim.effects().lost), (None, 1));
}

#[tokio::test]
async fn an_effect_fault_changes_only_the_items_it_selects() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    sim.fault(Fault::lost_effect().token("t"));
    let body = json!({"operator_type": 2, "token_accounts": [
        {"token": "t", "account_list": [{"account": "a"}]},
        {"token": "u", "account_list": [{"account": "a"}]}]});
    assert_eq!(client.operate(&body).await.codes().1, ["0", "0"]);
    assert_eq!(sim.bindings()["android"].keys().collect::<Vec<_>>(), ["u"]);
    assert!(sim.calls()[0].applied);
}

#[tokio::test]
async fn a_random_time_to_the_effect_keeps_calls_pending() {
    let sim = started(builder().apply_within(DAY, 7)).await;
    let client = Client::of(&sim);
    for account in ["a", "b", "c"] {
        assert_eq!(client.operate(&login("t", account)).await.codes().0, 0);
    }
    let effects = sim.effects();
    assert_eq!((effects.settled, effects.pending, effects.seed, bound(&sim)), (false, 3, 7, None));
    sim.reset();
    assert!(sim.effects().settled);
}

#[tokio::test]
async fn a_query_shows_an_effect_only_after_the_lag() {
    let sim = started(builder().query_lag(DAY)).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    assert_eq!(bound(&sim).as_deref(), Some("a"));
    assert_eq!(query(&client, &of_token()).await["result"], json!(["10110008"]));
    assert_eq!((sim.effects().hidden, sim.effects().settled), (1, false));

    let sim = started(builder().query_lag(SOON)).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    sim.settle().await;
    assert_eq!(query(&client, &of_token()).await["token_accounts"][0]["account_list"][0]["account"], "a");
}

#[tokio::test]
async fn a_query_can_be_answered_without_account_types() {
    let sim = started(builder().omit_account_type(true)).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    assert_eq!(
        query(&client, &of_token()).await,
        json!({"retCode": 0, "errMsg": "NO_ERROR", "result": ["0"],
               "token_accounts": [{"token": "t", "account_list": [{"account": "a"}]}]})
    );
    let by_account = query(&client, &json!({"operator_type": 1, "account_list": [{"account": "a"}]})).await;
    assert_eq!(by_account["account_tokens"], json!([{"account": "a", "token_list": ["t"]}]));
}

#[tokio::test]
async fn bindings_set_by_hand_replace_those_of_the_tokens_named() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for token in ["t", "u", "v"] {
        client.operate(&login(token, "a")).await;
    }
    let wanted = json!({"android": {"t": [{"account": "b", "account_type": 1005}, {"account": "c"}], "u": []}});
    assert_eq!(client.control("/_sim/bindings", &wanted).await.json(), json!({"tokens": 2}));
    assert_eq!(
        client.get("/_sim/bindings").await.json()["android"],
        json!({"t": [{"account": "c", "account_type": 0}, {"account": "b", "account_type": 1005}],
               "v": [{"account": "a", "account_type": 0}]})
    );
    let tokens = query(&client, &json!({"operator_type": 1, "account_list": [{"account": "a"}]})).await;
    assert_eq!(tokens["account_tokens"][0]["token_list"], json!(["v"]));
    assert_eq!(sim.calls().len(), 4, "what is set by hand is no call");
    sim.set_bindings("android", "v", [Account::new("z", 0)]);
    sim.set_bindings("android", "t", []);
    assert_eq!(sim.bindings()["android"].keys().collect::<Vec<_>>(), ["v"]);
}

#[tokio::test]
async fn bindings_set_by_hand_must_be_possible() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for (body, expected) in [
        (json!({"watch": {}}), "use one of android, ios"),
        (json!({"android": {"t": [{"account": "a"}, {"account": "b"}]}}), "two accounts of one account_type"),
        (json!({"android": {"t": "a"}}), "the shape of GET /_sim/bindings"),
    ] {
        let refused = client.control("/_sim/bindings", &body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(expected), "{}", refused.text);
    }
    assert!(sim.bindings()["android"].is_empty());
}

#[tokio::test]
async fn a_query_has_every_fault_of_an_answer_in_its_own_spelling() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    let answer = async |fault: Fault| {
        sim.fault(fault.on_query());
        client.signed(QUERY, &of_token()).await.expect("an answer")
    };
    assert_eq!(answer(Fault::status(503)).await.status, 503);
    let busy = r#"{"retCode":1008028,"errMsg":"request too fast"}"#;
    assert_eq!(answer(Fault::status(429).body(busy)).await.status, 429);
    assert_eq!(sim.calls().last().and_then(|call| call.ret_code).map(|code| code.0), Some(1_008_028));
    let refused = answer(Fault::ret_code(1_008_007)).await.json();
    assert_eq!(refused, json!({"retCode": 1_008_007, "errMsg": "invalid parameter", "result": []}));
    let failed = answer(Fault::item_code(1_008_006)).await.json();
    assert_eq!((&failed["result"], &failed["token_accounts"]), (&json!(["1008006"]), &json!([])));
    assert_eq!(answer(Fault::result_length(-1)).await.json()["result"], json!([]));
    let old = answer(Fault::ok_words()).await.json();
    assert_eq!((&old["errMsg"], &old["result"]), (&json!("ok"), &json!(["ok"])));
    assert!(answer(Fault::malformed()).await.text.starts_with(r#"{"retCode":0"#));
}

#[tokio::test]
async fn a_query_can_hang_or_lose_its_connection() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for fault in [Fault::disconnect(), Fault::reset(), Fault::truncated()] {
        sim.fault(fault.on_query());
        assert!(client.signed(QUERY, &of_token()).await.is_err());
    }
    sim.fault(Fault::hang().on_query());
    let body = of_token();
    let hangs = async {
        until(|| sim.calls().last().is_some_and(|call| call.fault == Some("hang"))).await;
        tokio::time::sleep(SOON).await;
    };
    tokio::select! {
        _ = client.signed(QUERY, &body) => panic!("there must be no answer"),
        () = hangs => {}
    }
    assert_eq!(sim.calls().last().map(|call| (call.fault, call.status)), Some((Some("hang"), None)));
}
