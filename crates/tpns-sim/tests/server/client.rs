//! A simple TPNS client, and one that sees raw bytes.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tpns_sim::{RunningSim, Sim, SimBuilder, signature};

pub(crate) const ACCESS_ID: u64 = 1_500_001_048;
pub(crate) const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";
pub(crate) const IOS_ACCESS_ID: u64 = 1_600_001_049;
pub(crate) const BATCH: &str = "/v3/device/account/batchoperate";
pub(crate) const QUERY: &str = "/v3/device/account/query";

pub(crate) fn builder() -> SimBuilder {
    Sim::builder().app("android", ACCESS_ID, SECRET).app("ios", IOS_ACCESS_ID, "ios-secret")
}

pub(crate) async fn started(builder: SimBuilder) -> RunningSim {
    builder.start().await.expect("a free port on loopback")
}

/// Looks every millisecond until this holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) async fn until_called(sim: &RunningSim) {
    until(|| !sim.calls().is_empty()).await;
}

pub(crate) fn login(token: &str, account: &str) -> Value {
    json!({"operator_type": 2, "token_accounts": [
        {"token": token, "account_list": [{"account": account}]}]})
}

pub(crate) fn basic() -> String {
    let pair = format!("{ACCESS_ID}:{SECRET}");
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}

pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("an answer in JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `ret_code` and `result`.
    pub(crate) fn codes(&self) -> (i64, Vec<String>) {
        let answer = self.json();
        let result = answer["result"].as_array().expect("a result");
        let result = result.iter().map(|code| {
            let code = code.as_str();
            code.expect("codes are strings").to_owned()
        });
        (answer["ret_code"].as_i64().expect("ret_code"), result.collect())
    }
}

pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
}

impl Client {
    pub(crate) fn of(sim: &RunningSim) -> Self {
        Self::at(sim.url())
    }

    pub(crate) fn at(url: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build();
        Self { http: http.expect("a client without TLS"), url }
    }

    /// A POST with these headers and no others that matter.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<String>,
    ) -> reqwest::Result<Answered> {
        let mut request = self.http.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.body(body.into()).send().await?).await
    }

    /// A POST signed as the `android` app.
    pub(crate) async fn signed(&self, path: &str, body: &Value) -> reqwest::Result<Answered> {
        let (body, time) = (body.to_string(), now().to_string());
        let access_id = ACCESS_ID.to_string();
        let sign = signature::sign(SECRET, &time, &access_id, body.as_bytes());
        let headers = [("AccessId", &*access_id), ("TimeStamp", &time), ("Sign", &sign)];
        self.post_with(path, &headers, body).await
    }

    /// A signed batchoperate that must be answered.
    pub(crate) async fn operate(&self, body: &Value) -> Answered {
        self.signed(BATCH, body).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        let response = self.http.get(format!("{}{path}", self.url)).send().await;
        answered(response.expect("an answer")).await.expect("a body")
    }

    /// A request without a body.
    pub(crate) async fn send(&self, method: reqwest::Method, path: &str) -> Answered {
        let response = self.http.request(method, format!("{}{path}", self.url)).send().await;
        answered(response.expect("an answer")).await.expect("a body")
    }

    /// A POST to the control API.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> Answered {
        self.post_with(path, &[], body.to_string()).await.expect("an answer")
    }
}

async fn answered(response: reqwest::Response) -> reqwest::Result<Answered> {
    Ok(Answered {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await?,
    })
}

/// Sends one batchoperate and reads until the connection ends: the bytes, and how it ended.
pub(crate) async fn raw_operate(address: SocketAddr, body: &Value) -> (Vec<u8>, io::Result<()>) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let (body, authorization) = (body.to_string(), basic());
    let request = format!(
        "POST {BATCH} HTTP/1.1\r\nHost: sim\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(|_| ());
    (bytes, end)
}
