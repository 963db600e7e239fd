//! The local TPNS of the run, and the bare call that is the floor of every latency.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use serde_json::{Value, json};
use tpns_sim::{RunningSim, Sim};

use crate::events::{Bound, Events};

const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";
const ACCESS_ID: u64 = 1_500_001_048;
const APP: &str = "android";

#[derive(Debug)]
pub(crate) struct Tpns {
    sim: RunningSim,
    client: reqwest::Client,
}

impl Tpns {
    pub(crate) async fn start(latency: Duration) -> anyhow::Result<Self> {
        let sim = Sim::builder().app(APP, ACCESS_ID, SECRET).latency(latency).start().await?;
        let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { sim, client })
    }

    pub(crate) fn apps(&self) -> String {
        self.sim.apps_document()
    }

    /// Deletes everything, then binds what these events need.
    pub(crate) async fn prepare(&self, events: &Events) -> anyhow::Result<()> {
        self.sim.reset();
        for chunk in events.bound_before().chunks(200) {
            // Concurrently, since each call takes the latency.
            let mut calls = tokio::task::JoinSet::new();
            for items in chunk.chunks(20) {
                let call = request(&self.client, &self.sim, json!({ "operator_type": 2, "token_accounts": items }))?;
                calls.spawn(accepted(call));
            }
            while let Some(call) = calls.join_next().await {
                call??;
            }
        }
        Ok(())
    }

    /// The number of calls since it was prepared, including those of the preparation.
    pub(crate) fn calls(&self) -> usize {
        self.sim.calls().len()
    }

    /// What is bound now.
    pub(crate) async fn bound(&self) -> Bound {
        self.sim.flush().await;
        let bindings = self.sim.bindings().remove(APP).unwrap_or_default();
        let of = |(token, accounts): (String, Vec<tpns_sim::model::Account>)| {
            accounts.into_iter().map(move |account| (token.clone(), account.account)).collect::<Vec<_>>()
        };
        bindings.into_iter().flat_map(|(token, accounts)| of((token, accounts.into_iter().collect()))).collect()
    }

    /// How long a bare call takes over a kept connection, as any client would make it.
    pub(crate) async fn bare_call(&self) -> anyhow::Result<Duration> {
        let call = request(&self.client, &self.sim, json!({ "operator_type": 4, "token_list": ["bare"] }))?;
        let begun = Instant::now();
        accepted(call).await?;
        Ok(begun.elapsed())
    }
}

fn request(client: &reqwest::Client, sim: &RunningSim, body: Value) -> anyhow::Result<reqwest::RequestBuilder> {
    let body = body.to_string();
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
    let sign = tpns_sim::signature::sign(SECRET, &timestamp, &ACCESS_ID.to_string(), body.as_bytes());
    Ok(client
        .post(format!("{}/v3/device/account/batchoperate", sim.url()))
        .header("AccessId", ACCESS_ID)
        .header("TimeStamp", timestamp)
        .header("Sign", sign)
        .body(body))
}

async fn accepted(call: reqwest::RequestBuilder) -> anyhow::Result<()> {
    let text = call.send().await?.text().await?;
    if !text.contains("\"ret_code\":0") {
        bail!("the local TPNS did not accept a call: {text}");
    }
    Ok(())
}
