//! Records which parts of the ledger an audit has finished and what it found there, so that the next run goes on with
//! the others. It holds fingerprints, and no token.

use std::collections::BTreeMap;

use contract::event::Millis;
use serde::{Deserialize, Serialize};

use super::{parts::PartNumber, tally::Tally};
use crate::{problem::Problem, state::StateFile};

/// What an audit has finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditState {
    format: u32,
    /// What is audited.
    of: Subject,
    /// When the audit began.
    pub(crate) began: Millis,
    finished: BTreeMap<PartNumber, Tally>,
}

/// What is audited: a state is only of use for the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) table: String,
    /// The names of the apps.
    pub(crate) apps: Vec<String>,
    /// The whole table, or a file of tokens by its SHA-256 and its app.
    pub(crate) devices: String,
}

impl AuditState {
    /// Not the format of `send`.
    const FORMAT: u32 = 101;

    pub(crate) fn new(of: Subject, began: Millis) -> Self {
        Self { format: Self::FORMAT, of, began, finished: BTreeMap::new() }
    }

    /// The state in the file; `None` if there is none.
    ///
    /// # Errors
    /// A file that holds something else, or the state of another audit.
    pub(crate) fn load(file: &StateFile, of: &Subject) -> Result<Option<Self>, Problem> {
        let Some(state) = file.read::<Self>()? else { return Ok(None) };
        if state.format != Self::FORMAT {
            return Err(file.unreadable().into());
        }
        if state.of != *of {
            return Err(Problem::Usage(format!(
                "{}: belongs to an audit of another table, file or apps document; name another with --state, or start \
                 again with --restart",
                file.path().display()
            )));
        }
        Ok(Some(state))
    }

    pub(crate) fn is_finished(&self, part: PartNumber) -> bool {
        self.finished.contains_key(&part)
    }

    pub(crate) fn count(&self) -> usize {
        self.finished.len()
    }

    pub(crate) fn finish(&mut self, part: PartNumber, tally: Tally) {
        self.finished.insert(part, tally);
    }

    /// Forgets the parts in which something differs: their tokens are needed, which the state does not hold.
    pub(crate) fn reopen_those_that_differ(&mut self) {
        self.finished.retain(|_, tally| tally.differ() == 0);
    }

    /// What was found in all parts.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.finished.values().cloned().for_each(|tally| total.merge(tally));
        total
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::audit::tally::{Drift, Seen};

    fn subject(table: &str) -> Subject {
        Subject { table: table.into(), apps: vec!["android".into()], devices: "table".into() }
    }

    fn tally(differs: bool) -> Tally {
        let mut tally = Tally::default();
        let drift = Drift { bound_but_out: differs, ..Drift::default() };
        tally.add("android", || "2aa183252edf".into(), &Seen::Compared(drift, 7));
        tally
    }

    #[test]
    fn a_state_is_read_as_it_was_written_and_only_for_the_same_audit() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("audit"));
        assert_eq!(AuditState::load(&file, &subject("t")).unwrap(), None);
        let mut state = AuditState::new(subject("t"), 7);
        state.finish(3, tally(true));
        file.save(&state).unwrap();
        assert_eq!(AuditState::load(&file, &subject("t")).unwrap(), Some(state));
        let other = AuditState::load(&file, &subject("u")).unwrap_err().to_string();
        assert!(other.contains("another table") && other.contains("--restart"), "{other}");
        fs::write(file.path(), fs::read_to_string(file.path()).unwrap().replace("101", "1")).unwrap();
        assert!(AuditState::load(&file, &subject("t")).unwrap_err().to_string().contains("not a state file"));
    }

    #[test]
    fn for_a_repair_only_parts_without_drift_stay_finished() {
        let mut state = AuditState::new(subject("t"), 7);
        state.finish(1, tally(true));
        state.finish(2, tally(false));
        assert_eq!((state.total().differ(), state.count()), (1, 2));
        state.reopen_those_that_differ();
        assert_eq!((state.is_finished(1), state.is_finished(2), state.total().differ()), (false, true, 0));
    }
}
