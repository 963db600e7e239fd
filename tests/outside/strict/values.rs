//! Values of fields.

use super::*;

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
        .with("expires_at", 9_999_999_999_i64);
    aws.with_table("devices", |table| table.put(key, row)).unwrap();
    assert_eq!(stage.batch(&[logout_of(3, "t1", "cem")]).await, [""; 0], "{}", stage.printed());
    assert_eq!(stage.bound("android", "t1"), ["ann /0"]);
    assert_eq!(stage.batch(&[logout(4, "t1")]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), [""; 0]);
}
