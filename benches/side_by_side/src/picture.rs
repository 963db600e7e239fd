//! The picture for the docs: bars of ratios, on a logarithmic scale, in light and in dark.

use std::fmt::Write;

use crate::{
    contenders::Contender,
    report::{Report, millis},
    table::{dollars, times},
};

const WIDTH: f64 = 860.0;
const LABELS: f64 = 170.0;
const BARS: f64 = WIDTH - LABELS - 170.0;
const BAR: f64 = 20.0;
const PANEL: f64 = 34.0;

struct Panel {
    title: &'static str,
    unit: &'static str,
    bars: Vec<(Contender, f64)>,
    /// A remark after some bars.
    remarks: Vec<(Contender, String)>,
}

pub(crate) fn svg(report: &Report) -> String {
    let panels = panels(report);
    let height: f64 = 30.0 + panels.iter().map(|panel| PANEL + BAR * panel.bars.len() as f64).sum::<f64>() + 10.0;
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = draw(&mut out, &panels, height);
    out
}

fn panels(report: &Report) -> Vec<Panel> {
    let each = |of: &dyn Fn(Contender) -> Option<f64>| {
        report.applying().filter_map(|contender| of(contender).map(|value| (contender, value))).collect()
    };
    let figures = |contender| report.figures(contender, 1_000);
    vec![
        Panel {
            title: "Process start to ready for the first event",
            unit: "ms",
            bars: each(&|contender| Some(millis(report.ready(contender)))),
            remarks: Vec::new(),
        },
        Panel {
            title: "A warm batch of 1,000 messages, TPNS answering after 20 ms",
            unit: "ms",
            bars: each(&|contender| figures(contender).map(|figures| millis(figures.wall))),
            remarks: (report.applying())
                .filter_map(|contender| Some((contender, figures(contender)?.redelivered)))
                .filter(|(_, failed)| *failed > 0)
                .map(|(contender, failed)| (contender, format!(" · {failed} failed")))
                .collect(),
        },
        Panel {
            title: "CPU time of it",
            unit: "ms",
            bars: each(&|contender| figures(contender).map(|figures| millis(figures.cpu))),
            remarks: Vec::new(),
        },
        Panel {
            title: "Peak memory of it",
            unit: "MiB",
            bars: each(&|contender| figures(contender)?.peak_bytes.map(crate::report::mebibytes)),
            remarks: Vec::new(),
        },
        Panel {
            title: "Calls to TPNS",
            unit: "",
            bars: each(&|contender| figures(contender).map(|figures| figures.calls as f64)),
            remarks: Vec::new(),
        },
        Panel {
            title: "Lambda's price of a million events in batches of 10",
            unit: "$",
            bars: each(&|contender| report.cost(contender, 10).map(|cost| cost.lambda)),
            remarks: Vec::new(),
        },
    ]
}

fn draw(out: &mut String, panels: &[Panel], height: f64) -> std::fmt::Result {
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="The function compared with Rust by hand, and with Python and Node.js with Powertools: the figures are in docs/bench.md">
<!-- Made by `make bench`. -->
<style>
text {{ font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }}
.title {{ font-weight: 600 }} .note {{ fill: #59636e }} .ground {{ fill: #ffffff }} .own {{ fill: #1a7f37 }} .other {{ fill: #8c959f }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc }} .note {{ fill: #9198a1 }} .ground {{ fill: #0d1117 }} .own {{ fill: #3fb950 }} .other {{ fill: #656c76 }}
}}
</style>
<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>
<text class="note" x="12" y="22">Shorter is better. Bars are on a logarithmic scale; “x” is the ratio to ours.</text>"##
    )?;
    let mut top = 30.0;
    for panel in panels {
        top = panel.draw(out, top)?;
    }
    writeln!(out, "</svg>")
}

impl Panel {
    fn draw(&self, out: &mut String, top: f64) -> Result<f64, std::fmt::Error> {
        writeln!(out, r#"<text class="title" x="12" y="{}">{}</text>"#, top + 22.0, self.title)?;
        let least = self.bars.iter().map(|bar| bar.1).fold(f64::INFINITY, f64::min);
        let most = self.bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
        let ours = self.bars.first().map_or(1.0, |bar| bar.1);
        for (index, (contender, value)) in self.bars.iter().enumerate() {
            let y = top + PANEL + BAR * index as f64;
            // The shortest bar is a tenth of the longest one's width.
            let share = if most > least { 0.1 + 0.9 * (value / least).ln() / (most / least).ln() } else { 1.0 };
            let class = if contender.is_own() { "own" } else { "other" };
            let (width, middle) = (BARS * share, y + 11.0);
            writeln!(out, r#"<text x="{}" y="{middle}" text-anchor="end">{}</text>"#, LABELS - 8.0, contender.name())?;
            writeln!(out, r#"<rect class="{class}" x="{LABELS}" y="{y}" width="{width:.1}" height="14" rx="2"/>"#)?;
            let ratio = if index == 0 { String::new() } else { format!("\u{a0}· {}", times(value / ours)) };
            let remark = self.remarks.iter().find(|(whose, _)| whose == contender).map_or("", |(_, remark)| remark);
            let (x, figure) = (LABELS + width + 6.0, self.figure(*value));
            writeln!(
                out,
                r#"<text x="{x:.1}" y="{middle}">{figure}<tspan class="note">{ratio}{remark}</tspan></text>"#
            )?;
        }
        Ok(top + PANEL + BAR * self.bars.len() as f64)
    }

    fn figure(&self, value: f64) -> String {
        match self.unit {
            "" => format!("{value:.0}"),
            "$" => format!("${}", dollars(value)),
            "ms" if value >= 10_000.0 => format!("{:.1} s", value / 1e3),
            unit if value < 10.0 => format!("{value:.1} {unit}"),
            unit => format!("{value:.0} {unit}"),
        }
    }
}
