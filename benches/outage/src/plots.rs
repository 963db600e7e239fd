//! What the picture shows.

use crate::{
    catalogue::{BACKLOG, BEFORE, DAY, NOW, WITHOUT_LANE},
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
    let axis = Axis { end: 32.0 * HOUR, tick: 4.0 * HOUR, unit: HOUR, label: "hours", most: 24.0 * HOUR };
    let curves = [(WITHOUT_LANE, "one queue", Class::NoLane), (BEFORE, "before", Class::Old), (NOW, "now", Class::New)];
    plots.push(simulated(rows, DAY, "TPNS is down for 24 hours (simulated)", axis, &curves));
    let axis = Axis { end: 150.0, tick: 30.0, unit: 1.0, label: "seconds", most: 100.0 };
    let curves = [(WITHOUT_LANE, "one queue", Class::NoLane), (NOW, "with the lane for unbinds", Class::New)];
    plots.push(simulated(rows, BACKLOG, "100,000 logins are waiting (simulated)", axis, &curves));
    plots
}

fn simulated(rows: &[Row], of: &str, title: &str, axis: Axis, curves: &[(&str, &str, Class)]) -> Plot {
    let row = |which: &str| rows.iter().find(|row| row.title == of && row.which == which);
    let curve =
        |(which, name, class): &(&str, &str, Class)| row(which).map(|row| Curve::of(name, *class, &row.results, axis));
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
    let curves =
        [(RealTiming::Old, "visibility timeout", Class::Old), (RealTiming::New, "redelivery delays", Class::New)];
    Plot {
        title: title.to_owned(),
        axis: Axis { end: TRAFFIC, tick: 10.0, unit: 1.0, label: "seconds", most: 200.0 },
        fault: Some(real.fault),
        curves: curves.into_iter().filter_map(curve).collect(),
    }
}
