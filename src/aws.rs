//! AWS's SDK, over the same connections as TPNS. Its own client would read the system's roots, 154 files on Debian and
//! most of what Init takes with a ledger, and would draw dead connections from its pool again and again.

pub(crate) mod json;
mod parameters;
mod retry;
mod signature;

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableRegionProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
pub(crate) use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::error::SdkError;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Full};
use hyper::Request;

pub(crate) use self::{
    json::RequestError,
    parameters::Parameters,
    retry::{Tries, send},
};
pub(crate) use aws_failure::{AwsError, aws_code};

use crate::transport::{NoConnection, Origin, RequestLimits, Transport, TransportError, path};

/// AWS's services answer within milliseconds: a kept connection that is silent for this long is dead.
const SILENCE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Where the SDK sets no limit: a whole try has one ([`send`]).
const UNLIMITED: Duration = Duration::from_secs(3600);
/// `BatchGetItem` answers with at most 16 MB, and DynamoDB's JSON doubles some characters.
pub(crate) const LONGEST_ANSWER: usize = 64 << 20;

/// The SDK's configuration, from Lambda's environment. A kept connection may be silent for half of `timeout` at most,
/// the time that a call to TPNS has. Nothing is asked over the network for it: Lambda sets the region, and where it
/// does not, the SDK would look for one on a machine of EC2.
pub(crate) async fn sdk(transport: &Transport, timeout: Duration) -> SdkConfig {
    let client = SharedHttpClient::new(Client { transport: transport.clone(), silence: silence(timeout) });
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .region(EnvironmentVariableRegionProvider::new())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        // `send` tries again.
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

/// How long a kept connection may be silent, where a call to TPNS has this timeout.
pub(crate) fn silence(timeout: Duration) -> Duration {
    SILENCE.min(timeout / 2)
}

/// What the SDK sends requests with.
#[derive(Clone, Debug)]
struct Client {
    transport: Transport,
    silence: Duration,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let exchange = settings.read_timeout().unwrap_or(UNLIMITED);
        let limits = RequestLimits {
            connect: settings.connect_timeout().unwrap_or(UNLIMITED),
            exchange,
            silence: self.silence.min(exchange),
            body: LONGEST_ANSWER,
        };
        SharedHttpConnector::new(Connector { transport: self.transport.clone(), limits })
    }
}

#[derive(Debug)]
struct Connector {
    transport: Transport,
    limits: RequestLimits,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (transport, limits) = (self.transport.clone(), self.limits);
        HttpConnectorFuture::new(async move {
            let (head, body) =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
            let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
            let nowhere = || failed(NoConnection::Unresolved.into());
            let (origin, path) = (Origin::of(&head.uri).ok_or_else(nowhere)?, path(&head.uri));
            let request = || {
                let mut request = Request::new(Full::new(body.clone()));
                *request.method_mut() = head.method.clone();
                *request.uri_mut() = path.clone();
                *request.headers_mut() = head.headers.clone();
                request
            };
            let response = transport.send(&origin, request, limits).await.map_err(failed)?;
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Why a request failed: the one description of an SDK error.
pub(crate) fn failure<E>(error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    AwsError::over_own_connections(error, |source| source.downcast_ref::<TransportError>().map(ToString::to_string))
}

/// As the SDK classifies them: each of these is retried.
fn failed(error: TransportError) -> ConnectorError {
    match error {
        TransportError::Timeout | TransportError::NoConnection(NoConnection::TimedOut) => {
            ConnectorError::timeout(error.into())
        }
        TransportError::NoConnection(_) | TransportError::Broken | TransportError::TooLong => {
            ConnectorError::io(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;

    use super::*;

    #[test]
    fn a_failed_connection_shows_our_own_text() {
        let broken = ConnectorError::io(Box::new(TransportError::Broken));
        let error: SdkError<SendMessageBatchError, _> = SdkError::dispatch_failure(broken);
        assert_eq!(failure(&error).to_string(), TransportError::Broken.to_string());
    }

    #[tokio::test]
    async fn the_sdk_has_our_client() {
        let sdk = sdk(&Transport::new().unwrap(), SILENCE).await;
        assert!(format!("{:?}", sdk.http_client()).contains("Transport"));
    }
}
