//! The picture for the docs: events per second against concurrency, with the quotas as lines. In light and in dark.

use std::fmt::Write;

use crate::{
    model::Setup,
    quotas::{Quota, quotas},
    tables::count,
};

const WIDTH: f64 = 656.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 32.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 52.0;
/// Powers of ten at the ends of the axes: concurrency and events per second.
const ACROSS: [f64; 2] = [0.0, 4.0];
const UP: [f64; 2] = [2.0, 6.0];

/// A curve.
struct Curve {
    name: &'static str,
    class: &'static str,
    setup: Setup,
}

/// The quotas of the account that are shown, with short names.
const SHOWN: [(&str, &str); 4] = [
    ("DynamoDB: reads per second of a new table", "new table: 12,000 reads/s"),
    ("DynamoDB: reads per second of a table", "table: 40,000 reads/s"),
    ("EventBridge: rule invocations per second", "EventBridge: 18,750 events/s"),
    ("DynamoDB: writes per second of a table", "table: 40,000 writes/s"),
];

pub(crate) fn svg() -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = draw(&mut out);
    out
}

fn draw(out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="Events per second against concurrency for batches of 10, 100 and 1,000, and the quotas that are reached first: the figures are in docs/scaling.md">
<!-- Made by `make scaling`. -->
<style>
text {{ font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }}
.note {{ fill: #59636e }} .ground {{ fill: #ffffff }} .grid {{ stroke: #d1d9e0; stroke-width: 1 }}
path {{ fill: none; stroke-width: 2.5 }} path.ten {{ stroke: #1a7f37 }} path.hundred {{ stroke: #0969da }} path.thousand {{ stroke: #8250df }}
path.bare {{ stroke: #1a7f37; stroke-dasharray: 6 4 }} .quota {{ stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 3 3 }} .limit {{ fill: #bc4c00; font-size: 12px }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc }} .note {{ fill: #9198a1 }} .ground {{ fill: #0d1117 }} .grid {{ stroke: #3d444d }}
path.ten {{ stroke: #3fb950 }} path.hundred {{ stroke: #4493f8 }} path.thousand {{ stroke: #ab7df8 }}
path.bare {{ stroke: #3fb950 }} .quota {{ stroke: #f0883e }} .limit {{ fill: #f0883e }}
}}
</style>
<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>
<text class="note" x="12" y="24">Events per second by concurrent sandboxes. TPNS answers in 50 ms, 256 MB.</text>"##
    )?;
    axes(out)?;
    for quota in quotas(Setup::DEFAULT) {
        if let Some((_, short)) = SHOWN.iter().find(|(name, _)| *name == quota.name) {
            limit(out, &quota, short)?;
        }
    }
    let curves = [
        Curve { name: "batch 10", class: "ten", setup: Setup::DEFAULT },
        Curve { name: "batch 100", class: "hundred", setup: Setup { batch: 100, ..Setup::DEFAULT } },
        Curve { name: "batch 1,000", class: "thousand", setup: Setup { batch: 1_000, ..Setup::DEFAULT } },
        Curve { name: "batch 10, no ledger", class: "bare", setup: Setup::DEFAULT.without_ledger() },
    ];
    for (place, curve) in curves.iter().enumerate() {
        let x = 12.0 + 145.0 * place as f64;
        writeln!(
            out,
            r#"<path class="{}" d="M{x:.0} 50h24"/><text x="{:.0}" y="55">{}</text>"#,
            curve.class,
            x + 30.0,
            curve.name
        )?;
        self::curve(out, curve)?;
    }
    writeln!(out, "</svg>")
}

fn axes(out: &mut String) -> std::fmt::Result {
    for power in ACROSS[0] as i32..=ACROSS[1] as i32 {
        let (x, number) = (across(f64::from(power)), count(10_f64.powi(power)));
        writeln!(out, r#"<path class="grid" d="M{x:.1} {TOP}V{:.1}"/>"#, HEIGHT - BOTTOM)?;
        let y = HEIGHT - BOTTOM + 20.0;
        writeln!(out, r#"<text class="note" x="{x:.1}" y="{y:.1}" text-anchor="middle">{number}</text>"#)?;
    }
    for power in UP[0] as i32..=UP[1] as i32 {
        let (y, number) = (up(f64::from(power)), count(10_f64.powi(power)));
        writeln!(out, r#"<path class="grid" d="M{LEFT} {y:.1}H{:.1}"/>"#, WIDTH - RIGHT)?;
        writeln!(
            out,
            r#"<text class="note" x="{:.1}" y="{:.1}" text-anchor="end">{number}</text>"#,
            LEFT - 8.0,
            y + 4.0
        )?;
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    writeln!(
        out,
        r#"<text class="note" x="{middle:.1}" y="{:.1}" text-anchor="middle">concurrent sandboxes</text>"#,
        HEIGHT - 12.0
    )?;
    writeln!(out, r#"<text class="note" x="12" y="{:.1}">events/s</text>"#, TOP - 14.0)
}

fn curve(out: &mut String, curve: &Curve) -> std::fmt::Result {
    let sandbox = curve.setup.sandbox().log10();
    // Both axes are logarithmic, so it is a straight line; it ends at the frame.
    let inside = |power: f64| power.clamp(UP[0], UP[1]);
    let [from, to] = [ACROSS[0], ACROSS[1]].map(|power| inside(power + sandbox));
    let [x, end] = [from, to].map(|power| across(power - sandbox));
    writeln!(out, r#"<path class="{}" d="M{x:.1} {:.1}L{end:.1} {:.1}"/>"#, curve.class, up(from), up(to))
}

fn limit(out: &mut String, quota: &Quota, short: &str) -> std::fmt::Result {
    let y = up(quota.reached_at.log10());
    writeln!(out, r#"<path class="quota" d="M{LEFT} {y:.1}H{:.1}"/>"#, WIDTH - RIGHT)?;
    // On the right, where no curve is.
    writeln!(
        out,
        r#"<text class="limit" x="{:.1}" y="{:.1}" text-anchor="end">{short}</text>"#,
        WIDTH - RIGHT - 6.0,
        y - 4.0
    )
}

fn across(power: f64) -> f64 {
    LEFT + (power - ACROSS[0]) / (ACROSS[1] - ACROSS[0]) * (WIDTH - LEFT - RIGHT)
}

fn up(power: f64) -> f64 {
    HEIGHT - BOTTOM - (power - UP[0]) / (UP[1] - UP[0]) * (HEIGHT - TOP - BOTTOM)
}

#[cfg(test)]
mod tests;
