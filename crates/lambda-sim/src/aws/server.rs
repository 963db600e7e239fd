//! HTTP around the state: AWS JSON 1.0 and 1.1 (Smithy specification, "AWS JSON protocols" and "awsQueryCompatible").

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sim_connections::Connections;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::error::ErrorAnswer;
use super::operation::Service;
use super::state::{Delays, Reaction, State};
use crate::ids;

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed as planned, or by the client")]
struct Closed;

pub(super) async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, open: Connections) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        // A connection that can't be accepted is the client's to try again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it an answer of a few bytes may wait 40 ms for the delayed acknowledgement of its headers.
        let _ = stream.set_nodelay(true);
        while connections.try_join_next().is_some() {}
        let (state, stream) = (Arc::clone(&state), open.accept(stream));
        connections.spawn(async move {
            let service = service_fn(|request| handle(Arc::clone(&state), request));
            // An error here is a connection that was closed, from this side or from the other.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let delays = lock(&state).arrive(&head);
    let (head, reaction) = if delays.are_none() {
        let reaction = lock(&state).react(&head, &body);
        (head, reaction)
    } else {
        // A task of its own, since AWS carries out what has arrived, whether or not its sender still waits.
        tokio::spawn(react_late(state, head, body, delays)).await.map_err(|_| Closed)?
    };
    match reaction {
        Reaction::Answer(service, result) => Ok(answer(&head, service, result)),
        Reaction::Hang => std::future::pending().await,
        Reaction::Close => Err(Closed),
    }
}

async fn react_late(state: Arc<Mutex<State>>, head: Parts, body: Bytes, delays: Delays) -> (Parts, Reaction) {
    for hold in delays.before {
        hold.pass().await;
    }
    tokio::time::sleep(delays.latency).await;
    let reaction = lock(&state).react(&head, &body);
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
            (status, error_body(service, &error), Some(format!("{};{}", error.code, error.at_fault())))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(service.content_type()));
    let asked_for = service == Service::Sqs && head.headers.contains_key("x-amzn-query-mode");
    for (name, value) in
        [("x-amzn-requestid", Some(ids::request_id())), ("x-amzn-query-error", query_error.filter(|_| asked_for))]
    {
        // Ids and codes fit into a header.
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn error_body(service: Service, error: &ErrorAnswer) -> Value {
    match service {
        Service::Sqs => json!({"__type": format!("com.amazonaws.sqs#{}", error.kind), "message": error.message}),
        Service::SecretsManager => json!({"__type": error.kind, "Message": error.message}),
        Service::DynamoDb => {
            let mut body = json!({"__type": dynamodb_type(error.kind), "message": error.message});
            if let Some(item) = &error.item {
                body["Item"] = item.clone();
            }
            body
        }
    }
}

/// DynamoDB's own errors are of its own namespace, those of the framework it is built on of that one's.
fn dynamodb_type(kind: &str) -> String {
    let namespace = match kind {
        "ConditionalCheckFailedException"
        | "InternalServerError"
        | "ProvisionedThroughputExceededException"
        | "ResourceNotFoundException" => "com.amazonaws.dynamodb.v20120810",
        "ThrottlingException" => "com.amazon.coral.availability",
        "ValidationException" => "com.amazon.coral.validate",
        _ => "com.amazon.coral.service",
    };
    format!("{namespace}#{kind}")
}
