//! Which tokens' bindings changed when, so that an observer reads only what is new.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// An app and a token of it.
type Device = (Arc<str>, Arc<str>);

/// Every token that ever had a binding, by the number of its last change. Changes are numbered from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    by_number: BTreeMap<u64, Device>,
    numbers: HashMap<Device, u64>,
    last: u64,
}

impl Changes {
    /// Notes a change of these tokens, in this order.
    pub(super) fn note(&mut self, app: &str, tokens: impl IntoIterator<Item = Arc<str>>) {
        let app: Arc<str> = app.into();
        for token in tokens {
            self.last += 1;
            let device = (Arc::clone(&app), token);
            if let Some(earlier) = self.numbers.insert(device.clone(), self.last) {
                self.by_number.remove(&earlier);
            }
            self.by_number.insert(self.last, device);
        }
    }

    /// The tokens that changed after change `number`, each with its app and the number of its last change, oldest
    /// first.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = (u64, &str, &str)> {
        self.by_number.range(number.saturating_add(1)..).map(|(&number, (app, token))| (number, &**app, &**token))
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(changes: &Changes, number: u64) -> Vec<(u64, &str, &str)> {
        changes.since(number).collect()
    }

    #[test]
    fn a_token_is_listed_once_by_its_last_change() {
        let mut changes = Changes::default();
        changes.note("android", ["t1".into(), "t2".into()]);
        changes.note("ios", ["t1".into()]);
        changes.note("android", ["t1".into()]);
        assert_eq!(since(&changes, 0), [(2, "android", "t2"), (3, "ios", "t1"), (4, "android", "t1")]);
        assert_eq!(since(&changes, 3), [(4, "android", "t1")]);
        assert_eq!(changes.last(), 4);
    }

    #[test]
    fn nothing_changed_after_the_last_change_or_any_later_number() {
        let mut changes = Changes::default();
        changes.note("android", ["t1".into()]);
        assert_eq!(since(&changes, 1), []);
        assert_eq!(since(&changes, u64::MAX), []);
    }
}
