use proptest::{collection::vec, prelude::*};

use super::*;

fn apps() -> AppNames {
    AppNames::new(["android", "ios"])
}

fn device(app: &str, token: &str) -> CheckKey<String> {
    CheckKey::Device { app: app.to_owned(), token: Token::new(token).unwrap() }
}

fn account(app: &str, name: &str, account_type: u32) -> CheckKey<String> {
    let account = Account { account: AccountName::new(name).unwrap(), account_type: AccountType(account_type) };
    CheckKey::Account { app: app.to_owned(), account }
}

#[test]
fn a_check_is_written_as_documented() {
    let keys = [device("android", "05da"), account("android", "926@126.com", 1005), account("ios", "1527000000", 0)];
    assert_eq!(
        write(&keys).unwrap(),
        concat!(
            r#"{"checks":[{"app":"android","token":"05da"},"#,
            r#"{"app":"android","account":"926@126.com","account_type":1005},{"app":"ios","account":"1527000000"}]}"#
        )
    );
}

#[test]
fn a_key_of_an_app_that_is_not_configured_is_an_error_of_its_own() {
    let body = write(&[device("web", "t1"), device("ios", "t2")]).unwrap();
    let read = read(&body, &apps()).unwrap();
    assert_eq!(read, [Err(UnknownApp { place: 0 }), Ok(device("ios", "t2").with_app(AppId(1)))]);
    assert_eq!(
        read[0].clone().unwrap_err().to_string(),
        "checks[0].app: is not configured; name an app of TPNS_APPS, or add it there"
    );
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let body = r#" {"sent":1,"checks":[{"app":"ios","token":"t2","new":[]}]} "#;
    assert_eq!(read(body, &apps()).unwrap(), [Ok(device("ios", "t2").with_app(AppId(1)))]);
}

#[test]
fn an_error_names_the_field_and_holds_no_value() {
    for (body, expected) in [
        ("", "the body is not a JSON object"),
        ("13711112222", "the body is not a JSON object"),
        (r#"[{"app":"ios","token":"secret"}]"#, "the body is not a JSON object"),
        (r#"{"checks":[{"app":"ios","token":"secret"}]"#, "the body is not a JSON object"),
        ("{}", "checks: must be an array of 1 to 100 keys"),
        (r#"{"checks":"secret"}"#, "checks: must be an array of 1 to 100 keys"),
        (r#"{"checks":[]}"#, "checks: must be an array of 1 to 100 keys"),
        (r#"{"checks":["secret"]}"#, "checks[0]: must be an object"),
        (r#"{"checks":[{"token":"secret"}]}"#, "checks[0].app: must be a string that names an app"),
        (r#"{"checks":[{"app":7,"token":"secret"}]}"#, "checks[0].app: must be a string that names an app"),
        (r#"{"checks":[{"app":"ios"}]}"#, "checks[0]: must have either a token or an account"),
        (
            r#"{"checks":[{"app":"ios","token":"t1"},{"app":"ios","token":"t1","account":"secret"}]}"#,
            "checks[1]: must have either a token or an account",
        ),
        (
            r#"{"checks":[{"app":"ios","token":"secret secret"}]}"#,
            "checks[0].token: must be a string of 1 to 64 printable ASCII characters without blanks",
        ),
        (r#"{"checks":[{"app":"ios","account":""}]}"#, "checks[0].account: must be a string of 1 to 100 characters"),
        (r#"{"checks":[{"app":"ios","account":137}]}"#, "checks[0].account: must be a string of 1 to 100 characters"),
        (
            r#"{"checks":[{"app":"ios","account":"secret","account_type":"secret"}]}"#,
            "checks[0].account_type: must be an integer from 0 to 4294967295",
        ),
        (
            r#"{"checks":[{"app":"ios","account":"secret","account_type":4294967296}]}"#,
            "checks[0].account_type: must be an integer from 0 to 4294967295",
        ),
    ] {
        assert_eq!(read(body, &apps()).unwrap_err().to_string(), expected, "{body}");
    }
}

#[test]
fn a_message_holds_a_hundred_keys_at_most() {
    let keys = vec![device("ios", "t"); MOST_KEYS + 1];
    assert_eq!(read(&write(&keys[1..]).unwrap(), &apps()).unwrap().len(), MOST_KEYS);
    assert_eq!(read(&write(&keys).unwrap(), &apps()), Err(MalformedCheck::Keys));
}

fn key() -> impl Strategy<Value = CheckKey<String>> {
    let app = prop_oneof![Just("android".to_owned()), Just("ios".to_owned())];
    let name = any::<String>().prop_map(|text| text.chars().take(100).collect::<String>());
    let name = prop_oneof![name, Just("\"\\/\u{fffe}\u{ffff}é😀".to_owned())];
    (app, "[!-~]{1,64}", prop::option::of((name, any::<u32>()))).prop_map(|(app, token, account)| {
        let account = account.and_then(|(name, number)| Some((AccountName::taken_before(&name)?, AccountType(number))));
        match account {
            Some((account, account_type)) => CheckKey::Account { app, account: Account { account, account_type } },
            None => CheckKey::Device { app, token: Token::new(&token).unwrap() },
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(keys in vec(key(), 1..=MOST_KEYS)) {
        let body = write(&keys).unwrap();
        let is_refused = |c: char| matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        prop_assert!(!body.contains(is_refused), "SQS takes the body");
        let place = |key: CheckKey<String>| Ok(match apps().find(key.app()) {
            Some(app) => key.with_app(app),
            None => unreachable!("both apps are configured"),
        });
        prop_assert_eq!(read(&body, &apps()).unwrap(), keys.into_iter().map(place).collect::<Vec<_>>());
    }

    #[test]
    fn no_body_is_read_without_its_keys(body in ".{0,60}") {
        if let Ok(keys) = read(&body, &apps()) {
            prop_assert!(!keys.is_empty());
        }
    }
}
