//! The contract is strict where a mistake would change the meaning.

use data_encoding::BASE64;
use lambda_sim::{
    AwsApi,
    aws::dynamodb::{AttributeValue, Item},
};
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

#[tokio::test]
async fn an_invisible_character_is_refused_in_a_token_and_in_an_account() {
    let token = |token: String| {
        let detail = "token: must be a string of 1 to 64 printable ASCII characters without blanks";
        (bare(json!({"token": token})).to_string(), "invalid_field", detail)
    };
    let account = |account: String| {
        let detail = "account_list[0].account: must be a string of 1 to 100 characters, none of them \
                      invisible, and without white space at its ends";
        (bare(json!({"account_list": [{"account": account}]})).to_string(), "invalid_field", detail)
    };
    let mut rows = Vec::new();
    for hidden in [
        '\u{0}',
        '\n',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202c}',
        '\u{202e}',
        '\u{2060}',
        '\u{2063}',
        '\u{2066}',
        '\u{2069}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{fffe}',
        '\u{e0001}',
        '\u{e0061}',
    ] {
        for text in [format!("{hidden}t1"), format!("t1{hidden}"), format!("t{hidden}1")] {
            rows.push(token(text.clone()));
            rows.push(account(text));
        }
    }
    for blank in [' ', '\t', '\u{a0}', '\u{2003}', '\u{202f}', '\u{3000}'] {
        for text in [format!("{blank}t1"), format!("t1{blank}")] {
            rows.push(token(text.clone()));
            rows.push(account(text));
        }
        rows.push(token(format!("t{blank}1")));
    }
    for text in ["t1é", "ｔ1", "т1", "t1✓", "😀", ""] {
        rows.push(token(text.into()));
    }
    rows.push(token("t".repeat(65)));
    all_refused(rows).await;
}

#[tokio::test]
async fn account_names_in_any_script_are_bound_unchanged() {
    let stage = Stage::new().await;
    for (n, name) in [
        "Ann Lee",
        "张三",
        "Zoë",
        "e\u{301}",
        "👩\u{200d}👩\u{200d}👧",
        "❤\u{fe0f}",
        "می\u{200c}خواهم",
        "a\u{3000}b",
        "1\u{fe0f}\u{20e3}",
    ]
    .iter()
    .enumerate()
    {
        let token = format!("t{n}");
        assert_eq!(stage.batch(&[login(1, &token, &[name])]).await, [""; 0], "{name}");
        assert_eq!(stage.bound("android", &token), [format!("{name}/0")]);
    }
}

#[tokio::test]
async fn an_id_has_at_most_128_characters() {
    let detail = "id: must be a string of at most 128 characters";
    all_refused(
        [129, 500_000].map(|length| (bare(json!({"id": "i".repeat(length)})).to_string(), "invalid_field", detail)),
    )
    .await;
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("devices", "pk");
    let stage = Stage::with(&[("LEDGER_TABLE", "devices"), ("AWS_ENDPOINT_URL", &aws.url())]).await;
    let event = bare(json!({"type": "user.login", "id": "é".repeat(128), "account_list": [{"account": "ann"}]}));
    assert_eq!(stage.batch(&[event.to_string()]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), ["ann/0"]);
}

#[tokio::test]
async fn a_time_is_read_in_every_common_format() {
    let stage = Stage::new().await;
    // Each is between the login at its minute and the login a second later, so it decides which one is newer.
    for (n, time) in [
        "2025-11-25T18:00Z",
        "2025-11-26T02:00+0800",
        "2025-11-26T02:00+08",
        "2025-11-25T18:00+00",
        "2025-11-25T18:00:00+00",
        "2025-11-25t18:00:00z",
        "2025-11-25 18:00:00Z",
        "2025-11-25T18:00:00,123Z",
        "2025-11-25T18:00:00.123456789Z",
        "2025-11-25T18:00:00.123456789012Z",
        "2025-11-26T02:00+08:00[Asia/Shanghai]",
        "2025-11-25 18:00:00 +0000",
        "2025-11-25 18:00:00 UTC",
    ]
    .into_iter()
    .enumerate()
    {
        let token = format!("t{n}");
        let login = |time: &str, name: &str| {
            json!({"type": "user.login", "app": "android", "token": token, "occurred_at": time,
                   "account_list": [{"account": name}]})
            .to_string()
        };
        let bodies = [
            login("2025-11-25T17:59:59.999Z", "before"),
            login(time, "at"),
            login("2025-11-25T17:59:59Z", "long before"),
        ];
        assert_eq!(stage.batch(&bodies).await, [""; 0], "{time}");
        assert_eq!(stage.bound("android", &token), ["at/0"], "{time}");
        let bodies = [login("2025-11-25T18:00:00.124Z", "after"), login(time, "at")];
        assert_eq!(stage.batch(&bodies).await, [""; 0], "{time}");
        assert_eq!(stage.bound("android", &token), ["after/0"], "{time}");
    }
}

#[tokio::test]
async fn an_ambiguous_time_is_refused_with_what_it_lacks() {
    let time = |time: &str| bare(json!({"occurred_at": time})).to_string();
    let mut rows = Vec::new();
    for text in ["2026-11-25T18:00:00", "2026-11-25T18:00", "2026-11-25 18:00:00.123"] {
        rows.push((
            time(text),
            "invalid_field",
            "occurred_at: must be a time with its offset from UTC, such as Z or +08:00",
        ));
    }
    for text in [
        "",
        "now",
        "2026-11-25",
        "25.11.2026 18:00Z",
        "2026-02-30T18:00Z",
        "2026-11-25T25:00Z",
        "2026-11-25T18:00 CST",
        "1795334400000",
    ] {
        let detail = "occurred_at: must be an RFC 3339 time with an offset, or an integer of epoch milliseconds";
        rows.push((time(text), "invalid_field", detail));
    }
    all_refused(rows).await;
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let stage = Stage::new().await;
    let event = |token: &str| {
        bare(json!({"type": "user.login", "token": token, "account_list": [{"account": "ann"}]})).to_string()
    };
    let detail = json!({"app": "android", "token": "t3", "occurred_at": at(5), "account_list": [{"account": "ann"}]});
    let whole = bridge("user.login", &detail).to_string();
    let bodies = [
        format!("\u{feff}{}", event("t0")),
        format!("\u{feff}{}", notification(&event("t1"))),
        notification(&format!("\u{feff}\n{}", event("t2"))),
        format!("\u{feff}{whole}"),
        notification(&format!("\u{feff}{}", whole.replace("t3", "t4"))),
    ];
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    for n in 0..5 {
        assert_eq!(stage.bound("android", &format!("t{n}")), ["ann/0"], "{n}");
    }
}

#[tokio::test]
async fn a_body_in_a_known_foreign_format_is_named_as_such() {
    let event = bare(json!({})).to_string();
    let twice = json!(event).to_string();
    let gzip = BASE64.encode(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xabV*\xa9,HU");
    let pointer = r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#;
    let cloud = |kind: &str| {
        json!({"specversion": "1.0", "id": "1", "source": "/accounts", "type": kind, "time": "2026-11-25T18:00:00Z",
               "datacontenttype": "application/json",
               "data": {"app": "android", "token": "t1", "account_list": [{"account": "ann"}]}})
    };
    let mut with_token = cloud("user.logout");
    with_token["token"] = json!("t1");
    with_token["app"] = json!("android");
    let is_twice = "looks like JSON in a JSON string, encoded twice; send the object itself";
    let is_base64 = "looks like JSON in base64; send the JSON as plain text";
    let is_gzip = "looks like compressed data in base64; send the JSON uncompressed, as plain text";
    let is_pointer =
        "looks like the SQS extended client's pointer to an object in S3; send the event itself, it is small enough";
    let is_cloud = "looks like a CloudEvents envelope (specversion); send a bare event, with its fields at the top";
    let mut rows = Vec::new();
    for (text, reason, detail) in [
        (twice.clone(), "malformed_json", is_twice),
        (json!(twice).to_string(), "malformed_json", is_twice),
        (event.replace('"', "\\\""), "malformed_json", is_twice),
        (BASE64.encode(event.as_bytes()), "malformed_json", is_base64),
        (json!(BASE64.encode(event.as_bytes())).to_string(), "malformed_json", is_base64),
        (gzip, "malformed_json", is_gzip),
        (pointer.to_owned(), "malformed_json", is_pointer),
        (cloud("user.logout").to_string(), "unknown_envelope", is_cloud),
        (cloud("com.example.logout").to_string(), "unknown_envelope", is_cloud),
        (with_token.to_string(), "unknown_envelope", is_cloud),
        (
            format!("[{event},{event}]"),
            "malformed_json",
            "looks like an array of events; send each as a message of its own",
        ),
        ("[]".to_owned(), "malformed_json", "must be a JSON object"),
        ("5".to_owned(), "malformed_json", "must be a JSON object"),
    ] {
        rows.push((text.clone(), reason, format!("body: {detail}")));
        rows.push((notification(&text), reason, format!("Message: {detail}")));
    }
    let mut text_as_detail = bridge("user.logout", &json!({}));
    text_as_detail["detail"] = json!(event);
    rows.push((text_as_detail.to_string(), "malformed_json", format!("detail: {is_twice}")));
    rows.push((
        bridge("user.logout", &json!("x")).to_string(),
        "malformed_json",
        "detail: must be a JSON object".into(),
    ));
    rows.push((
        bridge("user.logout", &json!([])).to_string(),
        "malformed_json",
        "detail: must be a JSON object".into(),
    ));
    rows.push((bridge("user.logout", &cloud("x")).to_string(), "unknown_envelope", format!("detail: {is_cloud}")));
    all_refused(rows).await;
}

#[tokio::test]
async fn a_refusal_uses_terms_of_json_and_names_the_right_field() {
    let lists = [json!({}), json!("ann"), json!(5), json!(true)];
    let mut rows: Vec<_> = lists
        .map(|list| {
            (
                bare(json!({"account_list": list})).to_string(),
                "invalid_field",
                "account_list: must be an array".to_owned(),
            )
        })
        .into();
    rows.push((
        bare(json!({"account_list": ["ann"]})).to_string(),
        "invalid_field",
        "account_list[0]: must be an object".into(),
    ));
    rows.push((
        bare(json!({"account_list": [["ann", 0]]})).to_string(),
        "invalid_field",
        "account_list[0]: must be an object".into(),
    ));
    for value in [json!([]), json!({}), json!(true), json!(5)] {
        let detail = "app: must be a string that names a configured app";
        rows.push((bare(json!({"app": value})).to_string(), "invalid_field", detail.into()));
    }
    let event = bare(json!({})).to_string();
    for (place, wrap) in [("body", str::to_owned as fn(&str) -> String), ("Message", notification)] {
        let cut = &event[..event.len() - 1];
        rows.push((
            wrap("not JSON"),
            "malformed_json",
            format!("{place}: is not valid JSON: expected ident at line 1 column 2"),
        ));
        rows.push((
            wrap(r#"{"account_list":[{"account":"ann"}"#),
            "malformed_json",
            format!("{place}: is not valid JSON: EOF while parsing an array at line 1 column 34"),
        ));
        rows.push((
            wrap(cut),
            "malformed_json",
            format!("{place}: is not valid JSON: EOF while parsing an object at line 1 column {}", cut.len()),
        ));
        rows.push((
            wrap(&format!("{event}{event}")),
            "malformed_json",
            format!("{place}: has more text after the JSON value; send one event a message"),
        ));
    }
    all_refused(rows).await;
}

#[tokio::test]
async fn for_too_many_accounts_only_a_logout_is_advised_to_be_split() {
    let list: Vec<_> = (0..101).map(|n| json!({"account": n.to_string(), "account_type": n})).collect();
    let login = "account_list: has more than 100 accounts; send at most 100: a login carries all accounts of the \
                 device, and TPNS keeps one of each account_type";
    let others = "account_list: has more than 100 accounts; send them in several events";
    all_refused([
        (bare(json!({"type": "user.login", "account_list": list})).to_string(), "invalid_field", login),
        (bare(json!({"account_list": list})).to_string(), "invalid_field", others),
        (
            json!({"type": "account.deleted", "occurred_at": at(5), "account_list": list}).to_string(),
            "invalid_field",
            others,
        ),
    ])
    .await;
}

/// Rows may contain accounts that earlier versions accepted.
#[tokio::test]
async fn a_row_with_accounts_that_an_event_may_not_name_is_read() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("devices", "pk");
    let stage = Stage::with(&[("LEDGER_TABLE", "devices"), ("AWS_ENDPOINT_URL", &aws.url())]).await;
    let (key, version) =
        ("device#android#t1", |second, rank| format!("1{:019}.{rank}.{}", at(second), "i".repeat(200)));
    let row = Item::new()
        .with("pk", key)
        .with("owner", version(1, 0))
        .with("accounts", r#"{"0":"ann ","1":"b\u200bea"}"#)
        .with("out:1:b\u{200b}ea", version(2, 1))
        .with("expires_at", AttributeValue::number("9999999999"));
    aws.with_table("devices", |table| table.put(key, row)).unwrap();
    assert_eq!(stage.batch(&[logout_of(3, "t1", "cem")]).await, [""; 0], "{}", stage.printed());
    assert_eq!(stage.bound("android", "t1"), ["ann /0"]);
    assert_eq!(stage.batch(&[logout(4, "t1")]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), [""; 0]);
}
