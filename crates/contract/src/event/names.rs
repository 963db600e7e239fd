//! Names that are nearly those of a field. An unknown field is ignored, but a misspelt one changes the meaning of the
//! event: without its `account_list` a logout signs everyone out.

use super::{Invalid, characters::is_unseen};
use crate::outcome::Reason;

/// A name, and the field that is meant by a name like it.
pub(crate) type Likeness = (&'static str, &'static str);

/// The event's own fields, and those of an account where `account_list` belongs.
pub(crate) const EVENT: [Likeness; 8] = [
    ("type", "type"),
    ("id", "id"),
    ("occurred_at", "occurred_at"),
    ("app", "app"),
    ("token", "token"),
    ("account_list", "account_list"),
    ("account", "account_list"),
    ("account_type", "account_list"),
];

/// The fields of an account.
pub(crate) const ACCOUNT: [Likeness; 2] = [("account", "account"), ("account_type", "account_type")];

/// What is read of an EventBridge event; the first two are its marks.
pub(crate) const BRIDGE: [Likeness; 4] =
    [("detail-type", "detail-type"), ("detail", "detail"), ("time", "time"), ("id", "id")];

/// What is read of an SNS notification; the first two are its marks.
pub(crate) const NOTIFICATION: [Likeness; 3] = [("Type", "Type"), ("Message", "Message"), ("Timestamp", "Timestamp")];

/// A name that differs from that of a field only by what a program or a hand easily changes.
#[derive(Debug)]
pub(crate) struct Misspelt {
    /// The name, which is a field's and so no value. `None` if it would not look misspelt.
    pub(super) shown: Option<String>,
    /// The field that is meant.
    pub(super) field: &'static str,
}

impl Misspelt {
    /// Whether this name, which is no field's, is like one of these.
    pub(crate) fn of(name: &str, fields: &[Likeness]) -> Option<Self> {
        // Nearly every unknown name is excluded here.
        let first = letters(name).next()?;
        let begins_so = |like: &str| like.starts_with(|c: char| c.to_ascii_lowercase() == first);
        let &(_, field) = fields.iter().find(|(like, _)| begins_so(like) && is_like(name, like))?;
        let visible = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let shown = (name.len() <= 40 && name.bytes().all(visible)).then(|| name.to_owned());
        Some(Self { shown, field })
    }

    /// Why an event with a field of this name is refused.
    pub(crate) fn refusal(&self) -> Invalid {
        refusal(self.shown.as_deref(), self.field, str::to_owned)
    }
}

/// The same by its parts, with the path of the field in the event.
pub(super) fn refusal(shown: Option<&str>, field: &str, path: impl Fn(&str) -> String) -> Invalid {
    let detail = match shown {
        Some(name) => format!("{}: is not a field; did you mean {field}?", path(name)),
        None => {
            format!("{}: the field's name contains characters that do not belong there; write {field}", path(field))
        }
    };
    Invalid::new(Reason::InvalidField, detail)
}

/// Whether the two differ only by case, by what is put between words, and by a plural s.
fn is_like(name: &str, field: &str) -> bool {
    let mut name = letters(name).peekable();
    for c in field.chars() {
        if c == '_' || c == '-' {
            _ = name.next_if_eq(&'s');
        } else if name.next() != Some(c.to_ascii_lowercase()) {
            return false;
        }
    }
    _ = name.next_if_eq(&'s');
    name.next().is_none()
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    let separates = |c: char| match c {
        '_' | '-' | '.' => true,
        '!'..='~' => false,
        _ => c.is_whitespace() || is_unseen(c),
    };
    name.chars().filter(move |&c| !separates(c)).map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(name: &str) -> Option<String> {
        Misspelt::of(name, &EVENT).map(|misspelt| misspelt.refusal().to_string())
    }

    #[test]
    fn a_name_like_a_fields_is_recognised() {
        for (name, field) in [
            ("accountList", "account_list"),
            ("AccountList", "account_list"),
            ("accountlist", "account_list"),
            ("ACCOUNT_LIST", "account_list"),
            ("account-list", "account_list"),
            ("account_lists", "account_list"),
            ("accountsList", "account_list"),
            ("_account__list_", "account_list"),
            ("account", "account_list"),
            ("Accounts", "account_list"),
            ("accountType", "account_list"),
            ("occurredAt", "occurred_at"),
            ("App", "app"),
            ("apps", "app"),
            ("APPS", "app"),
            ("Token", "token"),
            ("tokens", "token"),
            ("ID", "id"),
            ("_id", "id"),
            ("Type", "type"),
        ] {
            let expected = format!("{name}: is not a field; did you mean {field}?");
            assert_eq!(meant(name).as_deref(), Some(&*expected), "{name}");
        }
        let long = format!("{}token", "_".repeat(50));
        for name in ["token ", " token", "\u{feff}token", "to\u{ad}ken", "token\n", &long] {
            let expected = "token: the field's name contains characters that do not belong there; write token";
            assert_eq!(meant(name).as_deref(), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn other_names_are_ignored() {
        for name in [
            "",
            "_",
            "s",
            "account_id",
            "account_lis",
            "account_listing",
            "acount_list",
            "appname",
            "tok",
            "tokenss",
            "$type",
            "@id",
            "@type",
            "event_type",
            "device_token",
            "occurred",
            "at",
            "surprise",
            "tökën",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
