//! Reading an answer (facts.md, section 4), and what it says of each item of the call.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use super::codes::{Signal, Verdict, Why, classify};
use crate::{json::Object, plan::OperatorType};

/// What one HTTP exchange brought.
#[derive(Debug)]
pub struct Exchange {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, read.
    pub retry_after: Option<Duration>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// What an answer says of a call's items.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The same for all of them.
    Whole(Verdict),
    /// Of each its own, in the order of the request.
    Each(Vec<Verdict>),
}

/// `{"ret_code":0,"err_msg":"NO_ERROR","result":["0"]}`; the query API writes `retCode`. Other keys are ignored.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(alias = "retCode")]
    ret_code: i64,
    #[serde(default)]
    result: Codes,
}

/// `result`: an array of codes as strings or numbers. Other calls of TPNS give it as a string, or not at all; then it
/// is `None`, for it says nothing of the items.
#[derive(Debug, Default)]
struct Codes(Option<Vec<Signal>>);

/// Reads an answer to a call of `items` items.
///
/// A `ret_code` counts at any status, but acceptance only with a 2xx: an error page can't have applied anything.
#[must_use]
pub fn judge(exchange: &Exchange, operator_type: OperatorType, items: usize) -> Judgement {
    let by_status = Judgement::Whole(classify(Signal::Status(exchange.status), operator_type));
    let judgement = match serde_json::from_slice::<Object<Answer>>(&exchange.body) {
        Err(_) => by_status,
        Ok(Object(answer)) => match answer.judgement(operator_type, items) {
            told if told.accepts_any() && !(200..300).contains(&exchange.status) => by_status,
            told => told,
        },
    };
    match judgement {
        Judgement::Whole(Verdict::Retry(why, _)) => Judgement::Whole(Verdict::Retry(why, exchange.retry_after)),
        other => other,
    }
}

impl Answer {
    fn judgement(self, operator_type: OperatorType, items: usize) -> Judgement {
        match self.result {
            Codes(Some(codes)) if codes.len() == items && tells_items(self.ret_code) => {
                Judgement::Each(codes.into_iter().map(|code| classify(code, operator_type)).collect())
            }
            // With 0 and a `result` of another length the call was taken as a whole; with a failure nothing is guessed
            // by index.
            _ => Judgement::Whole(classify(Signal::Code(self.ret_code), operator_type)),
        }
    }
}

impl Judgement {
    /// Why not all of it was accepted: each reason once, none for success.
    #[must_use]
    pub fn failures(&self) -> Vec<&'static str> {
        let verdicts = match self {
            Self::Whole(verdict) => std::slice::from_ref(verdict),
            Self::Each(verdicts) => verdicts,
        };
        let mut reasons = Vec::new();
        for why in verdicts.iter().filter_map(Verdict::why) {
            if !reasons.contains(&why.reason) {
                reasons.push(why.reason);
            }
        }
        reasons
    }

    fn accepts_any(&self) -> bool {
        match self {
            Self::Whole(verdict) => *verdict == Verdict::Accepted,
            Self::Each(verdicts) => verdicts.contains(&Verdict::Accepted),
        }
    }
}

/// Whether `result` speaks of the items under this `ret_code`: success, partly failed, all failed. Under any other code
/// the call failed before its items were looked at.
fn tells_items(ret_code: i64) -> bool {
    matches!(ret_code, 0 | 1_008_026 | 1_008_027)
}

/// `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(value: &str, now: std::time::SystemTime) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value.trim()).ok()?.duration_since(now).unwrap_or_default()),
    }
}

/// The reason of an item that was not sent, since what it waits for did not come about.
pub(super) const HELD: Why = Why::of("waits_for_another_call");

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
            fn visit_str<E>(self, _: &str) -> Result<Codes, E> {
                Ok(Codes(None))
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

struct Code(Signal);

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
                    other => other.parse().map_or(Signal::Word, Signal::Code),
                }))
            }
            fn visit_i64<E>(self, code: i64) -> Result<Code, E> {
                Ok(Code(Signal::Code(code)))
            }
            fn visit_u64<E>(self, code: u64) -> Result<Code, E> {
                Ok(Code(i64::try_from(code).map_or(Signal::Word, Signal::Code)))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Code, E> {
                Ok(Code(Signal::Word))
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
