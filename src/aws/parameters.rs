//! `GetParameter` of AWS Systems Manager, as a request of our own over the same connections: the SDK's crate would cost
//! more than all that this function needs of it (docs/decisions/0044-ssm-parameter.md).

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    config::{ProvideCredentials, http::HttpResponse},
    error::{ErrorMetadata, SdkError},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{identity::Identity, result::ConnectorError};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use super::{CONNECT_TIMEOUT, SILENCE, UNLIMITED, failed};
use crate::transport::{RequestLimits, Transport};

const SERVICE: &str = "ssm";
const TARGET: (&str, &str) = ("x-amz-target", "AmazonSSM.GetParameter");
const JSON: &str = "application/x-amz-json-1.1";
const LIMITS: RequestLimits = RequestLimits {
    connect: CONNECT_TIMEOUT,
    exchange: UNLIMITED,
    silence: SILENCE,
    // A parameter has 8 KB at most, and JSON may write each byte as six.
    body: 64 << 10,
};

type Failure = SdkError<ErrorMetadata, HttpResponse>;

/// Reads parameters.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    sdk: SdkConfig,
    transport: Transport,
}

/// A parameter's current value.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    pub(crate) r#type: String,
    pub(crate) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter<'a> {
    name: &'a str,
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    code: String,
}

impl Parameters {
    /// With the SDK's credentials, region and endpoint.
    pub(crate) fn new(sdk: &SdkConfig, transport: &Transport) -> Self {
        Self { sdk: sdk.clone(), transport: transport.clone() }
    }

    /// The current value of a parameter, decrypted.
    ///
    /// # Errors
    /// As the SDK's; [`super::failure`] describes them.
    pub(crate) async fn get(&self, name: &str) -> Result<Parameter, Failure> {
        let request = self.signed(name).await?;
        let sent = self.transport.send(request, LIMITS).await;
        read(sent.map_err(|error| SdkError::dispatch_failure(failed(error)))?)
    }

    async fn signed(&self, name: &str) -> Result<Request<Full<Bytes>>, Failure> {
        let body = serde_json::to_vec(&GetParameter { name, with_decryption: true }).map_err(unsendable)?;
        let region = self.sdk.region().ok_or_else(|| unsendable("Missing Region"))?.as_ref();
        let url = self.sdk.endpoint_url().map_or_else(|| endpoint(region), |url| url.trim_end_matches('/').to_owned());
        let url = format!("{url}/");
        let credentials = self.sdk.credentials_provider().ok_or_else(|| unsendable("no credentials"))?;
        let credentials = credentials.provide_credentials().await;
        let identity = Identity::from(
            credentials.map_err(|error| SdkError::dispatch_failure(ConnectorError::other(error.into(), None)))?,
        );
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(unsendable)?
            .into();
        let headers = [(CONTENT_TYPE.as_str(), JSON), TARGET];
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(&body));
        let (signature, _) = signable.and_then(|request| sign(request, &parameters)).map_err(unsendable)?.into_parts();
        let mut request = Request::post(&url).header(headers[0].0, headers[0].1).header(TARGET.0, TARGET.1);
        for (name, value) in signature.headers() {
            request = request.header(name, value);
        }
        request.body(Full::new(body.into())).map_err(unsendable)
    }
}

fn endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{SERVICE}.{region}.{domain}")
}

#[expect(clippy::result_large_err, reason = "it is the error of every request of the SDK")]
fn read(answer: Response<Vec<u8>>) -> Result<Parameter, Failure> {
    let (status, body) = (answer.status(), answer.body().clone());
    let raw = HttpResponse::try_from(answer.map(SdkBody::from)).map_err(unsendable)?;
    if status.is_success() {
        return match serde_json::from_slice(&body) {
            Ok(Answer { parameter }) => Ok(parameter),
            Err(error) => Err(SdkError::response_error(error, raw)),
        };
    }
    let mut refusal = ErrorMetadata::builder();
    if let Ok(Refusal { code }) = serde_json::from_slice(&body) {
        // It may be qualified by a namespace.
        refusal = refusal.code(code.rsplit('#').next().unwrap_or_default());
    }
    Err(SdkError::service_error(refusal.build(), raw))
}

fn unsendable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    SdkError::construction_failure(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_an_endpoint_of_its_partition() {
        assert_eq!(endpoint("eu-west-1"), "https://ssm.eu-west-1.amazonaws.com");
        assert_eq!(endpoint("us-gov-west-1"), "https://ssm.us-gov-west-1.amazonaws.com");
        assert_eq!(endpoint("cn-north-1"), "https://ssm.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_refusal_is_known_by_its_code_and_an_unreadable_answer_by_its_status() {
        let failure = |status: u16, body: &str| {
            let answer = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
            read(answer).map(|parameter| parameter.value).map_err(|error| super::super::failure(&error).to_string())
        };
        let good = r#"{"Parameter":{"Name":"n","Type":"SecureString","Value":"{}","Version":1}}"#;
        assert_eq!(failure(200, good), Ok("{}".to_owned()));
        for (status, body, text) in [
            (400, r#"{"__type":"ParameterNotFound","message":"key"}"#, "ParameterNotFound"),
            (400, r#"{"__type":"com.amazonaws.ssm#ThrottlingException"}"#, "ThrottlingException"),
            (503, "<html>key</html>", "an error without a code, HTTP 503"),
            (200, r#"{"Parameter":{"Value":"key"}}"#, "an answer that could not be read, HTTP 200"),
        ] {
            assert_eq!(failure(status, body), Err(text.to_owned()), "{body}");
        }
    }
}
