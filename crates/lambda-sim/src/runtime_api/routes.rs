//! The Runtime API's four paths (Lambda developer guide, "Using the Lambda runtime API for custom runtimes").

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
};

use super::{
    Answer, ErrorReport, MAX_PAYLOAD_LEN, Offer, Violation,
    exchange::{Exchange, check_json},
};

const PREFIX: &str = "/2018-06-01/runtime/";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

type Reply = Response<Full<Bytes>>;

pub(super) async fn handle(exchange: Arc<Exchange>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let segments: Vec<&str> = path.strip_prefix(PREFIX).map(|rest| rest.split('/').collect()).unwrap_or_default();
    let header = || parts.headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    let reply = match (&parts.method, segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(&exchange).await,
        (&Method::POST, ["invocation", id, "response"]) => response(&exchange, id, body).await,
        (&Method::POST, ["invocation", id, "error"]) => error(&exchange, id, header(), body).await,
        (&Method::POST, ["init", "error"]) => init_error(&exchange, header(), body).await,
        (method, _) => Err(exchange.unknown_path(method.as_str(), path)),
    };
    Ok(reply.unwrap_or_else(|violation| refusal(&violation)))
}

async fn next(exchange: &Exchange) -> Result<Reply, Violation> {
    let offer = exchange.next()?;
    // The sender lives in the exchange until it passes an invocation, so this fails only while the whole API stops.
    let Ok(offer) = offer.await else {
        return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()));
    };
    Ok(invocation(offer))
}

fn invocation(offer: Offer) -> Reply {
    let mut reply = plain(StatusCode::OK, offer.payload);
    let headers = reply.headers_mut();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", &offer.request_id),
        ("lambda-runtime-invoked-function-arn", &offer.function_arn),
        ("lambda-runtime-trace-id", &offer.trace_id),
    ] {
        // All of them fit into a header.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(offer.deadline.as_millis()));
    reply
}

async fn response(exchange: &Exchange, id: &str, body: Incoming) -> Result<Reply, Violation> {
    exchange.expects(id)?;
    let request_id = id.to_owned();
    let body = match read(body).await {
        Ok(body) => body,
        Err(Unread::TooLarge(bytes)) => {
            return Err(exchange.refuse(id, Violation::ResponseTooLarge { request_id, bytes }));
        }
        Err(Unread::Truncated) => return Err(exchange.refuse(id, Violation::TruncatedResponse { request_id })),
    };
    if let Err(error) = check_json(&body) {
        return Err(exchange.refuse(id, Violation::InvalidJson { request_id, error: error.to_string() }));
    }
    exchange.settle(id, Answer::Response(body))?;
    Ok(accepted())
}

async fn error(exchange: &Exchange, id: &str, error_type: Option<&str>, body: Incoming) -> Result<Reply, Violation> {
    exchange.expects(id)?;
    let report = ErrorReport::new(error_type, read(body).await.unwrap_or_default());
    exchange.settle(id, Answer::Error(report))?;
    Ok(accepted())
}

async fn init_error(exchange: &Exchange, error_type: Option<&str>, body: Incoming) -> Result<Reply, Violation> {
    exchange.init_error(ErrorReport::new(error_type, read(body).await.unwrap_or_default()))?;
    Ok(accepted())
}

enum Unread {
    TooLarge(usize),
    Truncated,
}

/// Reads all of `body`. A body that is too large is read to its end as well, and discarded: a client that is still
/// sending would see a broken connection instead of the status.
async fn read(mut body: Incoming) -> Result<Bytes, Unread> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first: Option<Bytes> = None;
    let mut all: Vec<u8> = Vec::new();
    let mut len = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Truncated)?.into_data() else { continue };
        len += data.len();
        if len > MAX_PAYLOAD_LEN {
            (first, all) = (None, Vec::new());
        } else if first.is_none() && all.is_empty() {
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                all.reserve(expected.min(MAX_PAYLOAD_LEN));
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
    }
    if len > MAX_PAYLOAD_LEN {
        return Err(Unread::TooLarge(len));
    }
    // The usual small answer arrives as one piece, and is passed on without a copy.
    Ok(first.unwrap_or_else(|| Bytes::from(all)))
}

fn accepted() -> Reply {
    plain(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

/// The status and body with which Lambda's own emulator refuses such a request.
fn refusal(violation: &Violation) -> Reply {
    let (status, error_type) = match violation {
        Violation::UnknownRequestId { .. } => (StatusCode::BAD_REQUEST, "InvalidRequestID"),
        Violation::AnsweredTwice { .. }
        | Violation::NextWhileUnanswered { .. }
        | Violation::NextTwice
        | Violation::InitErrorAfterInit
        | Violation::NeverAskedForNext => (StatusCode::FORBIDDEN, "InvalidStateTransition"),
        Violation::ResponseTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        Violation::InvalidJson { .. } | Violation::TruncatedResponse { .. } => {
            (StatusCode::BAD_REQUEST, "InvalidResponse")
        }
        Violation::UnknownPath { .. } => (StatusCode::NOT_FOUND, "NotFound"),
    };
    let body = serde_json::json!({ "errorType": error_type, "errorMessage": violation.to_string() });
    plain(status, Bytes::from(body.to_string()))
}

fn plain(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
