//! Which messages are meant.

use std::collections::HashSet;

use crate::{cli::ChoiceArgs, message::Told};

/// What the options say: of one option any value, of different options all.
#[derive(Debug)]
pub(crate) struct Choice {
    reasons: HashSet<String>,
    ids: HashSet<String>,
    types: HashSet<String>,
    apps: HashSet<String>,
}

impl Choice {
    pub(crate) fn takes(&self, told: &Told) -> bool {
        let any =
            |wanted: &HashSet<String>, is: Option<&str>| wanted.is_empty() || is.is_some_and(|is| wanted.contains(is));
        any(&self.reasons, Some(&told.reason))
            && any(&self.ids, Some(&told.message_id))
            && any(&self.types, told.kind)
            && any(&self.apps, told.app.as_deref())
    }

    /// The ids that were asked for by name.
    pub(crate) fn ids(&self) -> &HashSet<String> {
        &self.ids
    }
}

impl From<ChoiceArgs> for Choice {
    fn from(args: ChoiceArgs) -> Self {
        // `all` is the choice without a condition, and the command line lets it stand alone only.
        let ChoiceArgs { all: _, reasons, ids, types, apps } = args;
        let set = |list: Vec<String>| list.into_iter().collect();
        Self { reasons: set(reasons), ids: set(ids), types: set(types), apps: set(apps) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: &str, reason: &str, kind: Option<&'static str>, app: Option<&str>) -> Told {
        Told {
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
            sent_millis: None,
            timeless: false,
        }
    }

    fn choice(reasons: &[&str], ids: &[&str], types: &[&str], apps: &[&str]) -> Choice {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        ChoiceArgs { all: false, reasons: list(reasons), ids: list(ids), types: list(types), apps: list(apps) }.into()
    }

    #[test]
    fn of_one_option_any_and_of_different_options_all() {
        let one = told("1", "unknown_app", Some("user.login"), Some("huawei"));
        let odd = told("2", "malformed_json", None, None);
        assert!(choice(&[], &[], &[], &[]).takes(&one) && choice(&[], &[], &[], &[]).takes(&odd));
        assert!(choice(&["too_old", "unknown_app"], &[], &[], &["huawei"]).takes(&one));
        assert!(!choice(&["unknown_app"], &[], &[], &["android"]).takes(&one));
        assert!(!choice(&["unknown_app"], &["2"], &[], &[]).takes(&one));
        assert!(choice(&[], &["2"], &[], &[]).takes(&odd));
        assert!(!choice(&[], &[], &["user.login"], &[]).takes(&odd));
    }
}
