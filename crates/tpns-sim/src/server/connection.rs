//! The accept loop, and the handle by which a request can end its own connection.
//!
//! Instead of `axum::serve`, which gives no access to the socket, and a fault must be able to reset
//! it; its connections also outlive it, while these end when the simulator is dropped.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::Request};
use hyper::{
    body::{Body, Frame, Incoming},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sim_connections::Connections;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::Sleep,
};

/// How a connection is ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Orderly: FIN.
    Close,
    /// Abruptly: RST.
    Reset,
}

/// One TCP connection, as its requests see it.
#[derive(Debug)]
pub(super) struct Connection {
    /// Counted from 1, in the order of acceptance.
    pub(super) number: u64,
    end: Mutex<Option<oneshot::Sender<Ending>>>,
}

impl Connection {
    /// Ends the connection; the request that asks for it is dropped with it.
    pub(super) fn end(&self, ending: Ending) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = end.take() {
            // Without a receiver the connection has already ended.
            let _ = end.send(ending);
        }
    }
}

/// Serves connections until the future is dropped, and then drops them too.
pub(super) async fn accept(listener: TcpListener, router: Router, connections: Connections) {
    let mut open = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    number += 1;
                    open.spawn(serve(stream, number, router.clone(), connections.clone()));
                }
                // Out of file descriptors, or a client that has closed the connection: both are transient.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, number: u64, router: Router, connections: Connections) {
    // Without it a small answer can wait 40 ms for the client's delayed ACK.
    let _ = stream.set_nodelay(true);
    let (end, ended) = oneshot::channel();
    let handle = Arc::new(Connection { number, end: Mutex::new(Some(end)) });
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&handle));
        TowerToHyperService::new(router.clone()).call(request.map(axum::body::Body::new))
    });
    let mut serving = http1::Builder::new().serve_connection(TokioIo::new(connections.accept(stream)), service);
    tokio::select! {
        // An error here means that the client has disconnected; its requests are in the log.
        _ = &mut serving => {}
        Ok(ending) = ended => {
            let stream = serving.into_parts().io.into_inner();
            if ending == Ending::Reset {
                let _ = stream.reset_at_the_end();
            }
        }
    }
}

/// Part of a body, then the end of the connection.
pub(super) struct CutBody {
    part: Option<Bytes>,
    /// Time for the part to be sent before a reset discards unsent bytes.
    pause: Pin<Box<Sleep>>,
    connection: Arc<Connection>,
    ending: Ending,
}

impl CutBody {
    pub(super) fn new(part: Bytes, connection: Arc<Connection>, ending: Ending) -> Self {
        Self { part: Some(part), pause: Box::pin(tokio::time::sleep(Duration::from_millis(20))), connection, ending }
    }
}

impl Body for CutBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if self.pause.as_mut().poll(context).is_ready() {
            self.connection.end(self.ending);
        }
        // The connection's task drops this body; it never ends by itself.
        Poll::Pending
    }
}

/// The connection of a request; every request that reaches the router has one.
pub(super) fn of(request: &Request) -> Option<Arc<Connection>> {
    request.extensions().get().cloned()
}
