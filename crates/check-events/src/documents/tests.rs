use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const EVENT: &str = r#"{"type":"user.logout","app":"android","token":"t"}"#;

/// Line, path and body of each event.
fn found(text: &str) -> Vec<(u64, Option<String>, Value)> {
    let value = |body: &str| serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    find(text).into_iter().map(|event| (event.line, event.path, value(&event.body))).collect()
}

fn event() -> Value {
    serde_json::from_str(EVENT).unwrap()
}

fn at(path: &str) -> Option<String> {
    Some(path.to_owned())
}

#[test]
fn a_document_of_several_lines_is_one_event() {
    let pretty = serde_json::to_string_pretty(&event()).unwrap();
    assert_eq!(found(&pretty), [(1, None, event())]);
    assert_eq!(found(&format!("\r\n{}\r\n", pretty.replace('\n', "\r\n"))), [(2, None, event())]);
    assert_eq!(found(&format!("{pretty}\n{pretty}\n")), [(1, None, event()), (6, None, event())]);
}

#[test]
fn each_line_of_json_lines_is_an_event_also_one_that_is_no_json() {
    let text = format!("{EVENT}\r\n\n  {EVENT}\nnot JSON\n{EVENT}");
    let garbage = json!("not JSON");
    assert_eq!(found(&text), [(1, None, event()), (3, None, event()), (4, None, garbage), (5, None, event())]);
    assert_eq!(found(" \n\t\n"), []);
}

#[test]
fn a_line_that_is_cut_off_does_not_affect_the_next_one() {
    let cut = &EVENT[..30];
    assert_eq!(found(&format!("{cut}\n{EVENT}\n")), [(1, None, json!(cut)), (2, None, event())]);
    assert_eq!(found(cut), [(1, None, json!(cut))]);
}

#[test]
fn a_document_of_several_lines_that_is_no_json_is_one_event() {
    let pretty = serde_json::to_string_pretty(&event()).unwrap();
    let broken = pretty.replace("\"android\",", "\"android\"");
    assert_eq!(found(&broken), [(1, None, json!(broken))]);
    assert_eq!(found(&format!("{broken}\n{pretty}")), [(1, None, json!(broken)), (6, None, event())]);
}

#[test]
fn the_events_of_an_array_have_their_lines_and_places() {
    let text = format!("[\n  {EVENT},\n\n  {EVENT}]");
    assert_eq!(found(&text), [(2, at("[0]"), event()), (4, at("[1]"), event())]);
    assert_eq!(found("[]"), []);
}

#[test]
fn what_is_given_to_aws_and_what_comes_from_it_is_opened() {
    let detail = json!({"app": "android", "token": "t"}).to_string();
    let bridge =
        json!({"detail-type": "user.logout", "source": "com.example", "detail": {"app": "android", "token": "t"}});
    let entry = json!({"Source": "com.example", "DetailType": "user.logout", "Detail": detail, "EventBusName": "b"});
    for (document, path, expected) in [
        (entry.clone(), None, bridge.clone()),
        (json!([entry]), at("[0]"), bridge.clone()),
        (json!({"Entries": [entry]}), at("Entries[0]"), bridge.clone()),
        (json!({"Entries": [{"Id": "1", "MessageBody": EVENT}]}), at("Entries[0]"), event()),
        (json!({"QueueUrl": "q", "MessageBody": EVENT}), None, event()),
        (json!({"Records": [{"messageId": "1", "body": EVENT}]}), at("Records[0].body"), event()),
        (json!({"Messages": [{"MessageId": "1", "Body": EVENT}]}), at("Messages[0].Body"), event()),
        (bridge.clone(), None, bridge.clone()),
        (json!({"Type": "Notification", "Message": EVENT}), None, json!({"Type": "Notification", "Message": EVENT})),
        // An event may carry more than the contract's fields.
        (json!({"type": "user.logout", "Records": []}), None, json!({"type": "user.logout", "Records": []})),
        (json!({"Records": [{"Sns": {}}]}), at("Records[0]"), json!({"Sns": {}})),
        (json!("text"), None, json!("text")),
    ] {
        let text = document.to_string();
        assert_eq!(found(&text), [(1, path, expected)], "{text}");
        assert!(find(&text).iter().all(|event| event.not_taken.is_none()), "{text}");
    }
}

#[test]
fn what_aws_does_not_take_says_why() {
    for (document, why) in [
        (json!({"DetailType": "user.logout", "Detail": {"app": "android"}}), NotTaken::DetailIsNoString),
        (json!({"DetailType": "user.logout", "Detail": "[1]"}), NotTaken::DetailIsNoObject),
        (json!({"DetailType": "user.logout", "Detail": "no"}), NotTaken::DetailIsNoObject),
        (json!({"Detail": "{}"}), NotTaken::NoDetailType),
        (json!({"MessageBody": {"type": "user.logout"}}), NotTaken::BodyIsNoString),
        (json!({"type": "\u{ffff}"}), NotTaken::Noncharacter),
        (json!({"type": "x".repeat(MOST_BYTES)}), NotTaken::TooLong),
    ] {
        let list = find(&document.to_string());
        assert_eq!(list.iter().map(|event| event.not_taken).collect::<Vec<_>>(), [Some(why)]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>(), near in r#"[\{\}\[\]",:a\n ]{0,40}"#) {
        for text in [text, near] {
            let number = text.lines().count().max(1) as u64;
            prop_assert!(find(&text).iter().all(|event| (1..=number).contains(&event.line)), "{:?}", text);
        }
    }

    #[test]
    fn events_are_found_however_they_are_written(
        pretty in proptest::collection::vec(any::<bool>(), 1..8), blank in 0..3_usize,
    ) {
        let gap = "\n".repeat(blank + 1);
        let write = |pretty: &bool| match pretty {
            true => serde_json::to_string_pretty(&event()).unwrap(),
            false => event().to_string(),
        };
        let text = pretty.iter().map(write).collect::<Vec<_>>().join(&gap);
        let bodies: Vec<Value> = found(&text).into_iter().map(|(_, _, body)| body).collect();
        prop_assert_eq!(bodies, vec![event(); pretty.len()]);
    }
}
