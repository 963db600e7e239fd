//! `GetParameter` of AWS Systems Manager (docs/decisions/0044-ssm-parameter.md).

use aws_config::SdkConfig;
use serde::{Deserialize, Serialize};

use super::{
    SILENCE,
    json::{JsonApi, JsonService, RequestError},
};
use crate::transport::Transport;

const SSM: JsonApi = JsonApi {
    name: "ssm",
    id: "SSM",
    content_type: "application/x-amz-json-1.1",
    // A parameter has 8 KB at most, and JSON may write each byte as six.
    longest_answer: 64 << 10,
};

/// Reads parameters.
#[derive(Debug)]
pub(crate) struct Parameters(JsonService);

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

impl Parameters {
    /// With the SDK's credentials, region and endpoint.
    pub(crate) fn new(sdk: &SdkConfig, transport: &Transport) -> Self {
        Self(JsonService::new(SSM, sdk, transport, SILENCE))
    }

    /// The current value of a parameter, decrypted.
    ///
    /// # Errors
    /// As the SDK's; [`super::failure`] describes them.
    pub(crate) async fn get(&self, name: &str) -> Result<Parameter, RequestError> {
        let answer = self.0.call("AmazonSSM.GetParameter", &GetParameter { name, with_decryption: true }).await;
        answer.map(|Answer { parameter }| parameter)
    }
}
