//! The picture for the docs: how late unbinds were, by when they were sent. In light and in dark, and narrow enough for
//! a phone.

use std::fmt::Write;

use crate::{Ms, results::Results};

const WIDTH: f64 = 560.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 22.0;
const PLOT: f64 = 120.0;
/// Above a plot: title, legend. Below: numbers and unit of the axis.
const ABOVE: f64 = 62.0;
const BELOW: f64 = 52.0;
/// The notes at the top.
const TOP: f64 = 84.0;
const COLUMNS: usize = 120;

/// A curve: how late unbinds were that were sent in each column, in seconds.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) class: Class,
    /// Seconds, and the longest lateness of the unbinds that were sent then. `None`: never applied.
    pub(crate) points: Vec<(f64, Option<f64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// As the template's defaults are.
    New,
    NoLane,
    /// As it was before.
    Old,
}

/// A plot of lateness over time.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) title: String,
    /// The scale of the axis: seconds of its end, of a tick, and of the unit, and the unit.
    pub(crate) axis: Axis,
    pub(crate) fault: Option<[f64; 2]>,
    pub(crate) curves: Vec<Curve>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) end: f64,
    pub(crate) tick: f64,
    pub(crate) unit: f64,
    pub(crate) label: &'static str,
    /// The top of the other axis, in seconds.
    pub(crate) most: f64,
}

impl Curve {
    /// The longest lateness in each column.
    pub(crate) fn of(name: String, class: Class, results: &Results, axis: Axis) -> Self {
        let mut points: Vec<Option<Option<f64>>> = vec![None; COLUMNS];
        let width = axis.end / COLUMNS as f64;
        let column = |sent: Ms| (f64::from(sent) / 1e3 / width) as usize;
        for unbind in &results.unbinds {
            if let Some(point) = points.get_mut(column(unbind.sent)) {
                let late = f64::from(unbind.late) / 1e3;
                *point = Some(match *point {
                    None => Some(late),
                    Some(before) => before.map(|before| before.max(late)),
                });
            }
        }
        for sent in &results.dead_unbinds {
            if let Some(point) = points.get_mut(column(*sent)) {
                *point = Some(None);
            }
        }
        let points = (points.into_iter().enumerate())
            .filter_map(|(index, point)| Some(((index as f64 + 0.5) * width, point?)))
            .collect();
        Self { name, class, points }
    }
}

pub(crate) fn svg(plots: &[Plot]) -> String {
    let height = TOP + plots.len() as f64 * (ABOVE + PLOT + BELOW);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = draw(&mut out, plots, height);
    out
}

fn draw(out: &mut String, plots: &[Plot], height: f64) -> std::fmt::Result {
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="How late logouts and deletions were during outages, with and without redelivery delays and the lane for unbinds: the figures are in docs/outages.md">
<!-- Made by `make outage`. -->
<style>
text {{ font: 15px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }}
.title {{ font-weight: 600; font-size: 16px }} .note {{ fill: #59636e }} .ground {{ fill: #ffffff }} .fault {{ fill: #ffebe9 }}
.grid {{ stroke: #d1d9e0; stroke-width: 1 }} .new {{ fill: #1a7f37 }} .old {{ fill: #bc4c00 }}
path {{ fill: none; stroke-width: 2.5; stroke-linejoin: round }} path.new {{ fill: none; stroke: #1a7f37 }} path.old {{ fill: none; stroke: #bc4c00; stroke-dasharray: 7 3 }} path.no-lane {{ stroke: #0969da; stroke-dasharray: 2 3 }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc }} .note {{ fill: #9198a1 }} .ground {{ fill: #0d1117 }} .fault {{ fill: #3c1414 }}
.grid {{ stroke: #3d444d }} .new {{ fill: #3fb950 }} .old {{ fill: #f0883e }}
path.new {{ fill: none; stroke: #3fb950 }} path.old {{ fill: none; stroke: #f0883e }} path.no-lane {{ stroke: #4493f8 }}
}}
</style>
<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>
<text class="note" x="12" y="24">How late a logout was, by when it was sent. Lower is better.</text>
<text class="note" x="12" y="45">Before: visibility timeout of 180 s, five deliveries, one queue.</text>
<text class="note" x="12" y="66">Now: redelivery delays for up to a day, a lane for unbinds.</text>"##
    )?;
    for (index, plot) in plots.iter().enumerate() {
        plot.draw(out, TOP + index as f64 * (ABOVE + PLOT + BELOW))?;
    }
    writeln!(out, "</svg>")
}

impl Plot {
    fn draw(&self, out: &mut String, top: f64) -> std::fmt::Result {
        writeln!(out, r#"<text class="title" x="12" y="{}">{}</text>"#, top + 18.0, self.title)?;
        let mut x = LEFT;
        for curve in &self.curves {
            let (class, name) = (curve.class.name(), &curve.name);
            writeln!(out, r#"<path class="{class}" d="M{x:.0} {y:.0}h26"/>"#, y = top + 37.0)?;
            writeln!(out, r#"<text x="{:.0}" y="{:.0}">{name}</text>"#, x + 32.0, top + 42.0)?;
            // About the width of the text.
            x += 52.0 + 7.6 * name.chars().count() as f64;
        }
        let top = top + ABOVE;
        let bottom = top + PLOT;
        if let Some([from, until]) = self.fault {
            let (x, end) = (self.x(from), self.x(until));
            writeln!(
                out,
                r#"<rect class="fault" x="{x:.1}" y="{top}" width="{:.1}" height="{PLOT}"/>"#,
                (end - x).max(2.0)
            )?;
        }
        for share in [0.0, 0.5, 1.0] {
            let y = bottom - share * PLOT;
            writeln!(out, r#"<path class="grid" d="M{LEFT} {y:.1}H{:.1}"/>"#, WIDTH - RIGHT)?;
            let label = if share == 0.0 { "0".to_owned() } else { scale(self.axis.most * share) };
            writeln!(
                out,
                r#"<text class="note" x="{}" y="{:.1}" text-anchor="end">{label}</text>"#,
                LEFT - 8.0,
                y + 5.0
            )?;
        }
        let mut at = 0.0;
        while at <= self.axis.end + 1e-6 {
            let number = at / self.axis.unit;
            let (x, y) = (self.x(at), bottom + 20.0);
            writeln!(out, r#"<text class="note" x="{x:.1}" y="{y}" text-anchor="middle">{number:.0}</text>"#)?;
            at += self.axis.tick;
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        let label = self.axis.label;
        writeln!(
            out,
            r#"<text class="note" x="{middle:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
            bottom + 38.0
        )?;
        for curve in &self.curves {
            self.curve(out, curve, bottom)?;
        }
        Ok(())
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.axis.end * (WIDTH - LEFT - RIGHT)
    }

    /// What was never applied is at the top of the plot.
    fn curve(&self, out: &mut String, curve: &Curve, bottom: f64) -> std::fmt::Result {
        let y = |late: Option<f64>| bottom - PLOT * late.map_or(1.0, |late| (late / self.axis.most).min(1.0));
        let mut path = String::new();
        for (index, (at, late)) in curve.points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            write!(path, "{letter}{:.1} {:.1}", self.x(*at), y(*late))?;
        }
        writeln!(out, r#"<path class="{}" d="{path}"/>"#, curve.class.name())?;
        let mut never = curve.points.iter().filter(|point| point.1.is_none()).map(|point| point.0);
        // Elsewhere other curves are in its way; the legend says it too.
        if let Some(last) = never.next_back().filter(|last| *last > self.axis.end / 2.0) {
            let (class, x, y) = (curve.class.name(), self.x(last) - 10.0, bottom - PLOT + 18.0);
            writeln!(
                out,
                r#"<text class="{class}" x="{x:.0}" y="{y:.0}" text-anchor="end">in the dead-letter queue</text>"#
            )?;
        }
        Ok(())
    }
}

fn scale(seconds: f64) -> String {
    if seconds < 3_600.0 { format!("{seconds:.0} s") } else { format!("{:.0} h", seconds / 3_600.0) }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::NoLane => "no-lane",
            Self::Old => "old",
        }
    }
}
