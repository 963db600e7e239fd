//! The table: each fault of tpns-sim, and what it means for the events it hits.
//!
//! `full` rows stand for their class and meet every envelope at every place; the others meet a sample of them.

use tpns_sim::{Fault, FaultKind, RetCode};

use Meaning::{Again, Misconfigured, OfTheAppOrAnItem, Refused, Taken};

/// What a fault means for the events whose call or item it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing: TPNS took them.
    Taken,
    /// Not now. Reported as `retry` with this reason.
    Again(&'static str),
    /// Never. Reported as `rejected` with this reason; a call of several is halved down to those at fault.
    Refused(&'static str),
    /// Not before the operator has mended something. Reported as `misconfigured` with this reason; if the whole call
    /// was refused, so is every later one of the app.
    Misconfigured(&'static str),
    /// It may be the app or what is in the call. Alone with it, an event is reported as `misconfigured` with this reason; if
    /// others of the app are accepted, those that provoke it are rejected.
    OfTheAppOrAnItem(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) meaning: Meaning,
    /// Only calls of these operator_types.
    pub(crate) on: &'static [u8],
    /// Meets every envelope at every place.
    pub(crate) full: bool,
    /// Takes until the timeout.
    pub(crate) slow: bool,
    /// Nothing is bound beforehand: for answers that say so.
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

    /// The same fault, but the call took effect: only the answer went wrong.
    fn applied(self) -> Self {
        Self { fault: self.fault.apply(true), ..self }
    }

    /// Whether the fault leaves the other items of the call alone.
    pub(crate) fn is_about_items(&self) -> bool {
        matches!(self.fault.kind, FaultKind::ItemCode { .. })
    }

    /// Whether TPNS does not document what it is about: a status without a `ret_code`, or a code that account calls have not.
    pub(crate) fn may_be_about_all(&self) -> bool {
        const OF_ITEMS: [&str; 4] = ["tpns_invalid_token", "tpns_batch_error", "tpns_no_token", "tpns_bad_input"];
        let code = match &self.fault.kind {
            FaultKind::Status { body, .. } => body.as_deref().is_some_and(|body| body.contains("10080")),
            _ => true,
        };
        let Meaning::Refused(reason) = self.meaning else { return false };
        !(self.is_about_items() || code && OF_ITEMS.contains(&reason))
    }

    /// Whether the operation lands some time after the client gave up.
    pub(crate) fn lands_late(&self) -> bool {
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
        row("503",                            status(503),                                    Again("tpns_unavailable")).full(),
        row("503, applied",                   status(503),                                    Again("tpns_unavailable")).applied().full(),
        row("500",                            status(500),                                    Again("tpns_unavailable")),
        row("502 with a page",                json(502, "<html>Bad Gateway</html>"),          Again("tpns_unavailable")),
        row("504, applied",                   status(504),                                    Again("tpns_unavailable")).applied(),
        row("503, Retry-After: 0",            status(503).retry_after("0"),                   Again("tpns_unavailable")),
        row("503, Retry-After: a past date",  status(503).retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Again("tpns_unavailable")),
        row("503, Retry-After: nonsense",     status(503).retry_after("soon"),                Again("tpns_unavailable")),
        row("429, Retry-After: 0",            status(429).retry_after("0"),                   Again("tpns_throttled")),
        row("408",                            status(408),                                    Again("tpns_throttled")),
        row("200 and nothing",                status(200),                                    Again("tpns_broken_answer")),
        row("204, applied",                   status(204),                                    Again("tpns_broken_answer")).applied(),
        row("500 that says 0",                json(500, r#"{"ret_code":0,"result":["0","0","0"]}"#), Again("tpns_unavailable")),
        row("503 that says 1008028",          json(503, r#"{"ret_code":1008028}"#),           Again("tpns_throttled")),
        row("400",                            status(400),                                    Refused("tpns_bad_input")),
        row("413",                            status(413),                                    Refused("tpns_bad_input")),
        row("422 that says 1008001",          json(422, r#"{"ret_code":1008001}"#),           Refused("tpns_bad_input")),
        row("500 that says 1008007",          json(500, r#"{"ret_code":1008007}"#),           Refused("tpns_bad_input")),
        row("400 that says 0",                json(400, r#"{"ret_code":0}"#),                 Refused("tpns_bad_input")),
        row("403",                            status(403),                                    OfTheAppOrAnItem("tpns_auth_failed")).full(),
        row("403 that says 1008003",          json(403, r#"{"ret_code":1008003}"#),           Misconfigured("tpns_auth_failed")),
        row("401",                            status(401),                                    OfTheAppOrAnItem("tpns_auth_failed")),
        row("302",                            status(302),                                    OfTheAppOrAnItem("tpns_wrong_endpoint")),
        row("404",                            status(404),                                    OfTheAppOrAnItem("tpns_wrong_endpoint")),
    ]
}

#[rustfmt::skip]
fn codes() -> Vec<Row> {
    let code = Fault::ret_code;
    vec![
        row("0 without result, applied",      code(0).apply(true),        Taken),
        row("1008004",                        code(1_008_004),            Again("tpns_internal")).full(),
        row("1008004, applied",               code(1_008_004),            Again("tpns_internal")).applied(),
        row("1008028",                        code(1_008_028),            Again("tpns_throttled")),
        row("1008007",                        code(1_008_007),            Refused("tpns_bad_input")).full(),
        row("1008007, applied",               code(1_008_007),            Refused("tpns_bad_input")).applied(),
        row("1008001",                        code(1_008_001),            Refused("tpns_bad_input")),
        row("1008002",                        code(1_008_002),            Refused("tpns_bad_input")),
        row("1008006",                        code(1_008_006),            Refused("tpns_invalid_token")),
        row("1008029",                        code(1_008_029),            Refused("tpns_invalid_token")),
        row("1008026 without result",         code(1_008_026),            Refused("tpns_batch_error")),
        row("1008027 without result",         code(1_008_027),            Refused("tpns_batch_error")),
        row("1008019, of pushes",             code(1_008_019),            Refused("tpns_unexpected_code")),
        row("10010005, of pushes",            code(10_010_005),           Refused("tpns_unexpected_code")),
        row("1008005, undocumented",          code(1_008_005),            Refused("tpns_unknown_code")),
        row("-1",                             code(-1),                   Refused("tpns_unknown_code")),
        row("the greatest number",            code(i64::MAX),             Refused("tpns_unknown_code")),
        row("10110008, nothing bound",        code(10_110_008),           Taken).on(&[5, 3, 4]).blank(),
        row("10110008 to a login",            code(10_110_008),           Refused("tpns_no_token")).on(&[2]),
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
        row("item 1008006",                   item(1_008_006),            Refused("tpns_invalid_token")).full(),
        row("item 1008007",                   item(1_008_007),            Refused("tpns_bad_input")),
        row("item 1008029",                   item(1_008_029),            Refused("tpns_invalid_token")),
        row("item 1008004",                   item(1_008_004),            Again("tpns_internal")).full(),
        row("item 1008028",                   item(1_008_028),            Again("tpns_throttled")),
        row("item 10110008, nothing bound",   item(10_110_008),           Taken).on(&[5, 3, 4]).blank(),
        row("item 10110008 to a login",       item(10_110_008),           Refused("tpns_no_token")).on(&[2]),
        row("item 1008003",                   item(1_008_003),            Misconfigured("tpns_auth_failed")),
        row("item 1008005, undocumented",     item(1_008_005),            Refused("tpns_unknown_code")),
    ]
}

#[rustfmt::skip]
fn results() -> Vec<Row> {
    let length = |delta, ret_code| Fault::new(FaultKind::ResultLength { delta, ret_code: RetCode(ret_code) });
    let body = |text: &str| Fault::malformed().body(text);
    vec![
        row("one too few under 1008026",      length(-1, 1_008_026),      Refused("tpns_batch_error")).full(),
        row("the same, not applied",          length(-1, 1_008_026).apply(false), Refused("tpns_batch_error")),
        row("one too many under 1008026",     length(1, 1_008_026),       Refused("tpns_batch_error")),
        row("one too many under 1008027",     length(1, 1_008_027).apply(false), Refused("tpns_batch_error")),
        row("one too few under 0",            length(-1, 0),              Taken).full(),
        row("one too many under 0",           length(1, 0),               Taken),
        row("one too few under 1008007",      length(-1, 1_008_007),      Refused("tpns_bad_input")),
        row("one too many under 1008004",     length(1, 1_008_004),       Again("tpns_internal")),
        row("one too few under 1008003",      length(-1, 1_008_003),      Misconfigured("tpns_auth_failed")),
        row("one too many under 1008005",     length(1, 1_008_005).apply(false), Refused("tpns_unknown_code")),
        row("ok for 0",                       Fault::ok_words(),          Taken).full(),
        row("cut off",                        Fault::malformed(),         Again("tpns_broken_answer")).full(),
        row("cut off, applied",               Fault::malformed(),         Again("tpns_broken_answer")).applied(),
        row("a page",                         body("<html></html>"),      Again("tpns_broken_answer")),
        row("null",                           body("null"),               Again("tpns_broken_answer")),
        row("an array",                       body(r#"[0,"NO_ERROR",["0","0","0"]]"#), Again("tpns_broken_answer")),
        row("no ret_code",                    body(r#"{"result":["0","0","0"]}"#), Again("tpns_broken_answer")),
        row("ret_code in words",              body(r#"{"ret_code":"none"}"#), Again("tpns_broken_answer")),
        row("ret_code beyond 64 bits",        body(r#"{"ret_code":18446744073709551616}"#), Again("tpns_broken_answer")),
        row("deep nesting",                   body(&format!(r#"{{"ret_code":0,"result":{}"#, "[".repeat(100_000))), Again("tpns_broken_answer")),
        row("two megabytes",                  body(&format!(r#"{{"err_msg":"{}","ret_code":0}}"#, "x".repeat(2 << 20))), Again("tpns_broken_answer")),
        row("0 alone, applied",               body(r#"{"ret_code":0}"#),  Taken).applied(),
        row("result null, applied",           body(r#"{"ret_code":0,"result":null}"#), Taken).applied(),
        row("result as text, applied",        body(r#"{"ret_code":0,"result":"[0]"}"#), Taken).applied(),
        row("the query API's keys, applied",  body(r#"{"retCode":0,"errMsg":"ok","result":["0"]}"#), Taken).applied(),
    ]
}

#[rustfmt::skip]
fn connections() -> Vec<Row> {
    vec![
        row("reset",                          Fault::reset(),             Again("tpns_broken_answer")).full(),
        row("reset, applied",                 Fault::reset(),             Again("tpns_broken_answer")).applied(),
        row("truncated",                      Fault::truncated(),         Again("tpns_broken_answer")).full(),
        row("truncated, applied",             Fault::truncated(),         Again("tpns_broken_answer")).applied(),
        row("disconnected",                   Fault::disconnect(),        Again("tpns_broken_answer")).full(),
        row("disconnected, applied",          Fault::disconnect(),        Again("tpns_broken_answer")).applied(),
        row("delayed a little",               Fault::delay(10),           Taken),
        row("applied a little late",          Fault::late(10),            Taken),
    ]
}

#[rustfmt::skip]
fn waits() -> Vec<Row> {
    vec![
        row("hanging",                        Fault::hang(),              Again("tpns_timeout")).slow().full(),
        row("hanging, applied",               Fault::hang(),              Again("tpns_timeout")).slow().applied(),
        row("answered too late",              Fault::delay(60_000),       Again("tpns_timeout")).slow(),
        row("applied too late",               Fault::late(400),           Again("tpns_timeout")).slow(),
    ]
}

#[test]
fn the_table_has_every_kind_of_fault_that_tpns_sim_can_inject() {
    let rows = table();
    for name in FaultKind::NAMES {
        assert!(rows.iter().any(|row| row.fault.kind.name() == name), "{name}");
    }
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "each row has a name of its own");
}
