//! What the picture shows.

use crate::{
    catalogue::{BACKLOG, BEFORE, BEFORE_QUIET, DAY, NOW, NOW_QUIET, WITHOUT_LANE},
    picture::{Axis, Class, Curve, Plot},
    real::{Real, RealFault, RealTiming},
    table::Row,
};

const HOUR: f64 = 3600.0;
const TRAFFIC: f64 = 110.0;

pub(crate) fn plots(rows: &[Row], real: Option<&Real>) -> Vec<Plot> {
    let mut plots = Vec::new();
    for (fault, title) in [
        (RealFault::Tpns, "TPNS is down for a minute (real parts)"),
        (RealFault::Key, "A wrong key for a minute (real parts)"),
    ] {
        plots.extend(real.map(|real| measured(real, fault, title)));
    }
    let axis = Axis { end: 30.0 * HOUR, tick: 3.0 * HOUR, unit: HOUR, label: "hours", most: 24.0 * HOUR };
    let curves = [(BEFORE_QUIET, "before", Class::Old), (NOW_QUIET, "now", Class::New)];
    plots.push(simulated(rows, DAY, "TPNS is down for 24 hours, 20 events/s (simulated)", axis, &curves));
    let curves =
        [(WITHOUT_LANE, "now, one queue", Class::NoLane), (BEFORE, "before", Class::Old), (NOW, "now", Class::New)];
    plots.push(simulated(rows, DAY, "The same, 200 events/s (simulated)", axis, &curves));
    let axis = Axis { end: 150.0, tick: 30.0, unit: 1.0, label: "seconds", most: 100.0 };
    let curves = [(WITHOUT_LANE, "now, one queue", Class::NoLane), (NOW, "now", Class::New)];
    plots.push(simulated(rows, BACKLOG, "100,000 logins are waiting (simulated)", axis, &curves));
    plots
}

fn simulated(rows: &[Row], of: &str, title: &str, axis: Axis, curves: &[(&str, &str, Class)]) -> Plot {
    let row = |which: &str| rows.iter().find(|row| row.title == of && row.which == which);
    let curve = |(which, name, class): &(&str, &str, Class)| {
        let results = &row(which)?.results;
        let dead = results.dead_lettered as f64 / results.sent_in_outage.max(1) as f64;
        let name = if dead > 0.0 { format!("{name}: {:.0} % dead-lettered", 100.0 * dead) } else { (*name).to_owned() };
        Some(Curve::of(name, *class, results, axis))
    };
    let outage = rows.iter().find(|row| row.title == of).and_then(|row| row.scenario.outage);
    Plot {
        title: title.to_owned(),
        axis,
        fault: outage.map(|outage| [outage.from, outage.until].map(|at| f64::from(at) / 1e3)),
        curves: curves.iter().filter_map(curve).collect(),
    }
}

fn measured(real: &Real, fault: RealFault, title: &str) -> Plot {
    let curve = |(timing, name, class): (RealTiming, &str, Class)| {
        let points = real.run(fault, timing)?.unbinds.iter().map(|unbind| (unbind.0, unbind.1)).collect();
        Some(Curve { name: name.to_owned(), class, points })
    };
    let curves = [(RealTiming::Old, "before", Class::Old), (RealTiming::New, "now", Class::New)];
    Plot {
        title: title.to_owned(),
        axis: Axis { end: TRAFFIC, tick: 10.0, unit: 1.0, label: "seconds", most: 200.0 },
        fault: Some(real.fault),
        curves: curves.into_iter().filter_map(curve).collect(),
    }
}
