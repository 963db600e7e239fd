use std::time::{Duration, SystemTime};

use super::*;

fn http_answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, retry_after: Some(Duration::from_secs(7)), body: body.as_bytes().to_vec() }
}

/// One letter an item: `a`ccepted, `r`etry, `x` rejected, `m`isconfigured; a verdict on the whole call is one capital
/// letter.
fn judged(status: u16, body: &str, items: usize) -> String {
    let letter = |verdict: &Verdict| match verdict {
        Verdict::Accepted => 'a',
        Verdict::Retry(..) => 'r',
        Verdict::Rejected(_) => 'x',
        Verdict::Misconfigured(_) => 'm',
    };
    match judge(&http_answer(status, body), OperatorType::Bind, items) {
        Judgement::Whole(verdict) => letter(&verdict).to_ascii_uppercase().to_string(),
        Judgement::Each(verdicts) => verdicts.iter().map(letter).collect(),
    }
}

#[test]
fn an_answer_says_of_each_item_what_became_of_it() {
    for (body, expected) in [
        (r#"{"ret_code":0,"err_msg":"NO_ERROR","result":["0","0"]}"#, "aa"),
        (r#"{"ret_code":0,"err_msg":"ok","result":["ok","ok"]}"#, "aa"),
        (r#"{"ret_code":0,"result":[0,0]}"#, "aa"),
        (r#"{"retCode":0,"errMsg":"ok","result":["0","0"]}"#, "aa"),
        (r#"{"ret_code":1008026,"result":["0","1008006"]}"#, "ax"),
        (r#"{"ret_code":1008026,"result":["1008004","0"]}"#, "ra"),
        (r#"{"ret_code":1008027,"result":["1008029","10110008"]}"#, "xx"),
        (r#"{"ret_code":0,"result":["0","1008006"]}"#, "ax"),
        (r#"{"ret_code":0,"result":["0","token_not_exists"]}"#, "ax"),
        (r#"{"ret_code":0,"result":["0",null]}"#, "ax"),
        (r#"{"ret_code":0,"result":[{"code":0},["0"]]}"#, "xx"),
        // Numbers as text, with a point, in blanks; text in place of the array.
        (r#"{"ret_code":"0","result":["0","0"]}"#, "aa"),
        (r#"{"retCode":" 0 ","result":[" 0 ",0.0]}"#, "aa"),
        (r#"{"ret_code":0.0,"result":["0.0","1008006.0"]}"#, "ax"),
        (r#"{"ret_code":"1008026","result":[0.0,1008004.0]}"#, "ar"),
        (r#"{"ret_code":1008026.0,"result":["0","1e3"]}"#, "ax"),
        (r#"{"ret_code":"NO_ERROR","result":["0","inf"]}"#, "ax"),
        (r#"{"ret_code":0,"result":"[\"0\",\"1008006\"]"}"#, "ax"),
        ("\u{feff}{\"ret_code\":1008026,\"result\":[\"0\",\"1008006\"]}", "ax"),
        (r#"{"seq":1,"ret_code":0,"environment":"product","result":["0","0"],"more":{}}"#, "aa"),
    ] {
        assert_eq!(judged(200, body, 2), expected, "{body}");
    }
}

#[test]
fn what_says_nothing_of_the_items_is_a_verdict_on_the_whole_call() {
    for (body, expected) in [
        // Taken as a whole, whatever the length.
        (r#"{"ret_code":0,"err_msg":"NO_ERROR","result":["0"]}"#, "A"),
        (r#"{"ret_code":0,"result":["0","0","0"]}"#, "A"),
        (r#"{"ret_code":0}"#, "A"),
        (r#"{"ret_code":0,"result":null}"#, "A"),
        (r#"{"ret_code":0,"result":"[0]"}"#, "A"),
        (r#"{"ret_code":0,"result":{}}"#, "A"),
        (r#"{"ret_code":0,"result":5}"#, "A"),
        (r#"{"ret_code":0,"result":true}"#, "A"),
        (r#"{"ret_code":0,"result":"{}"}"#, "A"),
        (r#"{"ret_code":0,"result":"ok"}"#, "A"),
        (r#"{"ret_code":0,"result":"["}"#, "A"),
        (r#"{"ret_code":0,"result":[]}"#, "A"),
        ("\u{feff}{\"ret_code\":0}", "A"),
        // Unless it holds an error.
        (r#"{"ret_code":0,"result":["1008006"]}"#, "X"),
        (r#"{"ret_code":0,"result":["0","0","1008007"]}"#, "X"),
        (r#"{"ret_code":0,"result":["0","1008004","0"]}"#, "X"),
        (r#"{"ret_code":"0","result":["1008003","1008006","0"]}"#, "X"),
        (r#"{"ret_code":0,"result":["later"]}"#, "X"),
        (r#"{"ret_code":0,"result":[null]}"#, "X"),
        (r#"{"ret_code":0,"result":"[1008006]"}"#, "X"),
        // Never guessed by index.
        (r#"{"ret_code":1008026,"result":["0"]}"#, "X"),
        (r#"{"ret_code":1008027,"result":["1008006","0","0"]}"#, "X"),
        (r#"{"ret_code":1008026}"#, "X"),
        // The call failed before its items were looked at, whatever `result` says.
        (r#"{"ret_code":1008003,"result":["0","0"]}"#, "M"),
        (r#"{"ret_code":1008004,"result":["0","0"]}"#, "R"),
        (r#"{"ret_code":1008007,"result":[]}"#, "X"),
        (r#"{"ret_code":777,"result":["0","0"]}"#, "X"),
        // Not TPNS's answer.
        ("", "R"),
        ("<html>", "R"),
        ("null", "R"),
        ("[0]", "R"),
        (r#"{"result":["0","0"]}"#, "R"),
        (r#"{"ret_code":"zero"}"#, "R"),
        (r#"{"ret_code":""}"#, "R"),
        (r#"{"ret_code":null}"#, "R"),
        (r#"{"ret_code":[0]}"#, "R"),
        (r#"{"ret_code":false}"#, "R"),
        (r#"{"ret_code":0.5}"#, "R"),
        (r#"{"ret_code":"18446744073709551616"}"#, "R"),
        (r#"{"ret_code":18446744073709551616}"#, "R"),
        ("\u{feff}", "R"),
        (r#"{"ret_code":0,"result":["0","0"#, "R"),
    ] {
        assert_eq!(judged(200, body, 2), expected, "{body}");
    }
}

#[test]
fn for_one_item_a_result_of_another_length_counts_if_all_its_errors_agree() {
    for (body, expected) in [
        (r#"{"ret_code":0,"result":["0","1008006"]}"#, "x"),
        (r#"{"ret_code":0,"result":["1008004","1008004"]}"#, "r"),
        (r#"{"ret_code":0,"result":["1008003","0","1008003"]}"#, "m"),
        (r#"{"ret_code":1008026,"result":["0","1008006"]}"#, "x"),
        (r#"{"ret_code":0,"result":["0","0"]}"#, "A"),
        (r#"{"ret_code":0,"result":["1008006","1008007"]}"#, "R"),
        (r#"{"ret_code":1008026,"result":["0","0"]}"#, "X"),
        (r#"{"ret_code":1008027,"result":["1008006","1008007"]}"#, "X"),
    ] {
        assert_eq!(judged(200, body, 1), expected, "{body}");
    }
}

#[test]
fn a_ret_code_counts_at_any_status_but_acceptance_only_with_success() {
    let ok = r#"{"ret_code":0,"result":["0"]}"#;
    assert_eq!(judged(503, ok, 1), "R");
    assert_eq!(judged(403, ok, 1), "M");
    assert_eq!(judged(422, ok, 1), "X");
    let partly = r#"{"ret_code":1008026,"result":["0"]}"#;
    assert_eq!(judged(503, partly, 1), "R");
    let nothing_there = HttpAnswer { status: 502, retry_after: None, body: br#"{"ret_code":10110008}"#.to_vec() };
    assert!(matches!(judge(&nothing_there, OperatorType::Unbind, 1), Judgement::Whole(Verdict::Retry(..))));
    assert_eq!(judged(403, partly, 1), "M");
    assert_eq!(judged(422, r#"{"ret_code":1008001}"#, 1), "X");
    assert_eq!(judged(403, r#"{"ret_code":1008028}"#, 1), "R");
    assert_eq!(judged(500, r#"{"ret_code":1008035}"#, 1), "M");
    assert_eq!(judged(503, "", 1), "R");
    assert_eq!(judged(413, "", 1), "X");
}

#[test]
fn a_retry_says_how_long_to_wait() {
    let after = |status, body| match judge(&http_answer(status, body), OperatorType::Bind, 1) {
        Judgement::Whole(Verdict::Retry(_, after)) => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(after(503, ""), Some(Duration::from_secs(7)));
    assert_eq!(after(200, r#"{"ret_code":1008028}"#), Some(Duration::from_secs(7)));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let seconds = |value| retry_after(value, now).map(|duration| duration.as_secs());
    assert_eq!(seconds("120"), Some(120));
    assert_eq!(seconds(" 0 "), Some(0));
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0), "a date that has passed");
    for nonsense in ["", "soon", "-1", "1.5"] {
        assert_eq!(seconds(nonsense), None, "{nonsense}");
    }
}
