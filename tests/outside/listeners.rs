//! Listeners in place of a service.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listener {
    /// Closes each connection at once.
    ClosesAtOnce,
    /// Accepts the connection and never answers.
    Silent,
    /// Answers the handshake with a fatal alert.
    RefusesTls,
    /// Answers the handshake with text.
    SpeaksHttp,
    /// Presents a self-signed certificate.
    Impostor,
}

/// All bytes that a [`Listener`] received after the handshake.
pub(crate) type Received = Arc<Mutex<Vec<u8>>>;

impl Listener {
    /// The address, and the bytes received there. The thread ends with the tests.
    pub(crate) fn listen(self) -> (String, Received) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, received) = (socket.local_addr().unwrap(), Received::default());
        let of_thread = received.clone();
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let received = of_thread.clone();
                thread::spawn(move || self.serve(stream, &received));
            }
        });
        (format!("https://{address}"), received)
    }

    /// Errors end the connection, so they are ignored.
    fn serve(self, mut stream: TcpStream, received: &Received) {
        let mut first = [0; 4096];
        match self {
            Self::ClosesAtOnce => {}
            Self::Silent => {
                _ = stream.read(&mut first);
                thread::sleep(Duration::from_secs(60));
            }
            // Record of type alert, TLS 1.2, two bytes: fatal, handshake_failure.
            Self::RefusesTls => _ = stream.read(&mut first).and_then(|_| stream.write_all(&[21, 3, 3, 0, 2, 2, 40])),
            Self::SpeaksHttp => {
                _ = stream.read(&mut first).and_then(|_| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            }
            Self::Impostor => {
                let mut stream = StreamOwned::new(ServerConnection::new(self_signed()).unwrap(), stream);
                let mut bytes = Vec::new();
                _ = stream.read_to_end(&mut bytes);
                received.lock().unwrap().extend(bytes);
            }
        }
    }
}

/// A server with a self-signed certificate for 127.0.0.1, valid until 2126.
fn self_signed() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_slice(include_bytes!("../matrix/fixtures/nobody.crt.der"));
    let key = PrivatePkcs8KeyDer::from(include_bytes!("../matrix/fixtures/nobody.key.der").as_slice());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    Arc::new(config)
}
