//! Reading an answer (facts.md, section 4), and what it says of each item of the call.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use contract::json::Object;

use super::{
    OperatorType,
    codes::{Signal, classify, is_about_items},
};
use crate::{
    outcome::{Failure, Reason},
    plan::Verdict,
};

/// An answer as HTTP brought it.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, read.
    pub retry_after: Option<Duration>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// What an answer says of a call's items.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement<Item = Verdict> {
    /// The same for all of them.
    Whole(Verdict),
    /// One for each, in the order of the request.
    Each(Vec<Item>),
}

/// What an answer says of one item.
pub trait Judged {
    /// Why TPNS did not do what it was asked to, if it did not.
    fn failure(&self) -> Option<&Failure>;
}

impl Judged for Verdict {
    fn failure(&self) -> Option<&Failure> {
        Self::failure(self)
    }
}

/// `{"ret_code":0,"err_msg":"NO_ERROR","result":["0"]}`; the query API writes `retCode`. Other keys are ignored.
#[derive(Debug, Deserialize)]
struct AnswerBody {
    #[serde(alias = "retCode")]
    ret_code: Code,
    #[serde(default)]
    result: Codes,
}

/// `result`: an array of codes as strings or numbers, or that array as a string, as other calls of TPNS have it.
/// Anything else, or nothing, says nothing of the items: then it is `None`.
#[derive(Debug, Default)]
pub(super) struct Codes(pub(super) Option<Vec<Signal>>);

/// Reads an answer to a call of `items` items.
///
/// A `ret_code` counts at any status, but acceptance only with a 2xx: an error page can't have applied anything.
#[must_use]
pub fn judge(answer: &HttpAnswer, operator_type: OperatorType, items: usize) -> Judgement {
    let by_status = Judgement::Whole(classify(Signal::Status(answer.status), operator_type));
    let judgement = match answer.read::<AnswerBody>().and_then(|body| body.judgement(operator_type, items)) {
        None => by_status,
        Some(judgement) if judgement.accepts_any() && !answer.is_success() => by_status,
        Some(judgement) => judgement,
    };
    judgement.retried_after(answer.retry_after)
}

/// Some gateways put it before a body.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl HttpAnswer {
    /// The body, if it is a JSON object that can be read as this.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        let body = self.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.body);
        serde_json::from_slice(body).ok().map(|Object(body)| body)
    }

    /// Whether TPNS can have done what it was asked to.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl AnswerBody {
    /// `None` if there is no `ret_code` that can be read.
    fn judgement(self, operator_type: OperatorType, items: usize) -> Option<Judgement> {
        let Code(Signal::Code(ret_code)) = self.ret_code else { return None };
        let whole = classify(Signal::Code(ret_code), operator_type);
        let Codes(Some(codes)) = self.result else { return Some(Judgement::Whole(whole)) };
        if !is_about_items(ret_code, &whole) {
            return Some(Judgement::Whole(whole));
        }
        let verdicts: Vec<_> = codes.into_iter().map(|code| classify(code, operator_type)).collect();
        if verdicts.len() == items {
            return Some(Judgement::Each(verdicts));
        }
        Some(of_another_length(&verdicts, whole, items))
    }
}

/// What a `result` of another length than the call's says: it is never read by index, and it is a success only if all
/// of it is.
fn of_another_length(verdicts: &[Verdict], whole: Verdict, items: usize) -> Judgement {
    let mut errors = verdicts.iter().filter(|verdict| **verdict != Verdict::Accepted);
    let Some(error) = errors.next() else { return Judgement::Whole(whole) };
    match (errors.all(|other| other == error), whole) {
        // There is only one item that they can mean.
        (true, _) if items == 1 => Judgement::Each(vec![error.clone()]),
        (false, Verdict::Accepted) if items == 1 => {
            Judgement::Whole(Verdict::Retry(Failure::of(Reason::TpnsBrokenAnswer), None))
        }
        // One of the items is at fault: rejected as a whole, the call is halved down to it.
        (_, Verdict::Accepted) => Judgement::Whole(Verdict::Rejected(Failure::of(Reason::TpnsBatchError))),
        (_, whole) => Judgement::Whole(whole),
    }
}

impl<Item: Judged> Judgement<Item> {
    /// Why not all of it was accepted: each reason once, none for success.
    #[must_use]
    pub fn failures(&self) -> Vec<Reason> {
        let (whole, each) = match self {
            Self::Whole(verdict) => (verdict.failure(), &[][..]),
            Self::Each(items) => (None, items.as_slice()),
        };
        let mut reasons = Vec::new();
        for failure in whole.into_iter().chain(each.iter().filter_map(Judged::failure)) {
            if !reasons.contains(&failure.reason) {
                reasons.push(failure.reason);
            }
        }
        reasons
    }
}

impl<Item> Judgement<Item> {
    /// Says how long to wait, where the whole call is to be retried.
    pub(super) fn retried_after(self, after: Option<Duration>) -> Self {
        match self {
            Self::Whole(Verdict::Retry(failure, _)) => Self::Whole(Verdict::Retry(failure, after)),
            other => other,
        }
    }
}

impl Judgement {
    fn accepts_any(&self) -> bool {
        match self {
            Self::Whole(verdict) => *verdict == Verdict::Accepted,
            Self::Each(verdicts) => verdicts.contains(&Verdict::Accepted),
        }
    }
}

/// `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(value: &str, now: std::time::SystemTime) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value.trim()).ok()?.duration_since(now).unwrap_or_default()),
    }
}

impl<'de> Deserialize<'de> for Codes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Codes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of codes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Codes, A::Error> {
                let mut codes = Vec::new();
                while let Some(Code(signal)) = seq.next_element()? {
                    codes.push(signal);
                }
                Ok(Codes(Some(codes)))
            }
            fn visit_unit<E>(self) -> Result<Codes, E> {
                Ok(Codes(None))
            }
            fn visit_str<E>(self, text: &str) -> Result<Codes, E> {
                let is_array = text.trim_start().starts_with('[');
                Ok(Codes(is_array.then(|| serde_json::from_str(text).ok()).flatten().and_then(|Codes(codes)| codes)))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Codes, E> {
                Ok(Codes(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Codes, E> {
                Ok(Codes(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Codes, E> {
                Ok(Codes(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Codes, E> {
                Ok(Codes(None))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Codes, A::Error> {
                de::IgnoredAny.visit_map(map).map(|_| Codes(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A code as a number or as text. Anything else is a word.
#[derive(Debug)]
pub(super) struct Code(pub(super) Signal);

/// A number that was written with a point, if it is a whole one and exact.
fn whole_number(number: f64) -> Signal {
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    // In this range the conversion loses nothing.
    if number.fract() == 0.0 && number.abs() < EXACT { Signal::Code(number as i64) } else { Signal::Word }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Code;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code")
            }
            fn visit_str<E>(self, text: &str) -> Result<Code, E> {
                Ok(Code(match text.trim() {
                    "ok" | "OK" | "NO_ERROR" => Signal::Code(0),
                    other => match other.parse() {
                        Ok(code) => Signal::Code(code),
                        Err(_) => other.parse().map_or(Signal::Word, whole_number),
                    },
                }))
            }
            fn visit_i64<E>(self, code: i64) -> Result<Code, E> {
                Ok(Code(Signal::Code(code)))
            }
            fn visit_u64<E>(self, code: u64) -> Result<Code, E> {
                Ok(Code(i64::try_from(code).map_or(Signal::Word, Signal::Code)))
            }
            fn visit_f64<E>(self, code: f64) -> Result<Code, E> {
                Ok(Code(whole_number(code)))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Code, E> {
                Ok(Code(Signal::Word))
            }
            fn visit_unit<E>(self) -> Result<Code, E> {
                Ok(Code(Signal::Word))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Code, A::Error> {
                de::IgnoredAny.visit_seq(seq).map(|_| Code(Signal::Word))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Code, A::Error> {
                de::IgnoredAny.visit_map(map).map(|_| Code(Signal::Word))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests;
