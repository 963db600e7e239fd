use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    event::{Account, AccountName, Change, Event, ListedAccount},
    ingress::Batch,
    outcome::Reason,
};

const TYPED: AccountType = AccountType(7);

/// The event in an SQS message with this body, as the function reads it.
fn read(body: &str) -> Event {
    let record = serde_json::json!({"messageId": "m", "eventSource": "aws:sqs", "body": body});
    let payload = serde_json::json!({"Records": [record]}).to_string();
    let apps = AppNames::new(["android"]);
    let rules = Rules { apps: &apps, now: 10, max_age: 10, max_skew: 0, ledger: false };
    Batch::open(&payload).unwrap().messages[0].event(&rules).unwrap()
}

fn listed(account: &str, account_type: Option<AccountType>) -> ListedAccount {
    ListedAccount { account: AccountName::new(account).unwrap(), account_type }
}

#[test]
fn each_kind_of_event_is_read_as_it_was_written() {
    let login =
        read(&NewEvent::login("1", 5, "t", [NewAccount::of_type("a", TYPED)]).app("android").to_json().unwrap());
    let Change::Login(device, accounts) = login.change else { panic!("a login") };
    assert_eq!((device.token.as_str(), &*login.id, login.version.at), ("t", "1", 5));
    assert_eq!(accounts, [Account { account: AccountName::new("a").unwrap(), account_type: TYPED }]);

    let logout = read(&NewEvent::logout("2", 6, "t", ["a"]).to_json().unwrap());
    assert!(matches!(logout.change, Change::Logout(_, accounts) if accounts == [listed("a", None)]));

    let logout_of_all = read(&NewEvent::logout_of_all("3", 7, "t").to_json().unwrap());
    assert!(matches!(logout_of_all.change, Change::LogoutAll(_)));

    let deletion = NewEvent::deletion("4", 8, ["a"]);
    assert_eq!(deletion.detail_type(), "account.deleted");
    assert!(matches!(read(&deletion.to_json().unwrap()).change, Change::Deletion(_, accounts) if accounts.len() == 1));
}

#[test]
fn what_the_function_would_reject_is_not_written() {
    let none: [&str; 0] = [];
    let many = vec!["a"; MOST_ACCOUNTS + 1];
    for (event, reason, field) in [
        (NewEvent::login("1", 5, "", ["a"]), Reason::InvalidField, "token: "),
        (NewEvent::login("1", 5, "a b", ["a"]), Reason::InvalidField, "token: "),
        (NewEvent::login("1", 5, "t", none), Reason::MissingField, "account_list: "),
        (NewEvent::login("1", 5, "t", [" a"]), Reason::InvalidField, "account_list[0].account: "),
        (NewEvent::login("1", 5, "t", many), Reason::InvalidField, "account_list: "),
        (NewEvent::logout("1", 5, "t", none), Reason::InvalidField, "account_list: "),
        (NewEvent::deletion("1", 5, none), Reason::MissingField, "account_list: "),
        (NewEvent::logout_of_all("x".repeat(129), 5, "t"), Reason::InvalidField, "id: "),
        (NewEvent::logout_of_all("", 5, "t"), Reason::MissingField, "id: "),
    ] {
        let invalid = event.to_json().unwrap_err();
        assert_eq!(invalid.reason, reason, "{invalid}");
        assert!(invalid.detail.starts_with(field), "{invalid}");
    }
}

#[test]
fn the_producers_guide_shows_the_example() {
    let (_, program) = include_str!("../../examples/login.rs").split_once("\n\n").unwrap();
    assert!(include_str!("../../../../docs/producers.md").contains(program), "docs/producers.md, With Rust");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(id in ".{0,8}", token in ".{0,4}", names in vec(".{0,4}", 0..4), at in -5..10_i64) {
        if let Ok(json) = NewEvent::login(id, at, token, names.iter().map(String::as_str)).to_json() {
            prop_assert!(matches!(read(&json).change, Change::Login(..)));
        }
    }
}
