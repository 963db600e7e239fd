//! The calls that batches of bare events make.

use tpns_sim::model::OverrideMode;

use super::{super::*, carry_out, tpns};
use crate::{
    event::EventFields,
    ingress::Batch,
    tpns::{body, calls},
};

/// The table of ARCHITECTURE.md, "Calls": each row as a batch of bare events, and the calls it makes.
#[test]
fn the_table_of_what_is_pushed() {
    let login = r#"{"type":"user.login","occurred_at":10,"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}"#;
    let table: [(&[&str], &[&str]); 8] = [
        (
            &[login],
            &[
                r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}]}"#,
            ],
        ),
        (&[r#"{"type":"user.logout","occurred_at":20,"token":"t"}"#], &[r#"{"operator_type":4,"token_list":["t"]}"#]),
        (
            &[login, r#"{"type":"user.logout","occurred_at":10,"token":"t"}"#],
            &[r#"{"operator_type":4,"token_list":["t"]}"#],
        ),
        (
            &[r#"{"type":"user.logout","occurred_at":20,"token":"t","account_list":[{"account":"a"}]}"#],
            &[r#"{"operator_type":3,"token_accounts":[{"token":"t","account_list":[{"account":"a"}]}]}"#],
        ),
        (
            &[
                r#"{"type":"account.deleted","occurred_at":20,"account_list":[{"account":"a"},{"account":"b","account_type":9}]}"#,
            ],
            &[r#"{"operator_type":5,"account_list":[{"account":"a"},{"account":"b","account_type":9}]}"#],
        ),
        // A stale logout changes nothing.
        (
            &[login, r#"{"type":"user.logout","occurred_at":9,"token":"t","account_list":[{"account":"a"}]}"#],
            &[
                r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}]}"#,
            ],
        ),
        // All of a login's accounts are out.
        (
            &[
                login,
                r#"{"type":"user.logout","occurred_at":11,"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}"#,
            ],
            &[r#"{"operator_type":4,"token_list":["t"]}"#],
        ),
        // One of two is out: cleared first, in case TPNS overrides per type.
        (
            &[login, r#"{"type":"account.deleted","occurred_at":20,"account_list":[{"account":"a"}]}"#],
            &[
                r#"{"operator_type":5,"account_list":[{"account":"a"}]}"#,
                r#"{"operator_type":4,"token_list":["t"]}"#,
                r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"b","account_type":1}]}]}"#,
            ],
        ),
    ];
    for (events, expected) in table {
        let plan = plan(&State::of(&events.iter().map(|json| bare(json)).collect::<Vec<_>>()), &Redelivered::default());
        let waves = carry_out(&mut tpns(OverrideMode::Replace), &plan);
        let bodies: Vec<_> = waves
            .into_iter()
            .flatten()
            .map(|call| body(call.operator_type, call.items.iter().map(|&item| plan.item(item))).unwrap())
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect();
        assert_eq!(bodies, expected, "{events:?}");
    }
}

/// The same with a ledger, which knows what earlier owners had.
#[test]
fn the_table_of_what_is_pushed_from_the_ledger() {
    let login = r#"{"type":"user.login","occurred_at":10,"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}"#;
    let other =
        r#"{"type":"user.login","occurred_at":20,"token":"t","account_list":[{"account":"c","account_type":1}]}"#;
    let out_b =
        r#"{"type":"user.logout","occurred_at":11,"token":"t","account_list":[{"account":"b","account_type":1}]}"#;
    let out_all = r#"{"type":"user.logout","occurred_at":11,"token":"t"}"#;
    let again = r#"{"type":"user.login","occurred_at":20,"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}"#;
    let bind_c =
        r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"c","account_type":1}]}]}"#;
    let table: [(&[&str], &[&str]); 5] = [
        // Signed out: unbound beside.
        (
            &[login, out_b],
            &[
                r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"a"}]}]}"#,
                r#"{"operator_type":3,"token_accounts":[{"token":"t","account_list":[{"account":"b","account_type":1}]}]}"#,
            ],
        ),
        // The login names another account of b's type, which replaces it, and none of a's.
        (
            &[login, other],
            &[bind_c, r#"{"operator_type":3,"token_accounts":[{"token":"t","account_list":[{"account":"a"}]}]}"#],
        ),
        (
            &[login, out_all, other],
            &[bind_c, r#"{"operator_type":3,"token_accounts":[{"token":"t","account_list":[{"account":"a"}]}]}"#],
        ),
        (&[login, out_all], &[r#"{"operator_type":4,"token_list":["t"]}"#]),
        // The common case: the same types.
        (
            &[login, again],
            &[
                r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{"account":"a"},{"account":"b","account_type":1}]}]}"#,
            ],
        ),
    ];
    for (events, expected) in table {
        let mut state = State::of(&events.iter().map(|json| bare(json)).collect::<Vec<_>>());
        state.remembers = true;
        let plan = plan(&state, &Redelivered::default());
        let bodies: Vec<_> = calls(&plan.items)
            .into_iter()
            .map(|call| body(call.operator_type, call.items.iter().map(|&item| plan.item(item))).unwrap())
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect();
        assert_eq!(bodies, expected, "{events:?}");
    }
}

fn bare(json: &str) -> Event {
    let apps = crate::apps::AppNames::new(["android"]);
    let rules = crate::event::Rules { apps: &apps, now: 30, max_age: 100, max_skew: 0, ledger: false };
    let fields: EventFields = serde_json::from_str(json).unwrap();
    let fallbacks = crate::event::Fallbacks { message_id: Some("m"), ..Default::default() };
    Event::new(fields, &fallbacks, &rules).unwrap()
}

#[test]
fn thousands_of_devices_fill_their_calls() {
    let record = |n: usize| {
        let body = format!(
            r#"{{"type":"user.login","occurred_at":10,"token":"token{n}","account_list":[{{"account":"a{n}"}}]}}"#
        );
        serde_json::json!({"messageId": format!("m{n}"), "body": body, "eventSource": "aws:sqs"})
    };
    let payload = serde_json::json!({"Records": (0..10_000).map(record).collect::<Vec<_>>()}).to_string();
    let apps = crate::apps::AppNames::new(["android"]);
    let rules = crate::event::Rules { apps: &apps, now: 30, max_age: 100, max_skew: 0, ledger: false };
    let events: Vec<_> =
        Batch::open(&payload).unwrap().messages.iter().map(|each| each.event(&rules).unwrap()).collect();
    assert_eq!(calls(&plan(&State::of(&events), &Redelivered::default()).items).len(), 500);
}
