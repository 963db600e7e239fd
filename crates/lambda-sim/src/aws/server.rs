//! HTTP around the state: AWS JSON 1.0 and 1.1 (Smithy specification, "AWS JSON protocols" and "awsQueryCompatible").

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sim_connections::Connections;
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    error::ErrorAnswer,
    garble::Garbled,
    operation::Service,
    state::{Delays, Reaction, State},
};
use crate::ids;

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed as planned, or by the client")]
struct Closed;

pub(super) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, open: Connections) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        // A client retries a connection that can't be accepted.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it, a short answer may wait 40 ms for the delayed acknowledgement of its headers.
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let (state, stream) = (Arc::clone(&state), open.accept(stream));
        connections.spawn(async move {
            let service = service_fn(|request| handle(Arc::clone(&state), request));
            // An error here is a connection that was closed, by this side or by the other.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Body = Either<Full<Bytes>, BrokenOff>;

async fn handle(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let arrived = Instant::now();
    let delays = lock(&state).arrive(&head);
    let (head, reaction) = if delays.are_none() {
        let reaction = lock(&state).react(&head, &body, arrived);
        (head, reaction)
    } else {
        // In its own task, since AWS carries out what has arrived whether or not its sender still waits.
        tokio::spawn(react_late(state, head, body, delays, arrived)).await.map_err(|_| Closed)?
    };
    match reaction {
        Reaction::Answer(service, result) => Ok(answer(&head, service, result).map(Either::Left)),
        Reaction::Garbled(garbled) => Ok(garbled_answer(garbled)),
        Reaction::Hang => std::future::pending().await,
        Reaction::Close => Err(Closed),
    }
}

async fn react_late(
    state: Arc<Mutex<State>>,
    head: Parts,
    body: Bytes,
    delays: Delays,
    arrived: Instant,
) -> (Parts, Reaction) {
    for hold in delays.before {
        hold.pass().await;
    }
    tokio::time::sleep(delays.latency).await;
    let reaction = lock(&state).react(&head, &body, arrived);
    for hold in delays.after {
        hold.pass().await;
    }
    (head, reaction)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(head: &Parts, service: Service, result: Result<Value, ErrorAnswer>) -> Response<Full<Bytes>> {
    let (status, body, query_error) = match result {
        Ok(body) => (StatusCode::OK, body, None),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, error.body(service), Some(format!("{};{}", error.code, error.at_fault())))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(service.content_type()));
    let wanted = service == Service::Sqs && head.headers.contains_key("x-amzn-query-mode");
    for (name, value) in
        [("x-amzn-requestid", Some(ids::request_id())), ("x-amzn-query-error", query_error.filter(|_| wanted))]
    {
        // Ids and codes fit into a header.
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn garbled_answer(garbled: Garbled) -> Response<Body> {
    let body = Bytes::from(garbled.body);
    let mut response = Response::new(Either::Left(Full::new(body.clone())));
    if garbled.broken_off {
        *response.body_mut() = Either::Right(BrokenOff { body: Some(body.clone()), sent: false });
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len() + 100));
    }
    *response.status_mut() = StatusCode::from_u16(garbled.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(garbled.content_type));
    // The SDK reads the second one for SQS and the first one for the other services.
    let query = garbled.code.map(|code| format!("{code};Sender"));
    for (name, value) in [("x-amzn-errortype", garbled.code.map(str::to_owned)), ("x-amzn-query-error", query)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

/// A body after which the connection is closed although a longer one was announced.
struct BrokenOff {
    body: Option<Bytes>,
    sent: bool,
}

impl hyper::body::Body for BrokenOff {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        if std::mem::replace(&mut self.sent, true) {
            return Poll::Ready(Some(Err(Closed)));
        }
        // Closed at once, the connection would not even send what it has; it does that while it waits.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
