//! Which messages a redrive applies to.

use std::collections::HashSet;

use crate::{cli::ChoiceArgs, message::Summary};

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
