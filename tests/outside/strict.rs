//! The contract is strict where a mistake would change the meaning.

mod formats;
mod values;

use data_encoding::BASE64;
use lambda_sim::{AwsApi, aws::dynamodb::Item};
use serde_json::{Value, json};

use crate::stage::{Stage, at, login, logout, logout_of};

/// The reason and detail of the only event of this batch, or `None` if it was applied.
async fn refused(stage: &Stage, body: &str) -> Option<(String, String)> {
    let mark = stage.function.output_len().unwrap();
    let failed = stage.batch(&[body]).await;
    let lines = stage.function.lines_since(mark).unwrap();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.into_iter().find(|line| line["message"] == "event failed");
    assert_eq!(failed.is_empty(), line.is_none(), "{body}");
    line.map(|line| {
        assert_eq!(line["outcome"], "rejected", "{body}: {line}");
        (line["reason"].as_str().unwrap().to_owned(), line["detail"].as_str().unwrap().to_owned())
    })
}

/// Each of these is refused with this reason and detail, and does not change the device.
async fn all_refused(rows: impl IntoIterator<Item = (String, &str, impl AsRef<str>)>) {
    let stage = Stage::new().await;
    stage.batch(&[login(1, "t1", &["ann"])]).await;
    for (body, reason, detail) in rows {
        let refused = refused(&stage, &body).await;
        assert_eq!(refused, Some((reason.to_owned(), detail.as_ref().to_owned())), "{body}");
        assert_eq!(stage.bound("android", "t1"), ["ann/0"], "{body}");
    }
    assert_eq!(stage.calls().len(), 1, "the login's");
}

fn bare(mut fields: Value) -> Value {
    for (name, value) in [("type", json!("user.logout")), ("app", json!("android")), ("token", json!("t1"))] {
        fields.as_object_mut().unwrap().entry(name).or_insert(value);
    }
    fields.as_object_mut().unwrap().entry("occurred_at").or_insert(json!(at(5)));
    fields
}

/// The same with this JSON text as a field's name.
fn named(name: &str, value: &Value) -> String {
    let mut text = bare(json!({})).to_string();
    text.insert_str(1, &format!("{}:{value},", json!(name)));
    text
}

fn bridge(kind: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "b-1", "detail-type": kind, "source": "com.example", "account": "123456789012",
           "time": "2026-11-22T08:00:00Z", "region": "eu-west-1", "resources": [], "detail": detail})
}

fn notification(message: &str) -> String {
    json!({"Type": "Notification", "MessageId": "s-1", "TopicArn": "arn:aws:sns:x", "Subject": "s", "Message": message,
           "Timestamp": "2026-11-22T08:00:00.000Z", "SignatureVersion": "1", "Signature": "x", "SigningCertURL": "x",
           "UnsubscribeURL": "x", "MessageAttributes": {}})
    .to_string()
}

#[tokio::test]
async fn a_misspelt_field_is_refused_at_every_level_and_named() {
    let list = json!([{"account": "ann"}]);
    let mut rows = Vec::new();
    for (name, meant) in [
        ("accountList", "account_list"),
        ("AccountList", "account_list"),
        ("account-list", "account_list"),
        ("ACCOUNT_LIST", "account_list"),
        ("accountlist", "account_list"),
        ("account_lists", "account_list"),
        ("accounts_list", "account_list"),
        ("account", "account_list"),
        ("Account", "account_list"),
        ("accounts", "account_list"),
        ("account_type", "account_list"),
        ("accountType", "account_list"),
        ("occurredAt", "occurred_at"),
        ("OccurredAt", "occurred_at"),
        ("occurred-at", "occurred_at"),
        ("App", "app"),
        ("apps", "app"),
        ("Token", "token"),
        ("tokens", "token"),
        ("ID", "id"),
        ("Id", "id"),
        ("Type", "type"),
        ("types", "type"),
    ] {
        let refusal = format!("{name}: is not a field; did you mean {meant}?");
        rows.push((named(name, &list), "invalid_field", refusal.clone()));
        rows.push((notification(&named(name, &list)), "invalid_field", refusal.clone()));
        let mut detail = json!({"app": "android", "token": "t1", "occurred_at": at(5)});
        detail[name] = list.clone();
        rows.push((bridge("user.logout", &detail).to_string(), "invalid_field", format!("detail.{refusal}")));
    }
    for (name, meant) in [
        ("accountType", "account_type"),
        ("account-type", "account_type"),
        ("account_types", "account_type"),
        ("Account", "account"),
        ("accounts", "account"),
    ] {
        let list = json!([{"account": "bea"}, {"account": "ann", name: 7}]);
        let refusal = format!("account_list[1].{name}: is not a field; did you mean {meant}?");
        rows.push((bare(json!({"account_list": list})).to_string(), "invalid_field", refusal.clone()));
        let detail = json!({"app": "android", "token": "t1", "occurred_at": at(5), "account_list": list});
        rows.push((bridge("user.logout", &detail).to_string(), "invalid_field", format!("detail.{refusal}")));
    }
    for name in ["token ", "\u{feff}token", "to\u{200b}ken"] {
        let refusal = "token: the field's name contains characters that do not belong there; write token";
        rows.push((named(name, &list), "invalid_field", refusal.into()));
    }
    all_refused(rows).await;
}

#[tokio::test]
async fn a_misspelt_app_or_time_is_refused_and_so_no_deletion_reaches_every_app_and_no_stale_login_wins() {
    let list = json!([{"account": "ann"}]);
    let deletion = |name: &str| {
        json!({"type": "account.deleted", "occurred_at": at(5), name: "ios", "account_list": list}).to_string()
    };
    let stale = |name: &str| {
        json!({"type": "user.login", "app": "android", "token": "t1", name: at(0),
               "account_list": [{"account": "old"}]})
        .to_string()
    };
    all_refused([
        (deletion("App"), "invalid_field", "App: is not a field; did you mean app?"),
        (deletion("apps"), "invalid_field", "apps: is not a field; did you mean app?"),
        (stale("occurredAt"), "invalid_field", "occurredAt: is not a field; did you mean occurred_at?"),
        (stale("Occurred-At"), "invalid_field", "Occurred-At: is not a field; did you mean occurred_at?"),
    ])
    .await;
}

#[tokio::test]
async fn a_misspelt_field_of_an_envelope_is_named_and_a_field_next_to_the_event_is_refused() {
    let detail = json!({"app": "android", "token": "t1", "occurred_at": at(5)});
    let renamed = |from: &str, to: &str, body: &str| body.replacen(&format!("\"{from}\":"), &format!("\"{to}\":"), 1);
    let whole = bridge("user.logout", &detail).to_string();
    let beside = |name: &str, value: Value, body: &str| {
        let mut body: Value = serde_json::from_str(body).unwrap();
        body[name] = value;
        body.to_string()
    };
    let sns = notification(&bare(json!({})).to_string());
    let list = json!([{"account": "ann"}]);
    all_refused([
        (
            renamed("detail-type", "detailType", &whole),
            "invalid_field",
            "detailType: is not a field; did you mean detail-type?",
        ),
        (
            renamed("detail-type", "DetailType", &whole),
            "invalid_field",
            "DetailType: is not a field; did you mean detail-type?",
        ),
        (renamed("detail", "Detail", &whole), "invalid_field", "Detail: is not a field; did you mean detail?"),
        (renamed("time", "Time", &whole), "invalid_field", "Time: is not a field; did you mean time?"),
        (renamed("id", "ID", &whole), "invalid_field", "ID: is not a field; did you mean id?"),
        (
            beside("account_list", list.clone(), &whole),
            "invalid_field",
            "account_list: is next to detail; move it into detail",
        ),
        (beside("app", json!("ios"), &whole), "invalid_field", "app: is next to detail; move it into detail"),
        (renamed("Message", "message", &sns), "invalid_field", "message: is not a field; did you mean Message?"),
        (renamed("Message", "Messages", &sns), "invalid_field", "Messages: is not a field; did you mean Message?"),
        (
            renamed("Timestamp", "timestamp", &sns),
            "invalid_field",
            "timestamp: is not a field; did you mean Timestamp?",
        ),
        (renamed("Type", "TYPE", &sns), "invalid_field", "TYPE: is not a field; did you mean type?"),
        (beside("account_list", list, &sns), "invalid_field", "account_list: is next to Message; move it into Message"),
        (
            renamed("type", "Type", &bare(json!({})).to_string()),
            "invalid_field",
            "Type: is not a field; did you mean type?",
        ),
        (
            renamed("type", "TYPE", &bare(json!({})).to_string()),
            "invalid_field",
            "TYPE: is not a field; did you mean type?",
        ),
    ])
    .await;
}

#[tokio::test]
async fn other_unknown_fields_are_ignored_at_every_level() {
    let stage = Stage::new().await;
    let more = json!({"account_id": "x", "accountName": 5, "user": {"Token": "x", "App": 1}, "event_type": null,
                      "timestamp": 1, "time": 1, "detail": [], "Message": {}, "message": "m", "detailType": 5,
                      "source": "s", "@type": "x", "$id": 1, "version": "1", "appName": "n", "device_token": "d",
                      "specversion": "1.0", "": 1});
    let mut event = more.clone();
    for (name, value) in [
        ("type", json!("user.login")),
        ("app", json!("android")),
        ("occurred_at", json!(at(5))),
        ("account_list", json!([{"account": "ann", "name": "Ann", "type": 5, "account_id": 7, "token": "x"}])),
    ] {
        event[name] = value;
    }
    let with_token = |mut event: Value, token: &str| {
        event["token"] = json!(token);
        event
    };
    let mut in_detail = with_token(event.clone(), "t3");
    in_detail.as_object_mut().unwrap().remove("type");
    let mut envelope = bridge("user.login", &in_detail);
    envelope["replay-name"] = json!("again");
    let bodies = [
        with_token(event.clone(), "t1").to_string(),
        notification(&with_token(event, "t2").to_string()),
        envelope.to_string(),
    ];
    assert_eq!(stage.batch(&bodies).await, [""; 0], "{}", stage.printed());
    for token in ["t1", "t2", "t3"] {
        assert_eq!(stage.bound("android", token), ["ann/0"], "{token}");
    }
}

#[tokio::test]
async fn null_is_not_a_valid_value_of_a_field() {
    let reason = |name: &str| if name == "account_list" { "invalid_field" } else { "missing_field" };
    let null = |name: &str| {
        (
            bare(json!({name: null})).to_string(),
            reason(name),
            format!("{name}: is null; omit the field, or give it a value"),
        )
    };
    let mut rows: Vec<_> = ["account_list", "app", "token", "occurred_at", "id"].map(null).into();
    let in_list = |account: Value, field: &str| {
        let detail = format!("account_list[0]{field}: is null; omit the field, or give it a value");
        (bare(json!({"account_list": [account]})).to_string(), "missing_field", detail)
    };
    rows.push(in_list(json!({"account": null}), ".account"));
    rows.push(in_list(json!({"account": "ann", "account_type": null}), ".account_type"));
    let element = bare(json!({"account_list": [null]})).to_string();
    rows.push((element, "invalid_field", "account_list[0]: must be an object".into()));
    let kind = bare(json!({"type": null})).to_string();
    let missing = "type: is missing; send an event of the contract, bare or in an EventBridge or SNS envelope";
    rows.push((kind, "unknown_envelope", missing.into()));
    for name in ["account_list", "app", "token"] {
        let deletion =
            json!({"type": "account.deleted", "occurred_at": at(5), "account_list": [{"account": "ann"}], name: null});
        rows.push((deletion.to_string(), reason(name), format!("{name}: is null; omit the field, or give it a value")));
        let detail = json!({"occurred_at": at(5), "app": "android", "token": "t1", name: null});
        let refusal = format!("detail.{name}: is null; omit the field, or give it a value");
        rows.push((bridge("user.logout", &detail).to_string(), reason(name), refusal));
    }
    all_refused(rows).await;
}
