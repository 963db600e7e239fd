//! TPNS is not there, or somebody else is: nothing is sent, every event of that app comes again, the other app goes on.

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
use serde_json::Value;

use crate::{
    envelope::Envelope,
    expect::Ending,
    play::{deliver, same_bindings},
    scene::mixed,
    secrets::assert_discreet,
    stage::{Stage, function, login},
};

/// What listens where TPNS should.
#[derive(Clone, Copy, Debug)]
enum Listener {
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
type Heard = Arc<Mutex<Vec<u8>>>;

impl Listener {
    /// The address, and what is heard there. The thread ends with the tests.
    fn listen(self) -> (String, Heard) {
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

#[tokio::test]
async fn where_there_is_no_tpns_nothing_is_sent_and_the_other_app_goes_on() {
    let nowhere = |url: &str| (url.to_owned(), Heard::default());
    for (name, (endpoint, heard), reason) in [
        ("nobody listens", nowhere("http://127.0.0.1:1"), "tpns_unreachable"),
        ("nobody listens with TLS", nowhere("https://127.0.0.1:1"), "tpns_unreachable"),
        ("there is no such name", nowhere("https://tpns.invalid"), "tpns_unreachable"),
        ("a door shut", Listener::ShutsTheDoor.listen(), "tpns_unreachable"),
        ("silence", Listener::Silent.listen(), "tpns_timeout"),
        ("TLS refused", Listener::RefusesTls.listen(), "tpns_unreachable"),
        ("no TLS", Listener::SpeaksHttp.listen(), "tpns_unreachable"),
        ("an impostor", Listener::Nobody.listen(), "tpns_unreachable"),
    ] {
        let stage = Stage::new().await;
        let mut apps: Value = serde_json::from_str(&stage.tpns.apps_document()).unwrap();
        apps["android"]["endpoint"] = endpoint.into();
        let settings = [("TPNS_TIMEOUT_MS", "700"), ("TPNS_MAX_ATTEMPTS", "1")];
        let stage = Stage { function: function(&apps.to_string(), &settings), tpns: stage.tpns };
        for envelope in [Envelope::Sqs, Envelope::Array] {
            let mut scene = mixed();
            scene.before.clear();
            let events: Vec<_> = scene.events.iter().collect();
            let endings = deliver(&stage, envelope, &events).await.unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            for event in &scene.events {
                let should = match event.app {
                    // Once a run of calls came to nothing, the others are not tried.
                    "android" => [Ending::Reported(("retry", reason)), Ending::Reported(("retry", "tpns_unreachable"))],
                    _ => [Ending::Acknowledged; 2],
                };
                assert!(should.contains(&endings[&event.id]), "{name}: {event:?} is {:?}", endings[&event.id]);
            }
            let there = scene.bound_after(scene.events.iter().filter(|event| event.app == "ios"));
            assert_eq!(same_bindings(&stage, &there), Ok(()), "{name}");
        }
        assert!(heard.lock().unwrap().is_empty(), "{name}: was told something");
        assert!(stage.tpns.calls().iter().all(|call| call.app.as_deref() == Some("ios")), "{name}");
        assert_discreet(&stage.function);
    }
}

#[tokio::test]
async fn where_the_table_should_be_an_impostor_is_told_nothing_and_nothing_is_applied() {
    let (endpoint, heard) = Listener::Nobody.listen();
    let settings = [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &endpoint)];
    let stage = Stage::with(&settings).await;
    let failed = stage.batch(&[login(1, "t", &["a"])]).await;
    assert_eq!(failed, ["m0"]);
    assert_eq!(stage.lines("event failed")[0]["reason"], "ledger_unreachable");
    assert_eq!(stage.calls(), []);
    assert!(heard.lock().unwrap().is_empty(), "was told something");
    assert_discreet(&stage.function);
}
