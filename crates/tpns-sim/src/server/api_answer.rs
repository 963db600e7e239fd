//! The answer of either API, and what each fault changes in it. Pure.

use axum::{body::Bytes, http::StatusCode};
use serde_json::Value;

use super::{
    connection::Ending,
    reply::{JSON, Reply, TEXT, Whole},
};
use crate::{
    calls::Received,
    codes::RetCode,
    fault::FaultKind,
    model::{Answer, QueryAnswer},
};

/// The answer of either API.
#[derive(Clone, Debug)]
pub(super) enum ApiAnswer {
    Operate(Answer),
    Query(QueryAnswer),
}

/// Answers cut off in the middle of a string, after a good beginning.
const MALFORMED: &str = r#"{"ret_code":0,"err_msg":"NO_ERR"#;
const MALFORMED_QUERY: &str = r#"{"retCode":0,"errMsg":"NO_ERR"#;

impl ApiAnswer {
    pub(super) fn answer(&self) -> &Answer {
        match self {
            Self::Operate(answer) => answer,
            Self::Query(query) => &query.answer,
        }
    }

    fn answer_mut(&mut self) -> &mut Answer {
        match self {
            Self::Operate(answer) => answer,
            Self::Query(query) => &mut query.answer,
        }
    }

    /// The answer without a fault.
    pub(super) fn into_reply(self, status: StatusCode) -> Reply {
        let body = self.to_bytes();
        let answer = self.answer();
        Reply::Whole(Whole {
            status,
            content_type: JSON,
            retry_after: None,
            hint: answer.hint.clone(),
            body,
            received: Received {
                status: Some(status.as_u16()),
                ret_code: Some(answer.ret_code),
                result: Some(answer.result.clone()),
            },
        })
    }

    /// The answer as changed by the fault. Item codes are already in the answer.
    pub(super) fn with_fault(mut self, kind: &FaultKind) -> Reply {
        match kind {
            FaultKind::ItemCode { .. } | FaultKind::Delay { .. } | FaultKind::Effect { .. } => {
                self.into_reply(StatusCode::OK)
            }
            FaultKind::Hang => Reply::Silence,
            FaultKind::Disconnect => Reply::HangUp,
            FaultKind::Reset => Reply::Cut(self.to_bytes(), Ending::Reset),
            FaultKind::Truncated => Reply::Cut(self.to_bytes(), Ending::Close),
            FaultKind::Malformed { body } => {
                let body = body.clone().unwrap_or_else(|| self.malformed().to_owned());
                free(StatusCode::OK, JSON, body)
            }
            FaultKind::Status { status, retry_after, body } => gateway(*status, retry_after.clone(), body.clone()),
            FaultKind::RetCode { ret_code, err_msg, result } => {
                let message = || ret_code.message().to_owned();
                let answer = Answer {
                    ret_code: *ret_code,
                    err_msg: err_msg.clone().unwrap_or_else(message),
                    result: result.clone().unwrap_or_default(),
                    hint: None,
                };
                self.replaced(answer).into_reply(StatusCode::OK)
            }
            FaultKind::ResultLength { delta, ret_code } => {
                let answer = self.answer_mut();
                let length = i64::try_from(answer.result.len()).unwrap_or(i64::MAX).saturating_add(*delta);
                // A fault must not be able to exhaust the memory.
                let length = usize::try_from(length).unwrap_or(0).min(100_000);
                answer.result.resize(length, "0".to_owned());
                answer.ret_code = *ret_code;
                answer.err_msg = ret_code.message().to_owned();
                self.into_reply(StatusCode::OK)
            }
            FaultKind::OkWords => {
                let answer = self.answer_mut();
                for code in answer.result.iter_mut().filter(|code| *code == "0") {
                    "ok".clone_into(code);
                }
                if answer.ret_code == RetCode::NO_ERROR {
                    "ok".clone_into(&mut answer.err_msg);
                }
                self.into_reply(StatusCode::OK)
            }
        }
    }

    fn malformed(&self) -> &'static str {
        match self {
            Self::Operate(_) => MALFORMED,
            Self::Query(_) => MALFORMED_QUERY,
        }
    }

    fn replaced(self, answer: Answer) -> Self {
        match self {
            Self::Operate(_) => Self::Operate(answer),
            Self::Query(_) => Self::Query(QueryAnswer::of(answer, None)),
        }
    }

    fn to_bytes(&self) -> Bytes {
        let json = match self {
            Self::Operate(answer) => serde_json::to_vec(answer),
            Self::Query(answer) => serde_json::to_vec(answer),
        };
        // Strings and integers under string keys can always be serialised.
        json.map(Bytes::from).unwrap_or_default()
    }
}

fn gateway(status: u16, retry_after: Option<String>, body: Option<String>) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = body.unwrap_or_default();
    let json: Option<Value> = serde_json::from_str(&body).ok();
    let mut reply = free(status, if json.is_some() { JSON } else { TEXT }, body);
    if let Reply::Whole(whole) = &mut reply {
        whole.retry_after = retry_after;
        let code = json.and_then(|json| json.get("ret_code").or(json.get("retCode"))?.as_i64());
        whole.received.ret_code = code.map(RetCode);
    }
    reply
}

fn free(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Reply::text(status, body);
    if let Reply::Whole(whole) = &mut reply {
        whole.content_type = content_type;
    }
    reply
}
