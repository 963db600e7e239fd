//! The contract as a JSON Schema, `events/auth-event.v1.schema.json`, made from the types below.
//!
//! `UPDATE_SCHEMA=1 cargo test schema` writes the file anew. That the types say what the parser does is a property.

use std::{borrow::Cow, env, fs, path::Path};

use proptest::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::*;

const FILE: &str = "events/auth-event.v1.schema.json";

/// A field type's schema, beside the rule its parser has.
macro_rules! schema {
    ($type:ty, $name:literal, $($schema:tt)*) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)*)
            }
        }
    };
}

schema!(Token, "Token", {
    "description": "The TPNS device token: printable characters without blanks.",
    "type": "string", "minLength": 1, "maxLength": 64,
    "pattern": r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
});
schema!(AccountName, "AccountName", {
    "type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"
});
schema!(AccountType, "AccountType", {
    "description": "TPNS's account type.", "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0
});
schema!(OccurredAt, "OccurredAt", {
    "description": "When it happened: RFC 3339 with an offset, or epoch milliseconds. Older than MAX_EVENT_AGE or further ahead than MAX_CLOCK_SKEW is rejected. Falls back to EventBridge's time, then to SQS's SentTimestamp.",
    "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "integer" }]
});
schema!(EventId, "EventId", {
    "description": "The producer's id of the event. Falls back to EventBridge's id, then to the SQS message id.", "type": "string"
});
schema!(AppName, "AppName", {
    "description": "The name of a configured app. A login or logout may leave it out when one app is configured; a deletion without it goes to every app.",
    "type": "string"
});

/// TPNS's own shape of an account: name and type together are its key.
#[derive(JsonSchema)]
#[schemars(rename = "Account")]
#[expect(dead_code, reason = "only its schema is used")]
struct AccountV1 {
    account: AccountName,
    #[serde(default)]
    account_type: AccountType,
}

/// What an app backend says happened: a login, a logout, or the deletion of an account. Unknown fields are ignored.
#[derive(JsonSchema)]
#[serde(tag = "type")]
#[expect(dead_code, reason = "only its schema is used")]
enum AuthEvent {
    /// The device is to have these accounts and no others.
    #[serde(rename = "user.login")]
    Login {
        id: Option<EventId>,
        occurred_at: Option<OccurredAt>,
        app: Option<AppName>,
        token: Token,
        /// The full set of accounts the device is to have. TPNS keeps one account a type, the last named.
        #[schemars(length(min = 1, max = 100))]
        account_list: Vec<AccountV1>,
    },
    /// The device is not to have these accounts; without account_list: no account at all.
    #[serde(rename = "user.logout")]
    Logout {
        id: Option<EventId>,
        occurred_at: Option<OccurredAt>,
        app: Option<AppName>,
        token: Token,
        #[schemars(length(min = 1, max = 100))]
        account_list: Option<Vec<AccountV1>>,
    },
    /// No device is to have these accounts. A token is refused.
    #[serde(rename = "account.deleted")]
    Deletion {
        id: Option<EventId>,
        occurred_at: Option<OccurredAt>,
        app: Option<AppName>,
        #[serde(default)]
        token: (),
        #[schemars(length(min = 1, max = 100))]
        account_list: Vec<AccountV1>,
    },
}

fn schema() -> Value {
    let mut schema = schemars::schema_for!(AuthEvent).to_value();
    schema["title"] = json!("tpns-account-sync: authentication event, version 1");
    schema
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_schema_file_is_the_one_the_types_make() {
    let made = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(path(FILE), &made).unwrap();
    }
    let file = fs::read_to_string(path(FILE)).unwrap_or_default();
    assert!(file == made, "{FILE} is out of date; run: UPDATE_SCHEMA=1 cargo test --lib schema");
}

#[test]
fn every_bare_sample_keeps_the_schema() {
    let validator = validator(&schema());
    for name in ["login", "logout", "logout-all", "deletion"] {
        let text = fs::read_to_string(path(&format!("events/bare/{name}.json"))).unwrap();
        let event = serde_json::from_str(&text).unwrap();
        if let Err(error) = validator.validate(&event) {
            panic!("events/bare/{name}.json: {error}");
        }
    }
}

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
        Just("a b".into()),
        Just("a\u{7f}".into()),
        Just("a\u{85}".into()),
        Just("a\u{a0}b".into()),
        Just("a\u{3000}".into()),
        Just("a\nb".into()),
        Just("android".into()),
        Just("2026-11-22T08:15:30.123Z".into()),
        Just("2026-11-22T08:15:30+08:00".into()),
        Just("2026-11-22T08:15:30".into()),
        Just("2026-13-22T08:15:30Z".into()),
    ];
    prop_oneof![
        4 => text.prop_map(Value::from),
        1 => prop_oneof![Just(-1_i64), Just(0), Just(7), Just(4_294_967_295), Just(4_294_967_296)].prop_map(Value::from),
        1 => prop_oneof![Just(Value::Null), Just(json!(true)), Just(json!(1.5)), Just(json!({})), Just(json!([]))],
    ]
}

fn account_list() -> impl Strategy<Value = Value> {
    let account =
        (value(), prop::option::weighted(0.3, value())).prop_map(|(account, account_type)| match account_type {
            Some(account_type) => json!({"account": account, "account_type": account_type}),
            None => json!({"account": account}),
        });
    prop_oneof![
        6 => prop::collection::vec(prop_oneof![9 => account, 1 => value()], 0..3).prop_map(Value::from),
        1 => (100..102_usize).prop_map(|count| json!(vec![json!({"account": "a"}); count])),
        1 => value(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_schema_takes_what_the_parser_takes_and_nothing_else(
        kind in prop_oneof![9 => prop::sample::select(vec!["user.login", "user.logout", "account.deleted"]).prop_map(Value::from), 1 => value()],
        fields in (prop::option::of(value()), prop::option::of(value()), prop::option::of(value()), prop::option::of(account_list()), prop::option::of(value())),
    ) {
        let (id, occurred_at, token, account_list, surprise) = fields;
        let mut event = json!({"type": kind, "app": "android", "occurred_at": occurred_at.unwrap_or(json!(5))});
        for (field, value) in [("id", id), ("token", token), ("account_list", account_list), ("surprise", surprise)] {
            if let Some(value) = value {
                event[field] = value;
            }
        }
        // Nothing to fall back on in this test; the schema can't know the envelope.
        prop_assume!(!event["occurred_at"].is_null());
        prop_assert_eq!(validator(&schema()).is_valid(&event), is_taken(&event), "{}", event);
    }
}
