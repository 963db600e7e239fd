//! Outages, simulated with a clock and an SQS of its own.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table and its progress")]

mod function;
mod lane;
mod messages;
mod queue;
mod results;
mod scenario;
mod wheel;
mod world;

use scenario::*;
use std::time::Instant;

/// Milliseconds of the simulated clock.
type Ms = u32;

fn main() -> anyhow::Result<()> {
    let down = |from, length| Some(Outage { fault: Fault::TpnsDown { after: 50 }, from, until: from + length });
    let d = Scenario::DEFAULT;
    let day = Scenario { name: "day", outage: down(10 * MINUTE, 6 * HOUR), ..d };
    let only = std::env::args().nth(1);
    for s in [
        Scenario { name: "calm", ..d },
        Scenario { name: "blip", outage: down(2 * MINUTE, 2000), ..d },
        Scenario { name: "minute", outage: down(2 * MINUTE, MINUTE), ..d },
        Scenario { name: "minute old", outage: down(2 * MINUTE, MINUTE), timing: Timing::Old, lane: false, ..d },
        Scenario { name: "backlog", waiting: 100_000, ..d },
        Scenario { name: "backlog, no lane", waiting: 100_000, lane: false, ..d },
        day,
        Scenario {
            name: "blip probes",
            outage: down(2 * MINUTE, 2000),
            probes: Probes { first: 1000, most: MINUTE },
            ..d
        },
        Scenario {
            name: "minute probes",
            outage: down(2 * MINUTE, MINUTE),
            probes: Probes { first: 1000, most: MINUTE },
            ..d
        },
        Scenario { name: "day probes", probes: Probes { first: 1000, most: MINUTE }, ..day },
        Scenario {
            name: "day, hang",
            outage: day.outage.map(|o| Outage { fault: Fault::TpnsDown { after: 3000 }, ..o }),
            ..day
        },
        Scenario { name: "day, spread", spread: true, ..day },
        Scenario { name: "day, random", order: queue::Order::Random, ..day },
        Scenario { name: "day, 200", concurrency: 200, ..day },
        Scenario { name: "day, no lane", lane: false, ..day },
        Scenario { name: "day, old", timing: Timing::Old, lane: false, ..day },
    ] {
        if only.as_ref().is_some_and(|only| !s.name.contains(only.as_str())) {
            continue;
        }
        let t = Instant::now();
        let r = world::simulate(&s);
        println!("{} {:?}", s.name, t.elapsed());
        println!(
            "  sent {} applied {} dead {} exp {} lost {} twice {} sup {} stale {}",
            r.sent, r.applied, r.dead_lettered, r.expired, r.lost, r.twice, r.superseded, r.stale
        );
        println!(
            "  last {:?} {:?} calls {:?} sandboxes {} in flight {:?}",
            r.last_unbind,
            r.last_login,
            r.calls_a_minute(),
            r.sandboxes,
            r.most_in_flight
        );
        println!(
            "  {:?} inv {} {} ms deliveries {} failed {}",
            r.sqs, r.invocations, r.invoked_ms, r.deliveries, r.failed_deliveries
        );
        println!("  lateness {:?}", r.lateness(0, u32::MAX));
    }
    Ok(())
}
