//! The codes that TPNS documents, with its own words (facts.md, section 4). The one table of codes: what a code means,
//! docs/tpns/codes.md and the tests come from it. Codes are written without underscores, so that they can be searched
//! for.

use crate::outcome::Reason;

/// What a documented code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is done.
    Accepted,
    /// It may be accepted later.
    Retry(Reason),
    /// It is never accepted.
    Rejected(Reason),
    /// Not until the operator corrects the app.
    Misconfigured(Reason),
    /// TPNS does not know the token, so nothing is bound to it.
    InvalidToken,
    /// TPNS knows neither the token nor the account: what is to be unbound is not bound.
    NothingBound,
}

use Meaning::{Accepted, InvalidToken, Misconfigured, NothingBound, Rejected, Retry};

/// Documented for uploads, certificates, pushes and statistics, never for account calls.
const OF_OTHER_CALLS: Meaning = Rejected(Reason::TpnsUnexpectedCode);

/// Each code, TPNS's words, and what it means. 1008026 and 1008027 are met only when `result` can't say which items
/// failed, down to a single one.
pub(super) const CODES: [(i64, &str, Meaning); 31] = [
    (0, "NO_ERROR", Accepted),
    (1008001, "parameter parse error", Rejected(Reason::TpnsBadInput)),
    (1008002, "missing parameter", Rejected(Reason::TpnsBadInput)),
    (1008003, "auth failure", Misconfigured(Reason::TpnsAuthFailed)),
    (1008004, "invoke service error", Retry(Reason::TpnsInternal)),
    (1008006, "invalid token", InvalidToken),
    (1008007, "invalid parameter", Rejected(Reason::TpnsBadInput)),
    (1008011, "upload file error", OF_OTHER_CALLS),
    (1008012, "upload empty file", OF_OTHER_CALLS),
    (1008013, "parse certificate error", OF_OTHER_CALLS),
    (1008015, "push id not exist", OF_OTHER_CALLS),
    (1008016, "date param format error", OF_OTHER_CALLS),
    (1008019, "content may be evil", OF_OTHER_CALLS),
    (1008020, "cert bundleId check failed", OF_OTHER_CALLS),
    (1008021, "not correct p12 file", OF_OTHER_CALLS),
    (1008022, "p12 password is not correct", OF_OTHER_CALLS),
    (1008023, "ios push cert was expired", OF_OTHER_CALLS),
    (1008025, "create app, platform exist", OF_OTHER_CALLS),
    (1008026, "batch op, partly error", Rejected(Reason::TpnsBatchError)),
    (1008027, "batch op, total error", Rejected(Reason::TpnsBatchError)),
    (1008028, "request too fast", Retry(Reason::TpnsThrottled)),
    (1008029, "token is not valid", InvalidToken),
    (1008030, "app not paid", Misconfigured(Reason::TpnsNotPaid)),
    (1008031, "app was expired", Misconfigured(Reason::TpnsNotPaid)),
    (1008035, "accessId is not correct or domain not correct", Misconfigured(Reason::TpnsWrongRegionOrAccessId)),
    (1010001, "resources not deployed", Misconfigured(Reason::TpnsNotPaid)),
    (10010005, "internal error (push)", OF_OTHER_CALLS),
    (10010012, "illegal push time", OF_OTHER_CALLS),
    (10010018, "push repeat", OF_OTHER_CALLS),
    (10030002, "AccessID and AccessKey do not match", Misconfigured(Reason::TpnsAuthFailed)),
    (10110008, "no token, no account", NothingBound),
];

/// What the code means; `None` if TPNS does not document it.
pub(super) fn meaning(code: i64) -> Option<Meaning> {
    CODES.iter().find_map(|&(own, _, meaning)| (own == code).then_some(meaning))
}
