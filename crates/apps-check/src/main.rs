//! Reads an apps document from standard input as the function reads it, and connects to the TPNS of each app with the
//! function's roots. Prints one line of JSON that holds no key: `{"apps":[…],"ledger_keys":1}`, or `{"error":"…"}` for
//! a document that the function would refuse. `make doctor` uses it.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    process::ExitCode,
    time::Duration,
};

use serde::Serialize;
use tpns_account_sync::{
    tpns::{Apps, Endpoint},
    transport::{NoConnection, Transport},
};

/// For a connection, TLS included.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
#[serde(untagged)]
enum Report {
    Refused {
        /// What to correct in the document.
        error: String,
    },
    Valid {
        /// In the document's order.
        apps: Vec<Checked>,
        /// Their number.
        ledger_keys: usize,
    },
}

#[derive(Serialize)]
struct Checked {
    name: String,
    /// Scheme, host and port.
    endpoint: String,
    /// Why there is no connection.
    failure: Option<&'static str>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apps-check: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> io::Result<()> {
    let mut document = String::new();
    io::stdin().read_to_string(&mut document)?;
    let report = match Apps::parse(&document) {
        Ok(apps) => {
            let transport = Transport::new().map_err(io::Error::other)?;
            Report::Valid { apps: check(&apps, &transport).await, ledger_keys: apps.ledger_keys.iter().count() }
        }
        Err(error) => Report::Refused { error: error.to_string() },
    };
    let mut line = serde_json::to_vec(&report)?;
    line.push(b'\n');
    io::stdout().write_all(&line)
}

async fn check(apps: &Apps, transport: &Transport) -> Vec<Checked> {
    let (mut checked, mut known) = (Vec::new(), HashMap::new());
    for (id, app) in apps.names.ids().zip(&apps.list) {
        let endpoint = app.endpoint.origin();
        let failure = match known.get(&endpoint) {
            Some(failure) => *failure,
            None => failure(transport, &app.endpoint).await,
        };
        known.insert(endpoint.clone(), failure);
        checked.push(Checked { name: apps.names.name(id).to_owned(), endpoint, failure });
    }
    checked
}

async fn failure(transport: &Transport, endpoint: &Endpoint) -> Option<&'static str> {
    transport.connect(endpoint.url().as_str(), LIMIT).await.err().map(NoConnection::text)
}
