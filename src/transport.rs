//! HTTP for TPNS and for AWS: one pool of kept connections, and recovery from a dead one.
//!
//! A sandbox is frozen between invocations, for minutes, and its connections die meanwhile: the next bytes are answered
//! with RST, or not at all. That says nothing of the service, so no caller sees it: the request is sent again at once
//! over a new connection, and the connections that date from before the invocation are dropped. It must be a request
//! that may be carried out twice, since a break does not show whether it was carried out.

mod connect;
mod error;
mod pool;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, client::conn::http1::SendRequest, header::HOST};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout, timeout_at};

pub use error::{NoConnection, TlsFailure, TransportError};

use crate::moment::Moment;
use connect::Connector;
pub(crate) use connect::{Origin, path};
use pool::{Kept, Pool};

/// What carries requests over one connection.
type Connection = SendRequest<Full<Bytes>>;

/// How often the connection's own task gets its turn before the connection counts as busy with an earlier request.
const TURNS: usize = 4;

/// The connections. Made once, in Init, and kept over warm invocations.
#[derive(Clone, Debug)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connector: Connector,
    pool: Mutex<Pool<Connection>>,
}

/// How long a request may take, and how long an answer may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLimits {
    /// Connecting, TLS included.
    pub(crate) connect: Duration,
    /// Connect to last byte, over one connection.
    pub(crate) exchange: Duration,
    /// The same over a connection from before the invocation: longer silence means that it is dead.
    pub(crate) silence: Duration,
    /// Bytes of the answer's body.
    pub(crate) body: usize,
}

impl Transport {
    /// Without connections so far, and with Mozilla's roots built in: reading the system's costs 4-5 ms of Init
    /// (measured; docs/decisions/0023-tls-roots-built-in.md).
    ///
    /// # Errors
    /// What the TLS library refuses; nothing of the environment enters.
    pub fn new() -> Result<Self, rustls::Error> {
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// The same with other roots, for servers that stand in for TPNS and AWS.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn trusting(roots: RootCertStore) -> Result<Self, rustls::Error> {
        Ok(Self::with(connect::tls(roots)?))
    }

    fn with(tls: ClientConfig) -> Self {
        Self(Arc::new(Inner { connector: Connector::new(tls), pool: Mutex::default() }))
    }

    /// Connects to an absolute address, and keeps the connection for a request.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(&self, address: &str, limit: Duration) -> Result<(), NoConnection> {
        let address = address.parse().map_err(|_| NoConnection::Unresolved)?;
        let origin = Origin::of(&address).ok_or(NoConnection::Unresolved)?;
        let connecting = timeout(limit, self.0.connector.connect(&origin));
        let connection = connecting.await.unwrap_or(Err(NoConnection::TimedOut))?;
        self.pool().keep(&origin.key, connection, Moment::now());
        Ok(())
    }

    /// Begins an invocation: connections kept so far may have died while the sandbox was frozen.
    pub(crate) fn begin_invocation(&self) {
        self.pool().begin_era(Moment::now());
    }

    /// Sends a request that may be carried out twice, and reads the whole answer. It is written for this origin, with a
    /// path only ([`path`]), and written again for a second connection.
    pub(crate) async fn send(
        &self,
        origin: &Origin,
        request: impl Fn() -> Request<Full<Bytes>>,
        limits: RequestLimits,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        if let Some(kept) = self.kept(&origin.key).await
            && let Some(answer) = self.send_over_kept(kept, origin, request(), limits).await
        {
            return answer;
        }
        // Boxed, since it is rare: what carries a request, and what carries that, is moved more often than it connects.
        Box::pin(self.send_over_new(origin, request(), limits)).await
    }

    /// Sends a request over a kept connection; `None` if that was dead.
    async fn send_over_kept(
        &self,
        mut kept: Kept<Connection>,
        origin: &Origin,
        request: Request<Full<Bytes>>,
        limits: RequestLimits,
    ) -> Option<Result<Response<Vec<u8>>, TransportError>> {
        let limit = if kept.is_from_before { limits.silence } else { limits.exchange };
        match timeout(limit, exchange(&mut kept.connection, origin, request, limits.body)).await {
            Ok(Ok(response)) => Some(Ok(self.keep(origin, kept.connection, response))),
            Ok(Err(TransportError::TooLong)) => Some(Err(TransportError::TooLong)),
            // It carried a request in this invocation: what is slow is the service.
            Err(_) if !kept.is_from_before => Some(Err(TransportError::Timeout)),
            exchanged => {
                tracing::debug!(silent = exchanged.is_err(), "a kept connection was dead; using a new one");
                self.pool().condemn(&origin.key);
                None
            }
        }
    }

    async fn send_over_new(
        &self,
        origin: &Origin,
        request: Request<Full<Bytes>>,
        limits: RequestLimits,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let end = Instant::now() + limits.exchange;
        let connecting = timeout(limits.connect.min(limits.exchange), self.0.connector.connect(origin));
        let mut connection = connecting.await.unwrap_or(Err(NoConnection::TimedOut))?;
        let exchanged = timeout_at(end, exchange(&mut connection, origin, request, limits.body)).await;
        let response = exchanged.unwrap_or(Err(TransportError::Timeout))?;
        Ok(self.keep(origin, connection, response))
    }

    /// A kept connection that is open as far as is known.
    async fn kept(&self, key: &str) -> Option<Kept<Connection>> {
        loop {
            let kept = self.take(key)?;
            for _ in 0..TURNS {
                if kept.connection.is_ready() {
                    return Some(kept);
                }
                if kept.connection.is_closed() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    fn take(&self, key: &str) -> Option<Kept<Connection>> {
        self.pool().take(key, Moment::now())
    }

    fn keep(&self, origin: &Origin, connection: Connection, response: Response<Vec<u8>>) -> Response<Vec<u8>> {
        if !connection.is_closed() {
            self.pool().keep(&origin.key, connection, Moment::now());
        }
        response
    }

    fn pool(&self) -> MutexGuard<'_, Pool<Connection>> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request and the whole answer.
async fn exchange(
    connection: &mut Connection,
    origin: &Origin,
    mut request: Request<Full<Bytes>>,
    most: usize,
) -> Result<Response<Vec<u8>>, TransportError> {
    request.headers_mut().entry(HOST).or_insert_with(|| origin.host.clone());
    let (head, mut body) = connection.send_request(request).await.map_err(|_| TransportError::Broken)?.into_parts();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| TransportError::Broken)?;
        let Some(data) = frame.data_ref() else { continue };
        if whole.len() + data.len() > most {
            return Err(TransportError::TooLong);
        }
        whole.extend_from_slice(data);
    }
    Ok(Response::from_parts(head, whole))
}

#[cfg(test)]
mod tests;
