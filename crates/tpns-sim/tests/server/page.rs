//! The page at `/`, and what it reads.

use reqwest::Method;
use serde_json::{Value, json};
use tpns_sim::{Fault, RetCode, model::Account};

use crate::client::{Client, builder, login, started};

fn changed(answer: &Value, part: &str) -> Vec<Value> {
    answer[part]["changed"].as_array().expect("a list").clone()
}

async fn changes(client: &Client, since: &Value) -> Value {
    let cursor = since["cursor"].as_str().expect("a cursor");
    client.get(&format!("/_sim/changes?since={cursor}")).await.json()
}

#[tokio::test]
async fn the_page_and_its_files_are_served_under_a_strict_policy_and_are_no_calls() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let page = client.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let files: Vec<&str> = page.text.split('"').filter(|text| text.starts_with("/_sim/page/")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let answer = client.get(file).await;
        assert_eq!(answer.status, 200, "{file}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    assert!(sim.calls().is_empty());
}

#[tokio::test]
async fn a_client_that_posts_to_the_page_is_in_the_log_of_calls() {
    let sim = started(builder()).await;
    let answer = Client::of(&sim).post_with("/", &[], "{}").await.expect("an answer");
    assert_eq!(answer.status, 404);
    assert_eq!(sim.calls()[0].path, "/");
}

#[tokio::test]
async fn health_names_the_version_and_the_apps() {
    let sim = started(builder()).await;
    let health = Client::of(&sim).get("/_sim/health").await;
    let expected = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "apps": ["android", "ios"]});
    assert_eq!((health.status, health.json()), (200, expected));
}

#[tokio::test]
async fn the_codes_are_listed_with_the_messages_that_tpns_documents() {
    let sim = started(builder()).await;
    let codes = Client::of(&sim).get("/_sim/codes").await.json();
    assert_eq!((&codes["0"], &codes["1008006"]), (&json!("NO_ERROR"), &json!("invalid token")));
    assert_eq!(codes.as_object().map(serde_json::Map::len), Some(RetCode::DOCUMENTED.len()));
}

#[tokio::test]
async fn without_a_cursor_everything_is_listed_and_with_one_what_changed_since() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t1", "a")).await;
    client.operate(&login("t2", "b")).await;
    sim.fault(Fault::hang().app("ios"));
    let first = client.get("/_sim/changes").await.json();
    assert_eq!((&first["devices"]["all"], &first["calls"]["all"]), (&json!(true), &json!(true)));
    assert_eq!(
        changed(&first, "devices"),
        [
            json!({"app": "android", "token": "t1", "change": 1, "accounts": [{"account": "a", "account_type": 0}]}),
            json!({"app": "android", "token": "t2", "change": 2, "accounts": [{"account": "b", "account_type": 0}]}),
        ]
    );
    assert_eq!(changed(&first, "calls"), client.get("/_sim/calls").await.json().as_array().expect("calls").clone());
    assert_eq!(first["faults"], client.get("/_sim/faults").await.json());
    assert_eq!(first["effects"]["settled"], true);

    let nothing = changes(&client, &first).await;
    assert_eq!(nothing["cursor"], first["cursor"]);
    assert_eq!((changed(&nothing, "devices").len(), changed(&nothing, "calls").len()), (0, 0));
    assert_eq!((&nothing["devices"]["all"], &nothing["calls"]["all"]), (&json!(false), &json!(false)));

    client.operate(&json!({"operator_type": 4, "token_list": ["t1"]})).await;
    let unbound = changes(&client, &first).await;
    assert_eq!(changed(&unbound, "devices"), [json!({"app": "android", "token": "t1", "change": 3, "accounts": []})]);
    assert_eq!(changed(&unbound, "calls")[0]["seq"], 3);
}

#[tokio::test]
async fn what_someone_else_binds_and_what_an_account_loses_are_changes_of_devices() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    sim.set_bindings("ios", "t1", [Account::new("a", 1)]);
    sim.set_bindings("ios", "t2", [Account::new("a", 1), Account::new("b", 2)]);
    sim.set_bindings("android", "t1", [Account::new("a", 1)]);
    let first = client.get("/_sim/changes").await.json();
    sim.set_bindings("ios", "t2", []);
    let drifted = changes(&client, &first).await;
    let tokens: Vec<_> = changed(&drifted, "devices").iter().map(|device| device["token"].clone()).collect();
    assert_eq!(tokens, ["t2"]);
    client.operate(&json!({"operator_type": 5, "account_list": [{"account": "a", "account_type": 1}]})).await;
    let unbound = changed(&changes(&client, &drifted).await, "devices");
    assert_eq!(unbound.len(), 1);
    assert_eq!((&unbound[0]["app"], &unbound[0]["token"]), (&json!("android"), &json!("t1")));
}

#[tokio::test]
async fn a_device_changes_when_the_operation_takes_effect_and_not_before() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    sim.fault(Fault::late_effect(86_400_000));
    client.operate(&login("t", "a")).await;
    let first = client.get("/_sim/changes").await.json();
    assert_eq!((changed(&first, "devices").len(), &first["effects"]["pending"]), (0, &json!(1)));
    sim.skip_time(std::time::Duration::from_secs(86_400));
    assert_eq!(changed(&changes(&client, &first).await, "devices").len(), 1);
}

#[tokio::test]
async fn a_reset_of_calls_and_one_of_bindings_each_list_their_part_from_the_start() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for account in ["a", "b", "c"] {
        client.operate(&login("t", account)).await;
    }
    let full = client.get("/_sim/changes").await.json();
    client.control("/_sim/reset", &json!({"calls": true})).await;
    client.operate(&login("t", "d")).await;
    let calls_reset = changes(&client, &full).await;
    assert_eq!((&calls_reset["calls"]["all"], &calls_reset["devices"]["all"]), (&json!(true), &json!(false)));
    assert_eq!(changed(&calls_reset, "calls").len(), 1);
    client.control("/_sim/reset", &json!({"bindings": true})).await;
    let bindings_reset = changes(&client, &calls_reset).await;
    assert_eq!((&bindings_reset["calls"]["all"], &bindings_reset["devices"]["all"]), (&json!(false), &json!(true)));
    assert_eq!(changed(&bindings_reset, "devices").len(), 0);
}

#[tokio::test]
async fn the_cursor_of_another_server_lists_everything() {
    let (one, other) = (started(builder()).await, started(builder()).await);
    let (client, of_other) = (Client::of(&one), Client::of(&other));
    client.operate(&login("t", "a")).await;
    of_other.operate(&login("t", "a")).await;
    let first = client.get("/_sim/changes").await.json();
    let later = changes(&of_other, &first).await;
    assert_eq!((&later["devices"]["all"], &later["calls"]["all"]), (&json!(true), &json!(true)));
    assert_eq!((changed(&later, "devices").len(), changed(&later, "calls").len()), (1, 1));
}

#[tokio::test]
async fn what_is_no_cursor_is_refused() {
    let sim = started(builder()).await;
    for since in ["", "7", "x-0-0-0-0"] {
        let refused = Client::of(&sim).get(&format!("/_sim/changes?since={since}")).await;
        assert_eq!(refused.status, 400, "{since}");
        assert!(refused.text.contains("`since` must be the `cursor` of an earlier answer"), "{}", refused.text);
    }
}

#[tokio::test]
async fn only_the_newest_calls_are_among_the_changes() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for _ in 0..501 {
        client.post_with("/elsewhere", &[], "").await.expect("an answer");
    }
    let calls = changed(&client.get("/_sim/changes").await.json(), "calls");
    assert_eq!((calls.len(), &calls[0]["seq"]), (500, &json!(2)));
}

#[tokio::test]
async fn a_fault_is_removed_by_its_id_and_an_id_never_means_another_fault() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.control("/_sim/faults", &json!([{"fault": "hang"}, {"fault": "reset"}])).await;
    let faults = client.get("/_sim/faults").await.json();
    assert_eq!((&faults[0]["id"], &faults[1]["id"]), (&json!(1), &json!(2)));
    let removed = client.send(Method::DELETE, "/_sim/faults/1").await;
    assert_eq!((removed.status, removed.json()), (200, json!({"faults": 1})));
    let left = client.get("/_sim/faults").await.json();
    assert_eq!((&left[0]["fault"], left.as_array().map(Vec::len)), (&json!("reset"), Some(1)));
    let again = client.send(Method::DELETE, "/_sim/faults/1").await;
    assert_eq!(again.status, 404);
    assert_eq!(again.json()["error"], "there is no active fault 1; GET /_sim/faults lists those there are");
    client.control("/_sim/reset", &json!({"faults": true})).await;
    client.control("/_sim/faults", &json!({"fault": "hang"})).await;
    assert_eq!(client.get("/_sim/faults").await.json()[0]["id"], 3);
    let word = client.send(Method::DELETE, "/_sim/faults/hang").await;
    assert_eq!(word.status, 400);
    assert!(word.text.contains("the id of a fault is a whole number"), "{}", word.text);
}
