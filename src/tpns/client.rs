//! One HTTP exchange with TPNS: signed, bounded in time and size, over connections kept for the next one.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use reqwest::{
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect,
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

use super::{
    answer::{Exchange, retry_after},
    codes::Transport,
};
use crate::config::App;

/// No account call answers with more: twenty items have twenty codes.
const LONGEST_ANSWER: usize = 1 << 20;

/// The connections to TPNS. Made once, in Init, and kept over warm invocations.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

/// The client could not be made: the TLS library or the HTTP library refused its settings.
#[derive(Debug, thiserror::Error)]
#[error("the HTTPS client can't be made: {0}")]
pub struct ClientError(String);

impl Client {
    /// Makes the client. `idle` connections are kept for each host.
    ///
    /// # Errors
    /// [`ClientError`]; not seen in practice, for nothing of the environment enters.
    pub fn new(idle: usize) -> Result<Self, ClientError> {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|error| ClientError(error.to_string()))?)
            .user_agent(concat!("tpns-account-sync/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the signature to another host.
            .redirect(redirect::Policy::none())
            // Whether to try again is decided in one place, `push`.
            .retry(reqwest::retry::never())
            // Proxies come from the environment, and the environment is read in `config` alone.
            .no_proxy()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(idle)
            // A sandbox may be thawed after minutes; a connection older than this is more likely dead than alive.
            .pool_idle_timeout(Duration::from_secs(50))
            .build()
            .map(Self)
            .map_err(|error| ClientError(error.to_string()))
    }

    /// Posts `body` to the app's account API, signed for now.
    pub(super) async fn post(&self, app: &App, body: Bytes, timeout: Duration) -> Result<Exchange, Transport> {
        let now = SystemTime::now();
        let timestamp = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        let sign = app.key.sign(&timestamp, &body);
        let exchange = async {
            let request = self
                .0
                .post(app.endpoint.url().clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .header("AccessId", app.key.access_id())
                .header("TimeStamp", timestamp)
                .header("Sign", sign)
                .body(body);
            let mut response = request.send().await.map_err(|error| transport(&error))?;
            let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let after = after.and_then(|value| retry_after(value, now));
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
                if body.len() + chunk.len() > LONGEST_ANSWER {
                    return Err(Transport::TooLong);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Exchange { status: response.status().as_u16(), retry_after: after, body })
        };
        tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(Transport::Timeout))
    }
}

fn transport(error: &reqwest::Error) -> Transport {
    if error.is_connect() {
        Transport::Connect
    } else if error.is_timeout() {
        Transport::Timeout
    } else {
        Transport::Broken
    }
}

/// One TLS provider for the whole binary, and Mozilla's roots built in: reading the system's costs 4-5 ms of Init
/// (measured; ARCHITECTURE.md, "Choices").
fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
