//! From a reply to the bytes on the wire.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, StatusCode, header},
};

use super::connection::{Connection, CutBody, Ending};
use crate::calls::Received;

/// Why TPNS refuses a call, for people; TPNS itself sends no such header.
pub(super) const HINT_HEADER: &str = "x-tpns-sim-hint";

/// How a call is answered, if at all.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// A complete HTTP answer.
    Whole(Whole),
    /// HTTP 200 with a body that ends half-way.
    Cut(Bytes, Ending),
    /// Nothing, ever.
    Silence,
    /// The end of the connection instead of an answer.
    HangUp,
}

#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) body: Bytes,
    /// For the log: what a client that reads it receives.
    pub(super) received: Received,
}

pub(super) const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        Self::Whole(Whole {
            status,
            content_type: TEXT,
            retry_after: None,
            hint: None,
            body: text.into(),
            received: Received { status: Some(status.as_u16()), ..Received::default() },
        })
    }

    /// The entry for the log; `None` when nothing reaches the client.
    pub(super) fn received(&self) -> Option<Received> {
        match self {
            Self::Whole(whole) => Some(whole.received.clone()),
            Self::Cut(..) => Some(Received { status: Some(200), ..Received::default() }),
            Self::Silence | Self::HangUp => None,
        }
    }

    /// Sends it. Never returns when nothing is sent: the connection drops the request.
    pub(super) async fn send(self, connection: Arc<Connection>) -> Response<Body> {
        match self {
            Self::Whole(whole) => whole.into_response(),
            Self::Cut(body, ending) => cut(&body, connection, ending),
            Self::Silence => std::future::pending().await,
            Self::HangUp => {
                connection.end(Ending::Close);
                std::future::pending().await
            }
        }
    }
}

impl Whole {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // A text that no header can carry is omitted rather than failing the answer.
        if let Some(Ok(value)) = self.retry_after.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::RETRY_AFTER, value);
        }
        if let Some(Ok(value)) = self.hint.as_deref().map(HeaderValue::from_str) {
            headers.insert(HINT_HEADER, value);
        }
        response
    }
}

fn cut(body: &Bytes, connection: Arc<Connection>, ending: Ending) -> Response<Body> {
    let part = body.slice(..body.len() / 2);
    let mut response = Response::new(Body::new(CutBody::new(part, connection, ending)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}
