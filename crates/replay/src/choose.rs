//! Which messages a redrive applies to.

use std::collections::{BTreeMap, HashSet};

use crate::{cli::ChoiceArgs, message::Summary, show::plain};

/// What an option chooses by.
type Field = fn(&Summary) -> Option<&str>;

/// The options of the command line: a message must match every option given, and any one of its values.
#[derive(Debug)]
pub(crate) struct Choice {
    reasons: HashSet<String>,
    ids: HashSet<String>,
    types: HashSet<String>,
    apps: HashSet<String>,
}

impl Choice {
    pub(crate) fn matches(&self, message: &Summary) -> bool {
        let any =
            |wanted: &HashSet<String>, is: Option<&str>| wanted.is_empty() || is.is_some_and(|is| wanted.contains(is));
        any(&self.reasons, Some(&message.reason))
            && any(&self.ids, Some(&message.message_id))
            && any(&self.types, message.kind)
            && any(&self.apps, message.app.as_deref())
    }

    /// What is wrong with the options if a value of them is that of no message, or no message matches all of them: each
    /// as one line that names what there is. An id is reported by itself.
    pub(crate) fn unmatched(&self, messages: &[Summary]) -> Vec<String> {
        let mut lines = Vec::new();
        let options: [(&str, &HashSet<String>, Field); 3] = [
            ("--reason", &self.reasons, |message| Some(&message.reason)),
            ("--type", &self.types, |message| message.kind),
            ("--app", &self.apps, |message| message.app.as_deref()),
        ];
        for (option, wanted, field) in options {
            let mut there: BTreeMap<&str, u64> = BTreeMap::new();
            for is in messages.iter().filter_map(field) {
                *there.entry(is).or_default() += 1;
            }
            let mut absent: Vec<&String> =
                wanted.iter().filter(|wanted| !there.contains_key(wanted.as_str())).collect();
            absent.sort();
            let names: Vec<String> = there.iter().map(|(name, number)| format!("{name} ({number})")).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            lines.extend(
                absent.iter().map(|value| format!("{option} {}: of no message; there are: {names}", plain(value))),
            );
        }
        let chooses = lines.is_empty() && self.ids.is_empty() && !messages.is_empty();
        if chooses && !messages.iter().any(|message| self.matches(message)) {
            lines.push("no message matches all of the options; omit one of them".to_owned());
        }
        lines
    }

    /// The ids given with `--id`.
    pub(crate) fn ids(&self) -> &HashSet<String> {
        &self.ids
    }
}

impl From<ChoiceArgs> for Choice {
    fn from(args: ChoiceArgs) -> Self {
        // `all` is the choice without a condition; the command line accepts it only on its own.
        let ChoiceArgs { all: _, reasons, ids, types, apps } = args;
        let set = |list: Vec<String>| list.into_iter().collect();
        Self { reasons: set(reasons), ids: set(ids), types: set(types), apps: set(apps) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(id: &str, reason: &str, kind: Option<&'static str>, app: Option<&str>) -> Summary {
        Summary {
            message_id: id.into(),
            kind,
            app: app.map(str::to_owned),
            device: None,
            occurred_at: None,
            reason: reason.into(),
            detail: String::new(),
            receive_count: None,
            sent_at: None,
            parked: true,
            out_of_time: false,
            breaks_contract: false,
            sent_millis: None,
            timeless: false,
            sent_late: false,
        }
    }

    fn choice(reasons: &[&str], ids: &[&str], types: &[&str], apps: &[&str]) -> Choice {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        ChoiceArgs { all: false, reasons: list(reasons), ids: list(ids), types: list(types), apps: list(apps) }.into()
    }

    #[test]
    fn a_value_that_is_of_no_message_is_reported_with_those_that_there_are() {
        let messages = [
            summary("1", "unknown_app", Some("user.login"), Some("huawei")),
            summary("2", "unknown_app", Some("user.login"), Some("ios")),
            summary("3", "malformed_json", None, None),
        ];
        let unmatched = |reasons: &[&str], ids: &[&str], types: &[&str], apps: &[&str]| {
            choice(reasons, ids, types, apps).unmatched(&messages)
        };
        assert_eq!(
            unmatched(&["unknown_ap", "unknown_app"], &[], &[], &["android"]),
            [
                "--reason unknown_ap: of no message; there are: malformed_json (1), unknown_app (2)",
                "--app android: of no message; there are: huawei (1), ios (1)",
            ]
        );
        assert_eq!(unmatched(&["unknown_app"], &[], &["user.login"], &[]), [""; 0]);
        assert_eq!(unmatched(&["malformed_json"], &[], &["user.login"], &[]).len(), 1);
        assert_eq!(unmatched(&[], &["9"], &[], &[]), [""; 0]);
        let of_none = choice(&["too_old"], &[], &[], &[]).unmatched(&[]);
        assert_eq!(of_none, ["--reason too_old: of no message; there are: none"]);
        assert_eq!(choice(&[], &[], &[], &[]).unmatched(&[]), [""; 0]);
    }

    #[test]
    fn a_message_matches_every_option_and_one_value_of_each() {
        let one = summary("1", "unknown_app", Some("user.login"), Some("huawei"));
        let odd = summary("2", "malformed_json", None, None);
        assert!(choice(&[], &[], &[], &[]).matches(&one) && choice(&[], &[], &[], &[]).matches(&odd));
        assert!(choice(&["too_old", "unknown_app"], &[], &[], &["huawei"]).matches(&one));
        assert!(!choice(&["unknown_app"], &[], &[], &["android"]).matches(&one));
        assert!(!choice(&["unknown_app"], &["2"], &[], &[]).matches(&one));
        assert!(choice(&[], &["2"], &[], &[]).matches(&odd));
        assert!(!choice(&[], &[], &["user.login"], &[]).matches(&odd));
    }
}
