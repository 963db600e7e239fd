//! A client of DynamoDB's protocol, AWS JSON 1.0. Its requests are signed as AWS's clients sign them, and sent once.

use std::time::SystemTime;

use aws_sdk_sqs::config::Credentials as SdkCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use reqwest::StatusCode;
use serde_json::Value;

use super::REGION;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

pub(super) struct DynamoDb {
    http: reqwest::Client,
    url: String,
    credentials: SdkCredentials,
}

/// A request in the making.
pub(super) struct Request {
    http: reqwest::Client,
    url: String,
    credentials: SdkCredentials,
    operation: &'static str,
    input: Value,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("no answer, or not all of one")]
    Connection(#[source] reqwest::Error),
    #[error("an answer with status {0} that is no JSON: {1}")]
    Unreadable(StatusCode, String),
    #[error("an error answer with status {0}: {1}")]
    Service(StatusCode, Value),
}

impl DynamoDb {
    pub(super) fn new(url: &str, credentials: SdkCredentials) -> Self {
        // A connection for each request: one that is used again could be closed before its next request arrives.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { http, url: format!("{url}/"), credentials }
    }

    pub(super) fn request(&self, operation: &'static str, input: Value) -> Request {
        let Self { http, url, credentials } = self;
        Request { http: http.clone(), url: url.clone(), credentials: credentials.clone(), operation, input }
    }
}

impl Request {
    /// Adds or replaces the field that these names lead to.
    pub(super) fn set<const N: usize>(mut self, path: [&str; N], value: impl Into<Value>) -> Self {
        *path.into_iter().fold(&mut self.input, |parent, name| &mut parent[name]) = value.into();
        self
    }

    pub(super) fn without(mut self, field: &str) -> Self {
        self.input.as_object_mut().unwrap().remove(field).unwrap();
        self
    }

    pub(super) async fn send(self) -> Result<Value, RequestError> {
        let target = format!("DynamoDB_20120810.{}", self.operation);
        let body = self.input.to_string();
        let mut request = self.http.post(&self.url);
        for (name, value) in signed_headers(&self.url, &target, &body, self.credentials) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.map_err(RequestError::Connection)?;
        let status = answer.status();
        let text = answer.text().await.map_err(RequestError::Connection)?;
        match serde_json::from_str(&text) {
            Ok(output) if status == StatusCode::OK => Ok(output),
            Ok(error) => Err(RequestError::Service(status, error)),
            Err(_) => Err(RequestError::Unreadable(status, text)),
        }
    }
}

impl RequestError {
    /// The error's code without its namespace, as the SDK has it.
    pub(super) fn code(&self) -> Option<&str> {
        let Self::Service(_, error) = self else { return None };
        error["__type"].as_str()?.rsplit('#').next()
    }
}

fn signed_headers(url: &str, target: &str, body: &str, credentials: SdkCredentials) -> Vec<(String, String)> {
    let headers = [("content-type", CONTENT_TYPE), ("x-amz-target", target)];
    let identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("dynamodb")
        .time(SystemTime::now())
        .settings(SigningSettings::default());
    let parameters = parameters.build().unwrap().into();
    let body = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new("POST", url, headers.into_iter(), body).unwrap();
    let (signature, _) = sign(request, &parameters).unwrap().into_parts();
    headers.into_iter().chain(signature.headers()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
