//! The contract as a JSON Schema, `events/auth-event.v1.schema.json`, made from the types below.
//!
//! `UPDATE_SCHEMA=1 cargo test schema` writes the file again. `agreement.rs` tests that the types say what the parser
//! does.

mod agreement;

use std::{borrow::Cow, env, fs, path::Path, sync::LazyLock};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{
    characters::{JOINERS, JOINING, KEY, KEYCAP, Range, SELECTORS, UNSEEN, within},
    names::{ACCOUNT, Likeness},
    *,
};

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
    "description": "The TPNS device token: printable ASCII characters without blanks.",
    "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]*$"
});
schema!(AccountName, "AccountName", {
    "description": "Without control and invisible characters (a joiner or selector inside an emoji or a word is none), and without white space at its ends.",
    "type": "string", "minLength": 1, "maxLength": 100,
    "not": { "anyOf": hidden().map(|pattern| json!({ "pattern": pattern })) }
});
schema!(AccountType, "AccountType", {
    "description": "TPNS's account type.", "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0
});
schema!(OccurredAt, "OccurredAt", {
    "description": "When it happened: RFC 3339 or ISO 8601 (seconds may be absent, the offset may be +0800 or +00) with an offset, or epoch milliseconds. Older than MAX_EVENT_AGE or further ahead than MAX_CLOCK_SKEW is rejected. Falls back to EventBridge's time, then to SQS's SentTimestamp.",
    "anyOf": [{ "type": "string", "pattern": time_pattern() }, { "type": "integer" }]
});
schema!(EventId, "EventId", {
    "description": "The producer's id of the event. Falls back to EventBridge's id, then to the SQS message id.",
    "type": "string", "maxLength": 128
});
schema!(AppName, "AppName", {
    "description": "The name of a configured app. A login or logout may omit it when one app is configured; a deletion without it goes to every app.",
    "type": "string"
});

/// A field that is not to be there.
struct Refused;
schema!(Refused, "Refused", false);

/// The inside of a character class. The escapes of Python, Go and ECMAScript differ, so it has the characters
/// themselves.
fn class(ranges: &[Range]) -> String {
    let range = |(first, last): &Range| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(range).collect()
}

/// What an account must not hold: white space at its ends; a character that can't be seen; a selector, or a joiner,
/// where there is nothing to select or join.
fn hidden() -> [String; 4] {
    let white = " \u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}";
    let unseen = class(&UNSEEN);
    let never = class(&apart(&UNSEEN, |c| !within(&JOINERS, c) && !within(&SELECTORS, c)));
    let (joiner, selector) = (class(&JOINERS), class(&SELECTORS));
    let no_key = class(&apart(&SELECTORS, |c| c != KEY));
    let not_joining = format!(r"\x00-{}", char::from_u32(u32::from(JOINING) - 1).unwrap());
    let not_selectable = format!(r"\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f{white}{joiner}");
    [
        format!("^[{white}]|[{white}]$"),
        format!(r"[\x00-\x1f\x7f-\x9f{never}]"),
        format!("(?:^|[{not_selectable}])[{selector}]|[0-9#*](?:[{no_key}]|{KEY}(?:$|[^{KEYCAP}]))"),
        format!("(?:^|[{not_joining}{white}{joiner}])[{joiner}]|[{joiner}](?:$|[{not_joining}{white}{unseen}])"),
    ]
}

/// The characters of these ranges that are such ones.
fn apart(ranges: &[Range], is_one: impl Fn(char) -> bool) -> Vec<Range> {
    let mut apart: Vec<Range> = Vec::new();
    for c in ranges.iter().flat_map(|&(first, last)| first..=last).filter(|&c| is_one(c)) {
        match apart.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => apart.push((c, c)),
        }
    }
    apart
}

fn time_pattern() -> String {
    let day = "(?:0[1-9]|[12][0-9]|3[01])";
    let to_30 = "(?:0[1-9]|[12][0-9]|30)";
    let leap = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29";
    let month = format!("(?:(?:0[13578]|1[02])-{day}|(?:0[469]|11)-{to_30}|02-(?:0[1-9]|1[0-9]|2[0-8]))");
    let fraction = "(?:[.,][0-9]+)?";
    // A leap second ends a quarter of an hour, whatever the offset.
    let minute = format!("(?::(?:[0-5][0-9](?::[0-5][0-9]{fraction})?|[0-5][49]:60{fraction}))?");
    let offset = "(?:[Zz]|UTC|GMT|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)";
    format!(r"^(?:[0-9]{{4}}-{month}|{leap})[Tt ](?:[01][0-9]|2[0-3]){minute} ?{offset}(?:\[[A-Za-z0-9_+/-]+\])?$")
}

/// Names that are none like a field's, or exactly it.
fn names(fields: &[Likeness]) -> Value {
    let exact: Vec<_> = fields.iter().filter(|(like, field)| like == field).map(|(like, _)| like).collect();
    let between = "[-_. ]*";
    let like = |(like, _): &Likeness| {
        let letter = |c: char| match c {
            '_' => format!("[sS]?{between}"),
            c => format!("[{c}{}]{between}", c.to_ascii_uppercase()),
        };
        like.chars().map(letter).collect::<String>()
    };
    let like = fields.iter().map(like).collect::<Vec<_>>().join("|");
    json!({"anyOf": [{"enum": exact}, {"not": {"pattern": format!("^{between}(?:{like})[sS]?{between}$")}}]})
}

/// TPNS's own shape of an account: name and type together are its key.
#[derive(JsonSchema)]
#[schemars(rename = "Account")]
#[expect(dead_code, reason = "only its schema is used")]
struct AccountV1 {
    account: AccountName,
    account_type: AccountType,
}

/// What an app backend says happened: a login, a logout, or the deletion of an account. Unknown fields are ignored,
/// but not a name that is nearly that of a field. Null is no value.
#[derive(JsonSchema)]
#[serde(tag = "type")]
#[expect(dead_code, reason = "only its schema is used")]
enum AuthEvent {
    /// The device is to have these accounts and no others.
    #[serde(rename = "user.login")]
    Login {
        id: EventId,
        occurred_at: OccurredAt,
        app: AppName,
        token: Token,
        /// The full set of accounts the device is to have. TPNS keeps one account a type, the last named.
        #[schemars(length(min = 1, max = 100))]
        account_list: Vec<AccountV1>,
    },
    /// The device is not to have these accounts; without account_list: no account at all.
    #[serde(rename = "user.logout")]
    Logout {
        id: EventId,
        occurred_at: OccurredAt,
        app: AppName,
        token: Token,
        #[schemars(length(min = 1, max = 100))]
        account_list: Vec<AccountV1>,
    },
    /// No device is to have these accounts. A token is refused.
    #[serde(rename = "account.deleted")]
    Deletion {
        id: EventId,
        occurred_at: OccurredAt,
        app: AppName,
        token: Refused,
        #[schemars(length(min = 1, max = 100))]
        account_list: Vec<AccountV1>,
    },
}

/// The fields that each must have, in the order of [`AuthEvent`].
const REQUIRED: [&[&str]; 3] = [&["type", "token", "account_list"], &["type", "token"], &["type", "account_list"]];

fn schema() -> Value {
    let mut schema = schemars::schema_for!(AuthEvent).to_value();
    schema["title"] = json!("tpns-account-sync: authentication event, version 1");
    schema["propertyNames"] = names(&EVENT);
    // A CloudEvents envelope.
    schema["not"] =
        json!({"required": ["specversion"], "anyOf": [{"required": ["data"]}, {"required": ["data_base64"]}]});
    for (kind, required) in REQUIRED.into_iter().enumerate() {
        schema["oneOf"][kind]["required"] = json!(required);
    }
    schema["$defs"]["Account"]["required"] = json!(["account"]);
    schema["$defs"]["Account"]["propertyNames"] = names(&ACCOUNT);
    schema
}

/// JSON whose characters can all be seen.
fn in_ascii(json: &str) -> String {
    let escape = |c: char| match c {
        ' '..='~' | '\n' => c.to_string(),
        _ => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escape).collect()
}

static VALIDATOR: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::options().should_validate_formats(true).build(&schema()).unwrap());

fn path(name: &str) -> std::path::PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(name)
}

#[test]
fn the_schema_file_is_the_one_the_types_make() {
    let made = format!("{}\n", in_ascii(&serde_json::to_string_pretty(&schema()).unwrap()));
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(path(FILE), &made).unwrap();
    }
    let file = fs::read_to_string(path(FILE)).unwrap_or_default();
    assert!(file == made, "{FILE} is out of date; run: UPDATE_SCHEMA=1 cargo test --workspace --lib schema");
}

#[test]
fn every_bare_sample_keeps_the_schema() {
    for name in ["login", "logout", "logout-all", "deletion"] {
        let text = fs::read_to_string(path(&format!("events/bare/{name}.json"))).unwrap();
        let event = serde_json::from_str(&text).unwrap();
        if let Err(error) = VALIDATOR.validate(&event) {
            panic!("events/bare/{name}.json: {error}");
        }
    }
}
