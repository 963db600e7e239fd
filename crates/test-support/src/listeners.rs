//! What may listen where a service should.

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
pub enum Listener {
    /// Ends each connection before a byte.
    ShutsTheDoor,
    /// Takes the connection and never says a word.
    Silent,
    /// Answers the handshake with a fatal alert.
    RefusesTls,
    /// Answers the handshake with text.
    SpeaksHttp,
    /// Proves itself with a certificate that nobody signed.
    Nobody,
}

/// All that was said to a [`Listener`] but the handshake.
pub type Heard = Arc<Mutex<Vec<u8>>>;

impl Listener {
    /// The address, and what is heard there. The thread ends with the tests.
    pub fn listen(self) -> (String, Heard) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (socket.local_addr().unwrap(), Heard::default());
        let hears = heard.clone();
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let hears = hears.clone();
                thread::spawn(move || self.serve(stream, &hears));
            }
        });
        (format!("https://{address}"), heard)
    }

    /// Errors end the connection, which is all there is to do.
    fn serve(self, mut stream: TcpStream, heard: &Heard) {
        let mut first = [0; 4096];
        match self {
            Self::ShutsTheDoor => {}
            Self::Silent => {
                _ = stream.read(&mut first);
                thread::sleep(Duration::from_secs(60));
            }
            // Record of type alert, TLS 1.2, two bytes: fatal, handshake_failure.
            Self::RefusesTls => _ = stream.read(&mut first).and_then(|_| stream.write_all(&[21, 3, 3, 0, 2, 2, 40])),
            Self::SpeaksHttp => {
                _ = stream.read(&mut first).and_then(|_| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            }
            Self::Nobody => {
                let mut stream = StreamOwned::new(ServerConnection::new(nobody()).unwrap(), stream);
                let mut said = Vec::new();
                _ = stream.read_to_end(&mut said);
                heard.lock().unwrap().extend(said);
            }
        }
    }
}

/// A server with a certificate of its own making for 127.0.0.1, good until 2126.
fn nobody() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_slice(include_bytes!("fixtures/nobody.crt.der"));
    let key = PrivatePkcs8KeyDer::from(include_bytes!("fixtures/nobody.key.der").as_slice());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    Arc::new(config)
}
