//! Controls tpns-sim over HTTP where its library has no method.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tpns_sim::RunningSim;

/// Removes the faults and keeps bindings and calls: the outage is over.
pub(crate) async fn end_faults(tpns: &RunningSim) {
    reset(tpns, r#"{"faults":true}"#).await;
}

/// Resets what the body names.
pub(crate) async fn reset(tpns: &RunningSim, what: &str) {
    let mut stream = TcpStream::connect(tpns.address()).await.unwrap();
    let length = what.len();
    let request = format!(
        "POST /_sim/reset HTTP/1.1\r\nhost: sim\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{what}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
