//! From an address to a connection that is ready for a request: name, TCP, TLS.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::TryFutureExt;
use hyper::{
    Uri,
    client::conn::http1,
    header::HeaderValue,
    http::uri::{PathAndQuery, Scheme},
    rt::{Read, Write},
};
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        dns::{GaiAddrs, GaiResolver, Name},
    },
    rt::TokioIo,
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::{
    Connection, NoConnection, TlsFailure,
    error::{self, Unresolved},
};

/// Where requests go.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Scheme, host and port: what connections are kept by.
    pub(super) key: String,
    /// The header.
    pub(crate) host: HeaderValue,
    address: Uri,
    tls: bool,
}

impl Origin {
    /// Of an absolute address; `None` for any other.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        let tls = *scheme == Scheme::HTTPS;
        let default_port = if tls { 443 } else { 80 };
        let host = match authority.port_u16() {
            Some(port) if port != default_port => HeaderValue::try_from(format!("{}:{port}", authority.host())),
            _ => HeaderValue::try_from(authority.host()),
        };
        Some(Self { key: format!("{scheme}://{authority}"), host: host.ok()?, address: uri.clone(), tls })
    }
}

/// What a request over a connection, and not to a proxy, names.
pub(crate) fn path(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")).into()
}

/// Makes connections.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: Arc<ClientConfig>,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { tcp, tls: Arc::new(tls) }
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, NoConnection> {
        // Never busy: it is always ready for another call.
        let stream = self.tcp.clone().call(origin.address.clone()).await.map_err(|error| error::tcp(&error))?;
        if !origin.tls {
            return speak(stream).await;
        }
        let host = origin.address.host().unwrap_or_default();
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned());
        let name = name.map_err(|_| NoConnection::Tls(TlsFailure::WrongName))?;
        let secured = TlsConnector::from(self.tls.clone()).connect(name, stream.into_inner()).await;
        speak(TokioIo::new(secured.map_err(|error| NoConnection::Tls(error::tls(&error)))?)).await
    }
}

/// HTTP/1.1 over a stream, which is driven by a task of its own until it is closed or let go of.
async fn speak(stream: impl Read + Write + Unpin + Send + 'static) -> Result<Connection, NoConnection> {
    let (connection, driver) = http1::handshake(stream).await.map_err(|_| NoConnection::Unreachable)?;
    // How it ended, the request finds out.
    tokio::spawn(driver.unwrap_or_else(|_| ()));
    Ok(connection)
}

/// One TLS provider for the whole binary.
pub(super) fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The system's resolver, whose failures are distinguished from those of connecting.
#[derive(Clone, Debug)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, Unresolved>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        self.0.poll_ready(context).map_err(|_| Unresolved)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(self.0.call(name).map_err(|_| Unresolved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_host_and_connections_are_kept_by_scheme_host_and_port() {
        for (uri, key, host, target) in [
            ("https://a.example/v3?x=1", "https://a.example", "a.example", "/v3?x=1"),
            ("https://a.example:443", "https://a.example:443", "a.example", "/"),
            ("http://127.0.0.1:8090/", "http://127.0.0.1:8090", "127.0.0.1:8090", "/"),
            ("http://[::1]:80/x", "http://[::1]:80", "[::1]", "/x"),
        ] {
            let uri = Uri::from_static(uri);
            let origin = Origin::of(&uri).unwrap();
            assert_eq!((origin.key.as_str(), origin.host.to_str().unwrap()), (key, host));
            assert_eq!(path(&uri), target);
        }
        assert!(Origin::of(&Uri::from_static("/v3")).is_none());
    }
}
