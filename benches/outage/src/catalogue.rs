//! The scenarios that `make outage` simulates.

use crate::{
    Ms,
    scenario::{Fault, HOUR, MINUTE, Outage, SECOND, Scenario, Timing},
};

/// When the faults begin.
const FROM: Ms = 10 * MINUTE;
/// TPNS answers 503 after this time.
const TPNS_DOWN: Fault = Fault::TpnsDown { after: 50 };

/// A scenario with its name in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) title: &'static str,
    pub(crate) which: &'static str,
    pub(crate) scenario: Scenario,
}

pub(crate) const BACKLOG: &str = "100,000 waiting logins";
pub(crate) const DAY: &str = "TPNS down for 24 h";
/// With redelivery delays and the lane, the template's defaults.
pub(crate) const NOW: &str = "now";
pub(crate) const WITHOUT_LANE: &str = "now, no lane";
/// With the visibility timeout and one queue.
pub(crate) const BEFORE: &str = "before";

pub(crate) const NOW_QUIET: &str = "now, 20 events/s";
pub(crate) const BEFORE_QUIET: &str = "before, 20 events/s";

pub(crate) fn entries() -> Vec<Entry> {
    let down = |title, fault, length| {
        let outage = Some(Outage { fault, from: FROM, until: FROM + length });
        let scenario = Scenario { outage, length: FROM + length + FROM, ..Scenario::DEFAULT };
        let old = Scenario { timing: Timing::Old, lane: false, ..scenario };
        [Entry { title, which: NOW, scenario }, Entry { title, which: BEFORE, scenario: old }]
    };
    let waiting = Scenario { waiting: 100_000, ..Scenario::DEFAULT };
    let [day, day_before] = down(DAY, TPNS_DOWN, 24 * HOUR);
    let one_queue = Scenario { lane: false, ..day.scenario };
    let concurrent = Scenario { concurrency: 500, ..day.scenario };
    let quiet = |entry: Entry, which| {
        let scenario = Scenario { events_per_second: 20.0, ..entry.scenario };
        Entry { which, scenario, ..entry }
    };
    let mut entries = vec![
        Entry { title: BACKLOG, which: NOW, scenario: waiting },
        Entry { title: BACKLOG, which: WITHOUT_LANE, scenario: Scenario { lane: false, ..waiting } },
    ];
    entries.extend(down("TPNS down for 1 s", TPNS_DOWN, SECOND));
    entries.extend(down("TPNS down for 1 min", TPNS_DOWN, MINUTE));
    entries.extend(down("table down for 1 h", Fault::TableDown, HOUR));
    entries.extend(down("wrong key for 1 h", Fault::WrongKey, HOUR));
    entries.extend([
        day,
        Entry { title: DAY, which: WITHOUT_LANE, scenario: one_queue },
        Entry { title: DAY, which: "now, concurrency 500", scenario: concurrent },
        day_before,
        quiet(day, NOW_QUIET),
        quiet(day_before, BEFORE_QUIET),
    ]);
    entries
}
