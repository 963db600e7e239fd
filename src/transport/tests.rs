//! TLS as it fails, with a root of our own. The keys and certificates in `fixtures` serve nothing else.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

use super::*;

const ROOT: &[u8] = include_bytes!("fixtures/root.crt.der");
const GOOD: &[u8] = include_bytes!("fixtures/good.crt.der");
const LIMITS: RequestLimits = RequestLimits {
    connect: Duration::from_secs(30),
    exchange: Duration::from_secs(30),
    silence: Duration::from_secs(30),
    body: 100,
};

/// A server that shows this certificate and answers every request with `body`.
fn server(certificate: &'static [u8], body: &'static str) -> String {
    let key = PrivatePkcs8KeyDer::from(include_bytes!("fixtures/server.key.der").as_slice());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from_slice(certificate)], key.into());
    let config = Arc::new(config.unwrap());
    listen(move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
        while let Ok(1..) = stream.read(&mut [0; 4096]) {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    })
}

fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || socket.incoming().flatten().for_each(serve));
    format!("https://{address}/")
}

fn transport() -> Transport {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_slice(ROOT)).unwrap();
    Transport::trusting(roots).unwrap()
}

async fn get(transport: &Transport, url: &str) -> Result<Vec<u8>, TransportError> {
    let origin = Origin::of(&url.parse().unwrap()).unwrap();
    let request = || Request::get("/").body(Full::default()).unwrap();
    transport.send(&origin, request, LIMITS).await.map(Response::into_body)
}

#[tokio::test]
async fn a_trusted_server_is_read_over_one_connection() {
    let (transport, url) = (transport(), server(GOOD, "hello"));
    assert_eq!(transport.connect(&url, LIMITS.connect).await, Ok(()));
    for _ in 0..3 {
        // The server takes one connection at a time: another one would wait for ever.
        assert_eq!(get(&transport, &url).await, Ok(b"hello".to_vec()));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let long = "x".repeat(101).leak();
    assert_eq!(get(&transport(), &server(GOOD, long)).await, Err(TransportError::TooLong));
}

#[tokio::test]
async fn a_server_is_reached_if_its_certificate_is_trusted() {
    let (url, limit) = (server(GOOD, ""), LIMITS.connect);
    assert_eq!(transport().connect(&url, limit).await, Ok(()));
    let untrusted = Err(NoConnection::Tls(TlsFailure::Untrusted));
    assert_eq!(Transport::new().unwrap().connect(&url, limit).await, untrusted);
    // Nothing answers the handshake, and the time is up at once.
    let silent = listen(std::mem::forget);
    assert_eq!(transport().connect(&silent, Duration::ZERO).await, Err(NoConnection::TimedOut));
    for nowhere in ["/v3", "not an address"] {
        assert_eq!(transport().connect(nowhere, limit).await, Err(NoConnection::Unresolved));
    }
}

#[tokio::test]
async fn tls_failures_are_distinguished() {
    let certificates = [
        (include_bytes!("fixtures/expired.crt.der").as_slice(), TlsFailure::Expired),
        (include_bytes!("fixtures/future.crt.der"), TlsFailure::NotYetValid),
        (include_bytes!("fixtures/elsewhere.crt.der"), TlsFailure::WrongName),
    ];
    for (certificate, failure) in certificates {
        let failure = TransportError::NoConnection(NoConnection::Tls(failure));
        assert_eq!(get(&transport(), &server(certificate, "")).await, Err(failure));
    }
    let stranger = Transport::new().unwrap();
    let untrusted = TransportError::NoConnection(NoConnection::Tls(TlsFailure::Untrusted));
    assert_eq!(get(&stranger, &server(GOOD, "")).await, Err(untrusted));
}
