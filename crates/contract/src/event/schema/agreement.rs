//! That the schema takes what the parser takes and nothing else.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{super::*, VALIDATOR};

fn is_taken(event: &Value) -> bool {
    let apps = AppNames::new(["android"]);
    let rules = Rules { apps: &apps, now: 0, max_age: Millis::MAX, max_skew: Millis::MAX, ledger: false };
    let fallbacks = Fallbacks { message_id: Some("m"), attributes: None, ..Fallbacks::default() };
    let json = event.to_string();
    serde_json::from_str::<EventFields>(&json).is_ok_and(|fields| Event::new(fields, &fallbacks, &rules).is_ok())
}

/// A value for a field: mostly good, and some of every kind of bad.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-z]{1,3}",
        "[a-z]{64,65}",
        "[a-z🦀]{100,101}",
        "[a ]{1,3}",
        "[a\u{7f}\u{85}\u{a0}\u{ad}\u{3000}\n]{1,3}",
        "[a1é\u{200b}\u{200d}\u{fe0f}\u{20e3}\u{feff}\u{e0061}क😀 ]{1,5}",
        Just("android".into()),
        Just("2026-11-22T08:15:30.123Z".into()),
        Just("2026-11-22T08:15:30+08:00".into()),
        Just("2026-11-22T08:15:30".into()),
        "20(00|24|26)-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])[Tt ][0-2][0-9](:[0-6][0-9]){0,2}([.,][0-9]{1,10})?",
        "2026-11-22[Tt ][0-2][0-9](:[0-5][0-9]){0,2}([.,][0-9]{1,10})? ?(Z|z|UTC|CST|[+-][0-2][0-9]:?([0-6][0-9])?)(\\[[A-Z/]{0,3}\\])?",
        "(1900|2000|2023|2024|2026)-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])T08:15Z",
    ];
    prop_oneof![
        4 => text.prop_map(Value::from),
        1 => prop_oneof![Just(-1_i64), Just(0), Just(7), Just(4_294_967_295), Just(4_294_967_296)].prop_map(Value::from),
        1 => prop_oneof![Just(Value::Null), Just(json!(true)), Just(json!(1.5)), Just(json!({})), Just(json!([]))],
    ]
}

fn account_list() -> impl Strategy<Value = Value> {
    let surprise = prop_oneof![Just("surprise"), Just("accountType"), Just("ACCOUNTS"), Just("type"), Just("account_")];
    let account_type = prop::option::weighted(0.3, value());
    let account =
        (value(), account_type, prop::option::weighted(0.1, surprise)).prop_map(|(account, account_type, surprise)| {
            let mut fields = json!({"account": account});
            for (name, value) in
                [account_type.map(|value| ("account_type", value)), surprise.map(|name| (name, json!(1)))]
                    .into_iter()
                    .flatten()
            {
                fields[name] = value;
            }
            fields
        });
    prop_oneof![
        6 => prop::collection::vec(prop_oneof![9 => account, 1 => value()], 0..3).prop_map(Value::from),
        1 => (100..102_usize).prop_map(|count| json!(vec![json!({"account": "a"}); count])),
        1 => value(),
    ]
}

/// A name for one more field: a field's, one like it, or any other.
fn name() -> impl Strategy<Value = String> {
    let fields = prop::sample::select(EVENT.map(|(like, _)| like).to_vec());
    let bent =
        (fields, any::<prop::sample::Index>(), "[-_. ]?", "(s|S|)").prop_map(|(field, index, between, plural)| {
            let (start, end) = field.split_at(index.index(field.len()));
            format!("{start}{between}{}{plural}", end.to_uppercase())
        });
    prop_oneof![bent, Just("accountsList".to_owned()), Just("account_id".to_owned()), "[a-z]{1,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_schema_takes_what_the_parser_takes_and_nothing_else(
        kind in prop_oneof![9 => prop::sample::select(vec!["user.login", "user.logout", "account.deleted"]).prop_map(Value::from), 1 => value()],
                (id, occurred_at, token) in (prop::option::of(value()), prop::option::of(value()), prop::option::of(value())),
        (account_list, surprise) in (prop::option::of(account_list()), prop::option::of((name(), value()))),
    ) {
        let mut event = json!({"type": kind, "app": "android", "occurred_at": occurred_at.unwrap_or(json!(5))});
        for (field, value) in [("id", id), ("token", token), ("account_list", account_list)] {
            if let Some(value) = value {
                event[field] = value;
            }
        }
        if let Some((name, value)) = surprise {
            event[name] = value;
        }
        prop_assert_eq!(VALIDATOR.is_valid(&event), is_taken(&event), "{}", event);
    }
}
