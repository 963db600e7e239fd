//! Connections for the first event, opened in Init: there Lambda gives a whole core, and to an event on a small sandbox
//! a part of one, of which a TLS handshake takes its share.
//!
//! DynamoDB is asked for the row `apps`, which every first event needs; TPNS and SQS get no request.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{join_all, join3};
use tokio::time::Instant;

use crate::AccountSync;

/// A service that is not connected to by then is connected to with the first event that needs it.
const LONGEST: Duration = Duration::from_secs(1);
/// The same for the row, which is read over the connection.
const LONGEST_READ: Duration = Duration::from_millis(1500);
/// The regions of TPNS; an apps document that names more endpoints has them connected to when they are used.
const MOST_ENDPOINTS: usize = 4;

impl AccountSync {
    /// Opens what the first event needs, side by side. What fails is logged.
    pub async fn warm(&self) {
        let apps = self.apps.current();
        let endpoints: BTreeMap<_, _> =
            apps.list.iter().map(|app| (app.endpoint.origin(), app.endpoint.url().as_str())).collect();
        let tpns = endpoints.values().take(MOST_ENDPOINTS).map(|url| self.connect("TPNS", url));
        let table = async {
            let Some(table) = &self.table else { return };
            if let Err(error) = table.warm(&apps, Instant::now() + LONGEST_READ).await {
                tracing::warn!("LEDGER_TABLE: not read in Init: {error}; the first event tries again");
            }
        };
        let sqs = async {
            if let Some(url) = &self.sqs {
                self.connect("SQS", url).await;
            }
        };
        join3(table, join_all(tpns), sqs).await;
    }

    async fn connect(&self, service: &str, url: &str) {
        if let Err(no_connection) = self.transport.connect(url, LONGEST).await {
            let why = no_connection.text();
            tracing::warn!("{service}: not connected to in Init: {why}; the first event tries again");
        }
    }
}
