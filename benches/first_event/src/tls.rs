//! TLS before a server that speaks plain HTTP.

use std::sync::Arc;

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::fixture;

/// Returns the address of a proxy before the server at `url`, `http://<host>:<port>`.
pub(crate) async fn before(url: &str) -> anyhow::Result<String> {
    let server = url.strip_prefix("http://").context("no http")?.trim_end_matches('/').to_owned();
    let key = PrivatePkcs8KeyDer::from(fixture("server.key.der")?);
    let certificate = CertificateDer::from(fixture("good.crt.der")?);
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // A client that goes away ends its connection, and nothing else.
                _ = client.set_nodelay(true);
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                _ = server.set_nodelay(true);
                _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    Ok(format!("https://{address}"))
}
