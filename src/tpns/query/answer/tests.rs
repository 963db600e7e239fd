use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::*;
use crate::{apps::AppId, testing::account};

fn http_answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, retry_after: Some(Duration::from_secs(7)), body: body.as_bytes().to_vec() }
}

fn device(token: &str) -> Device {
    Device { app: AppId(0), token: Token::new(token).unwrap() }
}

fn key(name: &str, account_type: u32) -> AccountKey {
    AccountKey { app: AppId(0), account: account(name, AccountType(account_type)) }
}

/// What an answer says of each item, one word each; a verdict on the whole call is one capital letter.
fn shown<Bound>(judgement: Judgement<Finding<Bound>>, show: impl Fn(&Bound) -> String) -> String {
    let letter = |verdict: &Verdict| match verdict {
        Verdict::Accepted => 'a',
        Verdict::Retry(..) => 'r',
        Verdict::Rejected(_) => 'x',
        Verdict::Misconfigured(_) => 'm',
    };
    match judgement {
        Judgement::Whole(verdict) => letter(&verdict).to_ascii_uppercase().to_string(),
        Judgement::Each(findings) => {
            let word = |finding: &Finding<Bound>| match finding {
                Finding::Bound(bound) => format!("[{}]", bound.iter().map(&show).collect::<Vec<_>>().join(",")),
                Finding::Unanswered => "?".to_owned(),
                Finding::Failed(verdict) => letter(verdict).to_string(),
            };
            findings.iter().map(word).collect::<Vec<_>>().join(" ")
        }
    }
}

fn accounts(status: u16, body: &str, tokens: &[&str]) -> String {
    let devices: Vec<_> = tokens.iter().map(|token| device(token)).collect();
    shown(by_token(&http_answer(status, body), &devices), |bound| match bound.account_type {
        Some(AccountType(number)) => format!("{}/{number}", bound.account.as_str()),
        None => bound.account.as_str().to_owned(),
    })
}

fn tokens(body: &str, keys: &[(&str, u32)]) -> String {
    let keys: Vec<_> = keys.iter().map(|&(name, account_type)| key(name, account_type)).collect();
    shown(by_account(&http_answer(200, body), &keys), |device| device.token.as_str().to_owned())
}

#[test]
fn an_answer_shows_the_accounts_of_each_token() {
    for (body, expected) in [
        // facts.md, section 5.
        (
            r#"{"retCode":0,"errMsg":"ok","result":["0","0"],"token_accounts":[{"token":"t1","account_list":
             [{"account":"926@126.com"},{"account":"1527000000"}]},{"token":"t2","account_list":[{"account":"x1"}]}]}"#,
            "[926@126.com,1527000000] [x1]",
        ),
        // In another order, with types in any notation and fields of its own; the other name of the code.
        (
            r#"{"ret_code":"0","seq":1,"result":["0","0"],"token_accounts":[
             {"token":"t2","account_list":[{"account":"b","account_type":1005,"timestamp":1},
             {"account":"b","account_type":"3"},{"account":"b","account_type":-1},{"account":"b","account_type":null}]},
             {"token":"t1","more":{},"account_list":[]}]}"#,
            "[] [b/1005,b/3,b,b]",
        ),
        // Nothing is bound.
        (
            r#"{"retCode":1008026,"result":["0","10110008"],"token_accounts":[{"token":"t1","account_list":[{"account":"a"}]}]}"#,
            "[a] []",
        ),
        (r#"{"retCode":1008027,"result":["10110008",1008006]}"#, "[] []"),
        (r#"{"retCode":1008027,"result":["1008029","10110008"],"token_accounts":null}"#, "[] []"),
        // Listed by name: the code at its place does not count.
        (
            r#"{"retCode":0,"result":["10110008","0"],"token_accounts":[{"token":"t1","account_list":[{"account":"a"}]},
             {"token":"t2","account_list":[]}]}"#,
            "[a] []",
        ),
        (r#"{"retCode":0,"token_accounts":[{"token":"t2","account_list":[{"account":"a"}]}]}"#, "? [a]"),
        // A success that lists nothing, or lists what can't be read.
        (r#"{"retCode":0,"result":["0","0"],"token_accounts":[]}"#, "? ?"),
        (r#"{"retCode":0,"result":["0","0"]}"#, "? ?"),
        (r#"{"retCode":0}"#, "? ?"),
        (
            r#"{"retCode":0,"result":["0","0"],"token_accounts":[{"token":"t1","account_list":[{"account":7}]},
             {"token":"t2","account_list":[{"account":"a"}]},["t1",[]],{"token":"t1"},7]}"#,
            "? [a]",
        ),
        (r#"{"retCode":0,"result":["0","0"],"token_accounts":{"token":"t1"}}"#, "? ?"),
        (
            r#"{"retCode":0,"result":["0","0"],"token_accounts":[{"token":"T1","account_list":[]},{"token":"t3","account_list":[]}]}"#,
            "? ?",
        ),
        // Codes of single items.
        (r#"{"retCode":1008026,"result":["1008004","1008007"]}"#, "r x"),
        (r#"{"retCode":1008026,"result":["strange","10110008"]}"#, "x []"),
        // A `result` of another length.
        (r#"{"retCode":0,"result":["10110008"]}"#, "? ?"),
        (
            r#"{"retCode":1008026,"result":["10110008"],"token_accounts":[{"token":"t2","account_list":[{"account":"a"}]}]}"#,
            "? [a]",
        ),
        (r#"{"retCode":1008027,"result":["10110008"]}"#, "X"),
        (r#"{"retCode":1008026}"#, "X"),
        // The whole call.
        (r#"{"retCode":10110008}"#, "X"),
        (r#"{"retCode":1008006,"result":["0","0"]}"#, "X"),
        (r#"{"retCode":1008007}"#, "X"),
        (r#"{"retCode":1008004}"#, "R"),
        (r#"{"retCode":1008003}"#, "M"),
        (r#"{"result":["0","0"]}"#, "R"),
        ("[0]", "R"),
        ("", "R"),
    ] {
        assert_eq!(accounts(200, body, &["t1", "t2"]), expected, "{body}");
    }
}

#[test]
fn the_answer_to_a_query_of_one_token_can_only_be_about_it() {
    for (body, expected) in [
        (r#"{"retCode":10110008}"#, "[]"),
        (r#"{"retCode":1008029,"result":[]}"#, "[]"),
        (r#"{"retCode":1008027,"result":["10110008","10110008"]}"#, "[]"),
        (r#"{"retCode":1008027,"result":["10110008","1008004"]}"#, "X"),
        (r#"{"retCode":0,"result":["10110008","1008004"]}"#, "?"),
    ] {
        assert_eq!(accounts(200, body, &["t1"]), expected, "{body}");
    }
}

#[test]
fn an_error_page_shows_no_bindings() {
    let body = r#"{"retCode":0,"result":["0"],"token_accounts":[{"token":"t1","account_list":[{"account":"a"}]}]}"#;
    for (status, expected) in [(200, "[a]"), (299, "[a]"), (404, "M"), (500, "R"), (422, "X")] {
        assert_eq!(accounts(status, body, &["t1"]), expected, "{status}");
    }
    assert_eq!(accounts(500, r#"{"retCode":10110008}"#, &["t1"]), "R");
    assert_eq!(accounts(422, r#"{"retCode":1008027,"result":["1008004"]}"#, &["t1"]), "r");
}

#[test]
fn a_throttled_query_is_retried_when_tpns_says() {
    let answer = http_answer(429, "");
    let Judgement::Whole(Verdict::Retry(_, after)) = by_token(&answer, &[device("t1")]) else { panic!() };
    assert_eq!(after, answer.retry_after);
}

#[test]
fn a_name_that_no_event_may_have_is_kept_as_tpns_shows_it() {
    for name in ["", " a ", "\u{1}", "\u{200b}", &"x".repeat(200)] {
        let body = json!({ "retCode": 0, "result": ["0"],
            "token_accounts": [{ "token": "t1", "account_list": [{ "account": name }] }] });
        assert_eq!(accounts(200, &body.to_string(), &["t1"]), format!("[{name}]"));
    }
}

#[test]
fn an_answer_shows_the_tokens_of_each_account() {
    for (body, expected) in [
        // facts.md, section 5.
        (
            r#"{"retCode":0,"errMsg":"NO_ERROR","result":["0","0","0"],"account_tokens":[
             {"account":"a","account_type":0,"token_list":["t1","t2"]},{"account":"b","token_list":["t3"]},
             {"account":"a","account_type":5,"token_list":["t4"]}]}"#,
            "[t1,t2] [t4] [t3]",
        ),
        // Which of the two that are asked for is meant can't be seen without a type; another type is not asked for.
        (
            r#"{"retCode":0,"result":["0","0","0"],"account_tokens":[{"account":"a","token_list":["t1"]},
             {"account":"b","account_type":7,"token_list":["t2"]},{"account":"B","token_list":["t2"]}]}"#,
            "? ? ?",
        ),
        // Two entries add up; a token appears once, and none that no event could name.
        (
            r#"{"retCode":1008026,"result":["0","10110008","1008004"],"account_tokens":[
             {"account":"a","account_type":0,"token_list":["t1","t2","t1"]},
             {"account":"a","account_type":0,"token_list":["t3","t2","","a b"]}]}"#,
            "[t1,t2,t3] [] r",
        ),
        (r#"{"retCode":0,"result":["0","0","0"],"account_tokens":[{"account":"b","token_list":null}]}"#, "? ? ?"),
        (r#"{"retCode":1008027,"result":["10110008","10110008","10110008"]}"#, "[] [] []"),
        (r#"{"retCode":10110008}"#, "X"),
    ] {
        assert_eq!(tokens(body, &[("a", 0), ("a", 5), ("b", 0)]), expected, "{body}");
    }
}

proptest! {
    #[test]
    fn entries_are_matched_by_token_in_any_order(
        lists in vec(vec((0..3_u8, prop::option::of(0..3_u32)), 0..3), 1..20),
        order in any::<u64>(),
    ) {
        let devices: Vec<_> = (0..lists.len()).map(|n| device(&format!("t{n}"))).collect();
        let mut entries: Vec<_> = lists.iter().enumerate().map(|(n, list)| {
            let accounts: Vec<_> = list.iter().map(|(name, account_type)| match account_type {
                Some(account_type) => json!({ "account": format!("a{name}"), "account_type": account_type }),
                None => json!({ "account": format!("a{name}") }),
            }).collect();
            json!({ "token": format!("t{n}"), "account_list": accounts })
        }).collect();
        fastrand::Rng::with_seed(order).shuffle(&mut entries);
        let body = json!({ "retCode": 0, "result": vec!["0"; lists.len()], "token_accounts": entries });
        let expected = lists.into_iter().map(|list| Finding::Bound(list.into_iter().map(|(name, account_type)| BoundAccount {
            account: AccountName::new(&format!("a{name}")).unwrap(),
            account_type: account_type.map(AccountType),
        }).collect())).collect();
        prop_assert_eq!(by_token(&http_answer(200, &body.to_string()), &devices), Judgement::Each(expected));
    }

    #[test]
    fn entries_are_matched_by_account_in_any_order(lists in vec(vec(0..5_u8, 0..4), 1..20), order in any::<u64>()) {
        let keys: Vec<_> = (0..lists.len()).map(|n| key(&format!("a{}", n / 2), u32::from(n % 2 == 1))).collect();
        let mut entries: Vec<_> = keys.iter().zip(&lists).map(|(key, list)| json!({
            "account": key.account.account.as_str(),
            "account_type": key.account.account_type.0,
            "token_list": list.iter().map(|n| format!("t{n}")).collect::<Vec<_>>(),
        })).collect();
        fastrand::Rng::with_seed(order).shuffle(&mut entries);
        let body = json!({ "retCode": 0, "result": vec!["0"; lists.len()], "account_tokens": entries });
        let expected = lists.into_iter().map(|list| {
            let mut devices: Vec<Device> = Vec::new();
            for device in list.into_iter().map(|n| device(&format!("t{n}"))) {
                if !devices.contains(&device) {
                    devices.push(device);
                }
            }
            Finding::Bound(devices)
        }).collect();
        prop_assert_eq!(by_account(&http_answer(200, &body.to_string()), &keys), Judgement::Each(expected));
    }

    #[test]
    fn no_body_is_read_as_more_or_fewer_items_than_were_asked_for(body in ".{0,80}", items in 1..4_usize) {
        let devices: Vec<_> = (0..items).map(|n| device(&format!("t{n}"))).collect();
        match by_token(&http_answer(200, &body), &devices) {
            Judgement::Whole(verdict) => prop_assert_ne!(verdict, Verdict::Accepted),
            Judgement::Each(findings) => prop_assert_eq!(findings.len(), items),
        }
    }
}
