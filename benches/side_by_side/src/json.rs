//! The report as JSON.

use serde_json::{Value, json};

use crate::{
    contenders::Contender,
    cost, goals,
    report::{Report, Rooms, Size, median, millis},
};

impl Report {
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        let contender = |contender: Contender| {
            let batch = |size: &Size| {
                let figures = self.figures(contender, size.messages)?;
                let cost = self.cost(contender, size.messages);
                Some(json!({
                    "messages": size.messages,
                    "wall_ms": millis(figures.wall),
                    "cpu_ms": millis(figures.cpu),
                    "peak_bytes": figures.peak_bytes,
                    "calls": figures.calls,
                    "come_again": figures.redelivered,
                    "dead_letters": figures.dead,
                    "extrapolated": figures.extrapolated,
                    "cost_of_a_million": cost.map(|cost| json!({ "dollars": cost.total(), "parts": cost })),
                }))
            };
            json!({
                "name": contender.name(),
                "ready_ms": millis(self.ready(contender)),
                "first_answer_ms": millis(self.first_answer(contender)),
                "started_bytes": self.started_bytes(contender),
                "zipped_bytes": self.zipped.get(&contender),
                "batches": self.sizes.iter().filter_map(batch).collect::<Vec<_>>(),
            })
        };
        let size = |size: &Size| {
            json!({
                "messages": size.messages,
                "payload_bytes": size.payload_bytes,
                "fewest_calls": size.fewest_calls,
                "bare_call_ms": millis(median(&size.bare_call)),
                "empty_invocation_ms": millis(median(&size.empty)),
            })
        };
        let rooms = |(messages, rooms): (&usize, &Rooms)| json!({ "messages": messages, "rooms_ns": rooms.rooms, "value_ns": rooms.value, "ignored_ns": rooms.ignored });
        let goal = |goal: &goals::Goal| json!({ "what": goal.what, "goal": goal.goal, "measured": goal.measured, "hit": goal.hit });
        let all = json!({
            "contenders": Contender::ALL.map(contender),
            "sizes": self.sizes.iter().map(size).collect::<Vec<Value>>(),
            "rooms": self.rooms.iter().map(rooms).collect::<Vec<Value>>(),
            "goals": goals::all(self).iter().map(goal).collect::<Vec<Value>>(),
            "prices": cost::PRICES,
        });
        serde_json::to_string_pretty(&all).map(|json| json + "\n")
    }
}
