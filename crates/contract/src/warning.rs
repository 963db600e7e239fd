//! What the sender of an event should know of it before it is sent. Each warning has a stable word, and a text that
//! names the field, what is wrong and what to do; never a value of the event.

use std::fmt::{self, Display};

/// What is odd about an event, or may surprise its sender. The function may apply the event all the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Warning {
    /// It has no time, nor has its envelope.
    NoTime,
    /// It has no time of its own, but its envelope has one.
    TimeOfEnvelope,
    /// Its time counts seconds instead of milliseconds.
    Seconds,
    /// Its time has no milliseconds.
    WholeSeconds,
    /// It is an unbind that is older than `MAX_EVENT_AGE`.
    OldUnbind,
    /// Its time is later than now.
    Ahead,
    /// It names no app, and it is not known whether there are several.
    NoApp,
    /// A deletion that names no app.
    EveryApp,
    /// A logout without accounts.
    EveryAccount,
    /// A login with several accounts of one type.
    AccountReplaced,
    /// It has no id of its own.
    NoId,
    /// Its id could be made of what identifies a person.
    IdNotShown,
    /// Its token is longer than those of TPNS.
    LongToken,
    /// A field that is ignored, with a name that is nearly one of the contract's.
    IgnoredField {
        /// The name in the event.
        name: String,
        /// The field that may be meant.
        field: &'static str,
    },
    /// An earlier event of the same device has the same time.
    SameTime {
        /// The line of that event.
        line: u64,
    },
    /// An earlier event, which is another one, has the same id.
    SameId {
        /// The line of that event.
        line: u64,
    },
}

impl Warning {
    /// Its stable word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoTime => "no_time",
            Self::TimeOfEnvelope => "time_of_envelope",
            Self::Seconds => "seconds",
            Self::WholeSeconds => "whole_seconds",
            Self::OldUnbind => "old_unbind",
            Self::Ahead => "clock_ahead",
            Self::NoApp => "no_app",
            Self::EveryApp => "every_app",
            Self::EveryAccount => "every_account",
            Self::AccountReplaced => "account_replaced",
            Self::NoId => "no_id",
            Self::IdNotShown => "id_not_shown",
            Self::LongToken => "long_token",
            Self::IgnoredField { .. } => "ignored_field",
            Self::SameTime { .. } => "same_time",
            Self::SameId { .. } => "same_id",
        }
    }

    /// The line of the earlier event, where the warning is about two.
    #[must_use]
    pub const fn other_line(&self) -> Option<u64> {
        match self {
            Self::SameTime { line } | Self::SameId { line } => Some(*line),
            _ => None,
        }
    }
}

/// The field, what is wrong, and what to do.
impl Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTime => {
                "occurred_at: is missing, so the time of sending counts, and an event that is sent late or again \
                 outranks newer ones; send the time at which it happened"
            }
            Self::TimeOfEnvelope => {
                "occurred_at: is missing, so the envelope's time counts: that of sending, and in EventBridge without \
                 milliseconds; send the time at which it happened"
            }
            Self::Seconds => {
                "occurred_at: counts seconds, so it is a day in 1970 and every other event supersedes this one; count \
                 milliseconds"
            }
            Self::WholeSeconds => {
                "occurred_at: has whole seconds, and of a logout and a login within one second the logout wins; send \
                 milliseconds"
            }
            Self::OldUnbind => {
                "occurred_at: is older than MAX_EVENT_AGE; it is applied unless the ledger knows something newer, and \
                 parked by a stack without a ledger"
            }
            Self::Ahead => {
                "occurred_at: is later than now, so the time of sending counts; set the clock, and count milliseconds"
            }
            Self::NoApp => "app: is missing, and the event is parked if more than one app is configured; name the app",
            Self::EveryApp => "app: is missing, so the account is unbound in every app; name the app if it is in one",
            Self::EveryAccount => {
                "account_list: is missing, so every account of the device is signed out; name the account if you know \
                 which one left"
            }
            Self::AccountReplaced => {
                "account_list: has several accounts of one account_type, of which TPNS keeps one: the last counts; \
                 give each its own account_type"
            }
            Self::NoId => {
                "id: is missing, so each sending of the event gets another one; send an id of your own, such as a ULID"
            }
            Self::IdNotShown => {
                "id: could be made of an account, so the log shows a fingerprint of it; use a UUID or ULID"
            }
            Self::LongToken => {
                "token: is longer than the 36 characters of TPNS's tokens; send the TPNS token that the SDK returned, \
                 not that of APNs or FCM"
            }
            Self::IgnoredField { name, field } => {
                return write!(f, "{name}: is not a field and is ignored; did you mean {field}?");
            }
            Self::SameTime { .. } => {
                "occurred_at: an earlier event of the device has the same time, so the type decides which one wins, \
                 then the id; send milliseconds, by one clock"
            }
            Self::SameId { .. } => "id: an earlier event, which is another one, has the same id; give each its own",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};

    use super::*;

    #[test]
    fn each_warning_has_a_word_of_its_own_in_the_docs_and_names_a_field_and_what_to_do() {
        let all = [
            Warning::NoTime,
            Warning::TimeOfEnvelope,
            Warning::Seconds,
            Warning::WholeSeconds,
            Warning::OldUnbind,
            Warning::Ahead,
            Warning::NoApp,
            Warning::EveryApp,
            Warning::EveryAccount,
            Warning::AccountReplaced,
            Warning::NoId,
            Warning::IdNotShown,
            Warning::LongToken,
            Warning::IgnoredField { name: "acount_list".into(), field: "account_list" },
            Warning::SameTime { line: 1 },
            Warning::SameId { line: 1 },
        ];
        assert_eq!(all.iter().map(Warning::word).collect::<HashSet<_>>().len(), all.len());
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/producers.md");
        let page = fs::read_to_string(page).unwrap();
        for warning in all {
            assert!(page.contains(&format!("`{}`", warning.word())), "{warning:?} is not in docs/producers.md");
            let text = warning.to_string();
            assert!(text.contains(": ") && text.contains("; "), "{text}");
        }
    }
}
