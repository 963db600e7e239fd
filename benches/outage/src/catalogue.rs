//! The scenarios that `make outage` simulates.

use crate::scenario::{Fault, HOUR, MINUTE, Outage, SECOND, Scenario, Timing};

/// When the faults begin.
pub(crate) const FROM: u32 = 10 * MINUTE;
/// After this time TPNS's 503 arrives.
const ANSWERS: Fault = Fault::TpnsDown { after: 50 };

/// A scenario, as the function behaves and as it was before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) title: &'static str,
    pub(crate) new: Scenario,
    pub(crate) old: Scenario,
}

/// Everything that is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Catalogue {
    /// TPNS answers 503 for a second.
    pub(crate) blip: Pair,
    pub(crate) minute: Pair,
    pub(crate) table: Pair,
    pub(crate) key: Pair,
    pub(crate) day: Pair,
    /// 100,000 waiting logins, with the lane and without.
    pub(crate) backlog: Pair,
    /// The day, without the lane, and with more concurrency.
    pub(crate) day_without_lane: Scenario,
    pub(crate) day_concurrent: Scenario,
}

pub(crate) fn catalogue() -> Catalogue {
    let pair = |title, length, fault| {
        let outage = Some(Outage { fault, from: FROM, until: FROM + length });
        let new = Scenario { outage, length: FROM + length + FROM, ..Scenario::DEFAULT };
        Pair { title, new, old: Scenario { timing: Timing::Old, lane: false, ..new } }
    };
    let day = pair("TPNS down for 24 h", 24 * HOUR, ANSWERS);
    let waiting = Scenario { waiting: 100_000, ..Scenario::DEFAULT };
    Catalogue {
        blip: pair("TPNS down for 1 s", SECOND, ANSWERS),
        minute: pair("TPNS down for 1 min", MINUTE, ANSWERS),
        table: pair("table down for 1 h", HOUR, Fault::TableDown),
        key: pair("wrong key for 1 h", HOUR, Fault::WrongKey),
        day,
        backlog: Pair {
            title: "100,000 waiting logins",
            new: waiting,
            old: Scenario { lane: false, ..waiting },
        },
        day_without_lane: Scenario { lane: false, ..day.new },
        day_concurrent: Scenario { concurrency: 200, ..day.new },
    }
}
