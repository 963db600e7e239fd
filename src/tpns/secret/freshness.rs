//! When the apps document is read again.

use std::time::Duration;

use crate::moment::Moment;

/// A document that could not be read is read again after this, whatever the age of the one in force.
const AFTER_A_FAILURE: Duration = Duration::from_secs(5);
/// For apps that are not in the document it is read no more often than this: a producer's mistake may be in every
/// batch.
const BETWEEN_UNKNOWN_APPS: Duration = Duration::from_secs(30);

/// What an invocation needs of the document, whatever its age.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// It must have every app: a deletion that names none is not complete while one is missing.
    pub every_app: bool,
    /// An event is about to be rejected because of the apps that the document names.
    pub other_apps: bool,
}

/// How fresh the document in force is.
#[derive(Debug)]
pub(super) struct Freshness {
    max_age: Duration,
    read: Moment,
    failed: Option<Moment>,
    for_other_apps: Option<Moment>,
}

impl Freshness {
    pub(super) fn new(max_age: Duration, read: Moment) -> Self {
        Self { max_age, read, failed: None, for_other_apps: None }
    }

    /// Whether the document has to be read again now.
    pub(super) fn is_due(&mut self, needs: Needs, now: Moment) -> bool {
        let is_past = |moment: Option<Moment>, pause| moment.is_none_or(|moment| now.since(moment) >= pause);
        let too_old = is_past(Some(self.read), self.max_age) && is_past(self.failed, AFTER_A_FAILURE);
        let for_other_apps = needs.other_apps && is_past(self.for_other_apps, BETWEEN_UNKNOWN_APPS);
        let due = too_old || needs.every_app || for_other_apps;
        if due && needs.other_apps {
            self.for_other_apps = Some(now);
        }
        due
    }

    /// The document was read, and had not changed after `begun`.
    pub(super) fn was_read(&mut self, begun: Moment) {
        self.read = begun;
        self.failed = None;
    }

    pub(super) fn failed(&mut self, now: Moment) {
        self.failed = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;

    const MAX_AGE: Duration = Duration::from_secs(60);
    const NOTHING: Needs = Needs { every_app: false, other_apps: false };
    const EVERY_APP: Needs = Needs { every_app: true, other_apps: false };
    const OTHER_APPS: Needs = Needs { every_app: false, other_apps: true };

    /// Seconds after a beginning, by the one clock and by the other.
    struct Clocks(SystemTime, Instant);

    impl Clocks {
        fn new() -> (Self, Freshness) {
            let clocks = Self(SystemTime::now(), Instant::now());
            let freshness = Freshness::new(MAX_AGE, clocks.at(0));
            (clocks, freshness)
        }

        fn at(&self, seconds: u64) -> Moment {
            self.by(seconds, seconds)
        }

        fn by(&self, wall: u64, steady: u64) -> Moment {
            Moment { wall: self.0 + Duration::from_secs(wall), steady: self.1 + Duration::from_secs(steady) }
        }
    }

    #[test]
    fn it_is_due_at_its_age_by_either_clock() {
        let (clocks, mut freshness) = Clocks::new();
        for (wall, steady, due) in [(0, 0, false), (59, 59, false), (60, 60, true), (60, 0, true), (0, 60, true)] {
            assert_eq!(freshness.is_due(NOTHING, clocks.by(wall, steady)), due, "{wall} {steady}");
        }
        // Read at 61, when the wall clock was set back.
        freshness.was_read(clocks.by(0, 61));
        assert!(!freshness.is_due(NOTHING, clocks.by(1, 120)));
        assert!(freshness.is_due(NOTHING, clocks.by(2, 121)));
    }

    #[test]
    fn after_a_failure_it_rests_and_then_is_due_again() {
        let (clocks, mut freshness) = Clocks::new();
        assert!(freshness.is_due(NOTHING, clocks.at(60)));
        freshness.failed(clocks.at(63));
        assert!(!freshness.is_due(NOTHING, clocks.at(64)) && !freshness.is_due(NOTHING, clocks.at(67)));
        assert!(freshness.is_due(NOTHING, clocks.at(68)));
        freshness.was_read(clocks.at(68));
        assert!(!freshness.is_due(NOTHING, clocks.at(127)) && freshness.is_due(NOTHING, clocks.at(128)));
    }

    #[test]
    fn a_deletion_of_every_app_always_has_it_read() {
        let (clocks, mut freshness) = Clocks::new();
        assert!(freshness.is_due(EVERY_APP, clocks.at(0)));
        freshness.was_read(clocks.at(0));
        freshness.failed(clocks.at(1));
        assert!(freshness.is_due(EVERY_APP, clocks.at(1)));
    }

    #[test]
    fn unknown_apps_have_it_read_every_thirty_seconds() {
        let (clocks, mut freshness) = Clocks::new();
        let due = [0, 0, 1, 29, 30, 31, 59].map(|second| freshness.is_due(OTHER_APPS, clocks.at(second)));
        assert_eq!(due, [true, false, false, false, true, false, false]);
        // Whatever it was read for.
        assert!(freshness.is_due(Needs { every_app: true, other_apps: true }, clocks.at(61)));
        freshness.was_read(clocks.at(61));
        assert!(!freshness.is_due(OTHER_APPS, clocks.at(90)) && freshness.is_due(OTHER_APPS, clocks.at(91)));
    }
}
