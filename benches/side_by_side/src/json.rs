//! `bench.json`: all figures, and which goals they reach.

use serde_json::{Value, json};

use crate::{
    contenders::Contender,
    cost,
    goals::{self, Goal},
    report::{PureModules, Report, Size, median, millis},
};

pub(crate) fn write(report: &Report) -> serde_json::Result<String> {
    let all = json!({
        "contenders": report.contenders.iter().map(|each| of_contender(report, *each)).collect::<Vec<Value>>(),
        "sizes": report.sizes.iter().map(of_size).collect::<Vec<Value>>(),
        "modules": report.modules.iter().map(of_modules).collect::<Vec<Value>>(),
        "goals": goals::all(report).iter().map(of_goal).collect::<Vec<Value>>(),
        "prices": cost::PRICES,
    });
    serde_json::to_string_pretty(&all).map(|json| json + "\n")
}

fn of_contender(report: &Report, contender: Contender) -> Value {
    json!({
        "name": contender.name(),
        "ready_ms": millis(report.ready(contender)),
        "first_answer_ms": millis(report.first_answer(contender)),
        "started_bytes": report.started_bytes(contender),
        "zipped_bytes": report.zipped.get(&contender),
        "batches": report.sizes.iter().filter_map(|size| of_batch(report, contender, size)).collect::<Vec<Value>>(),
    })
}

fn of_batch(report: &Report, contender: Contender, size: &Size) -> Option<Value> {
    let figures = report.figures(contender, size.messages)?;
    let cost = report.cost(contender, size.messages);
    Some(json!({
        "messages": size.messages,
        "wall_ms": millis(figures.wall),
        "cpu_ms": millis(figures.cpu),
        "peak_bytes": figures.peak_bytes,
        "calls": figures.calls,
        "redelivered": figures.redelivered,
        "dead_letters": figures.dead,
        "extrapolated": figures.extrapolated,
        "cost_of_a_million": cost.map(|cost| json!({ "dollars": cost.total(), "parts": cost })),
    }))
}

fn of_size(size: &Size) -> Value {
    json!({
        "messages": size.messages,
        "payload_bytes": size.payload_bytes,
        "fewest_calls": size.fewest_calls,
        "bare_call_ms": millis(median(&size.bare_call)),
        "empty_invocation_ms": millis(median(&size.empty)),
    })
}

fn of_modules((messages, modules): (&usize, &PureModules)) -> Value {
    json!({
        "messages": messages,
        "modules_ns": modules.modules,
        "value_ns": modules.value,
        "ignored_ns": modules.ignored,
    })
}

fn of_goal(goal: &Goal) -> Value {
    json!({ "what": goal.what, "goal": goal.goal, "measured": goal.measured, "hit": goal.hit })
}
