//! The Lambda Runtime API on a free port of 127.0.0.1, for one function process.
//!
//! A new process gets a new API, so that late requests of a killed process can't be taken for answers of its successor.

mod exchange;
mod routes;
#[cfg(test)]
mod tests;
mod violation;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use hyper::{Method, Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{AbortHandle, JoinSet},
};

use crate::clock::Timestamp;
use exchange::Exchange;
pub(crate) use exchange::Ready;
pub use violation::Violation;
pub(crate) use violation::Violations;

/// The most bytes that a request or a response of a synchronous invocation may have: 6 MB and a little, the number in
/// Lambda's own error message ("exceeded maximum allowed payload size (6291556 bytes)").
pub const MAX_PAYLOAD_LEN: usize = 6_291_556;

/// An invocation on its way to the process.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) request_id: String,
    pub(crate) deadline: Timestamp,
    pub(crate) function_arn: String,
    pub(crate) trace_id: String,
    pub(crate) payload: Bytes,
}

/// How the process ended an invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    Error(ErrorReport),
    Refused(Violation),
}

/// What a process posts to `/invocation/{id}/error` and `/init/error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReport {
    /// The header `Lambda-Runtime-Function-Error-Type`, else the body's `errorType`, else `Runtime.Unknown`.
    pub error_type: String,
    /// The body's `errorMessage`, else nothing.
    pub message: String,
    /// The body as posted.
    pub body: Bytes,
}

impl ErrorReport {
    fn new(error_type: Option<&str>, body: Bytes) -> Self {
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |key: &str| parsed.get(key).and_then(Value::as_str);
        Self {
            error_type: error_type.or(text("errorType")).unwrap_or("Runtime.Unknown").to_owned(),
            message: text("errorMessage").unwrap_or_default().to_owned(),
            body,
        }
    }
}

/// The API, serving until it is dropped.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    exchange: Arc<Exchange>,
    connections: watch::Sender<usize>,
    server: AbortHandle,
}

impl RuntimeApi {
    /// Starts to serve on the current tokio runtime.
    pub(crate) async fn start(violations: Violations) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let exchange = Arc::new(Exchange::new(violations));
        let connections = watch::Sender::new(0);
        let server = tokio::spawn(serve(listener, Arc::clone(&exchange), connections.clone())).abort_handle();
        Ok(Self { address, exchange, connections, server })
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the process waits for an invocation or has reported an Init error.
    pub(crate) async fn ready(&self) -> Ready {
        self.exchange.ready().await
    }

    /// Passes an invocation to the process; `Err` returns it when the process doesn't wait for one.
    pub(crate) fn deliver(&self, offer: Offer) -> Result<oneshot::Receiver<Answer>, Offer> {
        self.exchange.deliver(offer)
    }

    /// The Init error reported so far.
    pub(crate) fn init_error(&self) -> Option<ErrorReport> {
        self.exchange.reported_init_error()
    }

    /// Returns when everything that an ended process had sent is read, so that its last requests count; after
    /// `patience` at the latest.
    pub(crate) async fn drained(&self, patience: Duration) {
        let mut connections = self.connections.subscribe();
        // A timeout and a closed channel both mean that nothing more will come.
        let _ = tokio::time::timeout(patience, connections.wait_for(|open| *open == 0)).await;
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, exchange: Arc<Exchange>, connections: watch::Sender<usize>) {
    // Dropped with this task, and every connection with it.
    let mut tasks = JoinSet::new();
    loop {
        // A client retries a connection that can't be accepted.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without it, a short response may wait 40 ms for the delayed acknowledgement of its headers.
        let _ = stream.set_nodelay(true);
        while tasks.try_join_next().is_some() {}
        let exchange = Arc::clone(&exchange);
        let open = Open::new(&connections);
        tasks.spawn(async move {
            // hyper drops the handling of a request whose sender has closed the connection. That ends a long poll. A
            // POST counts even if the process ends while it is being read, so it is handled in its own task.
            let service = service_fn(|request: Request<Incoming>| {
                let is_post = request.method() == Method::POST;
                let handled = routes::handle(Arc::clone(&exchange), request);
                let reply: Pin<Box<dyn Future<Output = _> + Send>> = match is_post {
                    true => Box::pin(in_its_own_task(handled, Open::new(&open.0))),
                    false => Box::pin(handled),
                };
                reply
            });
            // An error here is a closed connection, which shows elsewhere: as an exit or as a missing answer.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            drop(open);
        });
    }
}

/// Starts `future` at once and runs it to its end, whether the result is awaited or not; `open` counts until then.
fn in_its_own_task<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
    open: Open,
) -> impl Future<Output = T> {
    let task = tokio::spawn(async move {
        let output = future.await;
        drop(open);
        output
    });
    async {
        match task.await {
            Ok(output) => output,
            // Only when the runtime ends.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Counts a connection as open for as long as it lives.
struct Open(watch::Sender<usize>);

impl Open {
    fn new(connections: &watch::Sender<usize>) -> Self {
        connections.send_modify(|open| *open += 1);
        Self(connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
