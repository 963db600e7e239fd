//! From what is to be said to what goes over the wire.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, StatusCode, header},
};

use super::connection::{Connection, CutBody, Ending};
use crate::calls::Told;

/// Why TPNS says no, for whoever reads along; TPNS itself sends nothing of the kind.
pub(super) const HINT_HEADER: &str = "x-tpns-sim-hint";

/// How a call is answered, if at all.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// A complete HTTP answer.
    Whole(Whole),
    /// HTTP 200 whose body breaks off half-way.
    Cut(Bytes, Ending),
    /// Nothing, ever.
    Silence,
    /// The end of the connection in place of an answer.
    HangUp,
}

#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) body: Bytes,
    /// For the log: what a client that reads it is told.
    pub(super) told: Told,
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
            told: Told { status: Some(status.as_u16()), ..Told::default() },
        })
    }

    /// What the log says; `None` when nothing reaches the client.
    pub(super) fn told(&self) -> Option<Told> {
        match self {
            Self::Whole(whole) => Some(whole.told.clone()),
            Self::Cut(..) => Some(Told { status: Some(200), ..Told::default() }),
            Self::Silence | Self::HangUp => None,
        }
    }

    /// Says it. Never returns when there is nothing to say: the connection drops the request.
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
        // A text no header can carry is left out rather than failing the answer.
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
