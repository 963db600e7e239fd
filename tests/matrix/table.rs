//! The table: each fault of tpns-sim, and what it means for the events it hits.
//!
//! `full` rows represent their class and are run in every envelope at every place; the others are sampled.

use tpns_sim::{Fault, FaultKind, RetCode};

use Meaning::{Accepted, AppOrItem, Misconfigured, Rejected, Retried};

/// Change a fault means for the events whose call or item it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing: TPNS accepted them.
    Accepted,
    /// A transient failure: reported as `retry` with this reason.
    Retried(&'static str),
    /// A final one: reported as `rejected` with this reason; a call of several items is halved to find those at fault.
    Rejected(&'static str),
    /// The operator has to fix something: reported as `misconfigured` with this reason; if the whole call was refused,
    /// later calls of the app are not sent and reported in the same way.
    Misconfigured(&'static str),
    /// Either the app or an item of the call is at fault. A single event is reported as `misconfigured` with this
    /// reason; if other calls of the app are accepted, the events at fault are rejected.
    AppOrItem(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) meaning: Meaning,
    /// The operator_types of the calls it applies to.
    pub(crate) on: &'static [u8],
    /// Whether it is run in every envelope at every place.
    pub(crate) full: bool,
    /// Whether it takes until the timeout.
    pub(crate) slow: bool,
    /// Whether nothing is bound beforehand, for answers that say so.
    pub(crate) blank: bool,
}

impl Row {
    fn full(self) -> Self {
        Self { full: true, ..self }
    }

    fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    fn on(self, on: &'static [u8]) -> Self {
        Self { on, ..self }
    }

    fn blank(self) -> Self {
        Self { blank: true, ..self }
    }

    /// The same fault, but the call takes effect: only the answer is faulty.
    fn applied(self) -> Self {
        Self { fault: self.fault.apply(true), ..self }
    }

    /// Whether the fault does not affect the other items of the call.
    pub(crate) fn is_about_items(&self) -> bool {
        matches!(self.fault.kind, FaultKind::ItemCode { .. })
    }

    /// Whether TPNS does not document what is at fault: a status without a `ret_code`, or a code not documented for
    /// account calls.
    pub(crate) fn may_be_about_all(&self) -> bool {
        const OF_ITEMS: [&str; 4] = ["tpns_invalid_token", "tpns_batch_error", "tpns_no_token", "tpns_bad_input"];
        let code = match &self.fault.kind {
            FaultKind::Status { body, .. } => body.as_deref().is_some_and(|body| body.contains("10080")),
            _ => true,
        };
        let Meaning::Rejected(reason) = self.meaning else { return false };
        !(self.is_about_items() || code && OF_ITEMS.contains(&reason))
    }

    /// Whether the operation takes effect after the client gave up.
    pub(crate) fn takes_effect_late(&self) -> bool {
        matches!(self.fault.kind, FaultKind::Delay { late: true, .. })
    }
}

fn row(name: &'static str, fault: Fault, meaning: Meaning) -> Row {
    Row { name, fault, meaning, on: &[5, 2, 3, 4], full: false, slow: false, blank: false }
}

pub(crate) fn table() -> Vec<Row> {
    [statuses(), codes(), item_codes(), results(), connections(), waits()].concat()
}

#[rustfmt::skip]
fn statuses() -> Vec<Row> {
    let status = Fault::status;
    let json = |code, body: &str| Fault::status(code).body(body);
    vec![
        row("503",                            status(503),                                    Retried("tpns_unavailable")).full(),
        row("503, applied",                   status(503),                                    Retried("tpns_unavailable")).applied().full(),
        row("500",                            status(500),                                    Retried("tpns_unavailable")),
        row("502 with a page",                json(502, "<html>Bad Gateway</html>"),          Retried("tpns_unavailable")),
        row("504, applied",                   status(504),                                    Retried("tpns_unavailable")).applied(),
        row("503, Retry-After: 0",            status(503).retry_after("0"),                   Retried("tpns_unavailable")),
        row("503, Retry-After: a past date",  status(503).retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Retried("tpns_unavailable")),
        row("503, Retry-After: nonsense",     status(503).retry_after("soon"),                Retried("tpns_unavailable")),
        row("429, Retry-After: 0",            status(429).retry_after("0"),                   Retried("tpns_throttled")),
        row("408",                            status(408),                                    Retried("tpns_throttled")),
        row("200 and nothing",                status(200),                                    Retried("tpns_broken_answer")),
        row("204, applied",                   status(204),                                    Retried("tpns_broken_answer")).applied(),
        row("500 that says 0",                json(500, r#"{"ret_code":0,"result":["0","0","0"]}"#), Retried("tpns_unavailable")),
        row("503 that says 1008028",          json(503, r#"{"ret_code":1008028}"#),           Retried("tpns_throttled")),
        row("400",                            status(400),                                    Rejected("tpns_bad_input")),
        row("413",                            status(413),                                    Rejected("tpns_bad_input")),
        row("422 that says 1008001",          json(422, r#"{"ret_code":1008001}"#),           Rejected("tpns_bad_input")),
        row("500 that says 1008007",          json(500, r#"{"ret_code":1008007}"#),           Rejected("tpns_bad_input")),
        row("400 that says 0",                json(400, r#"{"ret_code":0}"#),                 Rejected("tpns_bad_input")),
        row("403",                            status(403),                                    AppOrItem("tpns_auth_failed")).full(),
        row("403 that says 1008003",          json(403, r#"{"ret_code":1008003}"#),           Misconfigured("tpns_auth_failed")),
        row("401",                            status(401),                                    AppOrItem("tpns_auth_failed")),
        row("302",                            status(302),                                    AppOrItem("tpns_wrong_endpoint")),
        row("404",                            status(404),                                    AppOrItem("tpns_wrong_endpoint")),
    ]
}

#[rustfmt::skip]
fn codes() -> Vec<Row> {
    let code = Fault::ret_code;
    vec![
        row("0 without result, applied",      code(0).apply(true),        Accepted),
        row("1008004",                        code(1_008_004),            Retried("tpns_internal")).full(),
        row("1008004, applied",               code(1_008_004),            Retried("tpns_internal")).applied(),
        row("1008028",                        code(1_008_028),            Retried("tpns_throttled")),
        row("1008007",                        code(1_008_007),            Rejected("tpns_bad_input")).full(),
        row("1008007, applied",               code(1_008_007),            Rejected("tpns_bad_input")).applied(),
        row("1008001",                        code(1_008_001),            Rejected("tpns_bad_input")),
        row("1008002",                        code(1_008_002),            Rejected("tpns_bad_input")),
        row("1008006",                        code(1_008_006),            Rejected("tpns_invalid_token")),
        row("1008029",                        code(1_008_029),            Rejected("tpns_invalid_token")),
        row("1008026 without result",         code(1_008_026),            Rejected("tpns_batch_error")),
        row("1008027 without result",         code(1_008_027),            Rejected("tpns_batch_error")),
        row("1008019, of pushes",             code(1_008_019),            Rejected("tpns_unexpected_code")),
        row("10010005, of pushes",            code(10_010_005),           Rejected("tpns_unexpected_code")),
        row("1008005, undocumented",          code(1_008_005),            Rejected("tpns_unknown_code")),
        row("-1",                             code(-1),                   Rejected("tpns_unknown_code")),
        row("the greatest number",            code(i64::MAX),             Rejected("tpns_unknown_code")),
        row("10110008, nothing bound",        code(10_110_008),           Accepted).on(&[5, 3, 4]).blank(),
        row("10110008 to a login",            code(10_110_008),           Rejected("tpns_no_token")).on(&[2]),
        row("1008003",                        code(1_008_003),            Misconfigured("tpns_auth_failed")).full(),
        row("1008003, applied",               code(1_008_003),            Misconfigured("tpns_auth_failed")).applied(),
        row("10030002",                       code(10_030_002),           Misconfigured("tpns_auth_failed")),
        row("1008035",                        code(1_008_035),            Misconfigured("tpns_wrong_region_or_access_id")),
        row("1008030",                        code(1_008_030),            Misconfigured("tpns_not_paid")),
        row("1008031",                        code(1_008_031),            Misconfigured("tpns_not_paid")),
        row("1010001",                        code(1_010_001),            Misconfigured("tpns_not_paid")),
    ]
}

#[rustfmt::skip]
fn item_codes() -> Vec<Row> {
    let item = Fault::item_code;
    vec![
        row("item 1008006",                   item(1_008_006),            Rejected("tpns_invalid_token")).full(),
        row("item 1008007",                   item(1_008_007),            Rejected("tpns_bad_input")),
        row("item 1008029",                   item(1_008_029),            Rejected("tpns_invalid_token")),
        row("item 1008004",                   item(1_008_004),            Retried("tpns_internal")).full(),
        row("item 1008028",                   item(1_008_028),            Retried("tpns_throttled")),
        row("item 10110008, nothing bound",   item(10_110_008),           Accepted).on(&[5, 3, 4]).blank(),
        row("item 10110008 to a login",       item(10_110_008),           Rejected("tpns_no_token")).on(&[2]),
        row("item 1008003",                   item(1_008_003),            Misconfigured("tpns_auth_failed")),
        row("item 1008005, undocumented",     item(1_008_005),            Rejected("tpns_unknown_code")),
    ]
}

#[rustfmt::skip]
fn results() -> Vec<Row> {
    let length = |delta, ret_code| Fault::new(FaultKind::ResultLength { delta, ret_code: RetCode(ret_code) });
    let body = |text: &str| Fault::malformed().body(text);
    vec![
        row("one too few under 1008026",      length(-1, 1_008_026),      Rejected("tpns_batch_error")).full(),
        row("the same, not applied",          length(-1, 1_008_026).apply(false), Rejected("tpns_batch_error")),
        row("one too many under 1008026",     length(1, 1_008_026),       Rejected("tpns_batch_error")),
        row("one too many under 1008027",     length(1, 1_008_027).apply(false), Rejected("tpns_batch_error")),
        row("one too few under 0",            length(-1, 0),              Accepted).full(),
        row("one too many under 0",           length(1, 0),               Accepted),
        row("one too few under 1008007",      length(-1, 1_008_007),      Rejected("tpns_bad_input")),
        row("one too many under 1008004",     length(1, 1_008_004),       Retried("tpns_internal")),
        row("one too few under 1008003",      length(-1, 1_008_003),      Misconfigured("tpns_auth_failed")),
        row("one too many under 1008005",     length(1, 1_008_005).apply(false), Rejected("tpns_unknown_code")),
        row("ok for 0",                       Fault::ok_words(),          Accepted).full(),
        row("cut off",                        Fault::malformed(),         Retried("tpns_broken_answer")).full(),
        row("cut off, applied",               Fault::malformed(),         Retried("tpns_broken_answer")).applied(),
        row("a page",                         body("<html></html>"),      Retried("tpns_broken_answer")),
        row("null",                           body("null"),               Retried("tpns_broken_answer")),
        row("an array",                       body(r#"[0,"NO_ERROR",["0","0","0"]]"#), Retried("tpns_broken_answer")),
        row("no ret_code",                    body(r#"{"result":["0","0","0"]}"#), Retried("tpns_broken_answer")),
        row("ret_code in words",              body(r#"{"ret_code":"none"}"#), Retried("tpns_broken_answer")),
        row("ret_code beyond 64 bits",        body(r#"{"ret_code":18446744073709551616}"#), Retried("tpns_broken_answer")),
        row("deep nesting",                   body(&format!(r#"{{"ret_code":0,"result":{}"#, "[".repeat(100_000))), Retried("tpns_broken_answer")),
        row("two megabytes",                  body(&format!(r#"{{"err_msg":"{}","ret_code":0}}"#, "x".repeat(2 << 20))), Retried("tpns_broken_answer")),
        row("0 alone, applied",               body(r#"{"ret_code":0}"#),  Accepted).applied(),
        row("result null, applied",           body(r#"{"ret_code":0,"result":null}"#), Accepted).applied(),
        row("result as text, applied",        body(r#"{"ret_code":0,"result":"[0]"}"#), Accepted).applied(),
        row("the query API's keys, applied",  body(r#"{"retCode":0,"errMsg":"ok","result":["0"]}"#), Accepted).applied(),
    ]
}

#[rustfmt::skip]
fn connections() -> Vec<Row> {
    vec![
        row("reset",                          Fault::reset(),             Retried("tpns_broken_answer")).full(),
        row("reset, applied",                 Fault::reset(),             Retried("tpns_broken_answer")).applied(),
        row("truncated",                      Fault::truncated(),         Retried("tpns_broken_answer")).full(),
        row("truncated, applied",             Fault::truncated(),         Retried("tpns_broken_answer")).applied(),
        row("disconnected",                   Fault::disconnect(),        Retried("tpns_broken_answer")).full(),
        row("disconnected, applied",          Fault::disconnect(),        Retried("tpns_broken_answer")).applied(),
        row("delayed a little",               Fault::delay(10),           Accepted),
        row("applied a little late",          Fault::late(10),            Accepted),
    ]
}

#[rustfmt::skip]
fn waits() -> Vec<Row> {
    vec![
        row("hanging",                        Fault::hang(),              Retried("tpns_timeout")).slow().full(),
        row("hanging, applied",               Fault::hang(),              Retried("tpns_timeout")).slow().applied(),
        row("answered too late",              Fault::delay(60_000),       Retried("tpns_timeout")).slow(),
        row("applied too late",               Fault::late(400),           Retried("tpns_timeout")).slow(),
    ]
}

#[test]
fn the_table_has_every_kind_of_fault_of_tpns_sim() {
    let rows = table();
    // What TPNS does after it has accepted a call shows in no answer.
    for name in FaultKind::NAMES.iter().filter(|name| **name != "effect") {
        assert!(rows.iter().any(|row| row.fault.kind.name() == *name), "{name}");
    }
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "each row has a name of its own");
}
