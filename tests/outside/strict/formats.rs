//! Bodies in other formats, and the words of a refusal.

use super::*;

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
