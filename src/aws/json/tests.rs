use std::collections::HashMap;

use aws_config::Region;

use super::*;
use crate::aws::{failure, retry};

const API: JsonApi =
    JsonApi { name: "dynamodb", id: "DynamoDB", content_type: "application/x-amz-json-1.0", longest_answer: 1000 };

fn service() -> JsonService {
    let sdk = SdkConfig::builder().region(Region::from_static("eu-west-1")).build();
    JsonService::new(API, &sdk, &Transport::new().unwrap(), Duration::from_secs(1))
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

#[test]
fn each_region_has_an_endpoint_of_its_partition() {
    let builder = SdkConfig::builder;
    let (plain, fips, dual) =
        (builder().build(), builder().use_fips(true).build(), builder().use_dual_stack(true).build());
    for (name, region, sdk, expected) in [
        ("ssm", "eu-west-1", &plain, "https://ssm.eu-west-1.amazonaws.com"),
        ("ssm", "us-gov-west-1", &plain, "https://ssm.us-gov-west-1.amazonaws.com"),
        ("ssm", "cn-north-1", &plain, "https://ssm.cn-north-1.amazonaws.com.cn"),
        ("ssm", "us-gov-west-1", &fips, "https://ssm-fips.us-gov-west-1.amazonaws.com"),
        ("dynamodb", "ap-southeast-1", &plain, "https://dynamodb.ap-southeast-1.amazonaws.com"),
        ("dynamodb", "us-east-1", &fips, "https://dynamodb-fips.us-east-1.amazonaws.com"),
        ("dynamodb", "us-gov-west-1", &fips, "https://dynamodb.us-gov-west-1.amazonaws.com"),
        ("dynamodb", "eu-west-1", &dual, "https://dynamodb.eu-west-1.api.aws"),
        ("dynamodb", "cn-north-1", &dual, "https://dynamodb.cn-north-1.api.amazonwebservices.com.cn"),
    ] {
        assert_eq!(endpoint(name, region, sdk), expected);
    }
}

#[test]
fn without_a_region_there_is_nowhere_to_send_to_and_an_endpoint_of_the_environment_replaces_aws_s() {
    assert!(Address::of(API, &SdkConfig::builder().build()).is_none());
    let sdk = SdkConfig::builder().region(Region::from_static("eu-west-1")).endpoint_url("http://127.0.0.1:1/").build();
    let address = Address::of(API, &sdk).unwrap();
    assert_eq!((address.origin.host.to_str().unwrap(), address.path.1.as_str()), ("127.0.0.1:1", "/"));
    let below = sdk.to_builder().endpoint_url("http://127.0.0.1:1/a%20b").build();
    let path = Address::of(API, &below).unwrap().path;
    assert_eq!((path.0.to_string().as_str(), path.1.as_str()), ("/a%20b/", "/a%2520b/"));
}

#[test]
fn a_refusal_is_known_by_its_code_and_an_unreadable_answer_by_its_status() {
    let text = |status: u16, body: &str| {
        let read: Result<HashMap<String, String>, _> = service().read(answer(status, body));
        read.map_err(|error| failure(&error).to_string())
    };
    assert_eq!(text(200, r#"{"Name":"n"}"#), Ok(HashMap::from([("Name".to_owned(), "n".to_owned())])));
    for (status, body, expected) in [
        (400, r#"{"__type":"ParameterNotFound","message":"key"}"#, "ParameterNotFound"),
        (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#, "ThrottlingException"),
        (400, r#"{"code":"ThrottlingException"}"#, "ThrottlingException"),
        (503, "<html>key</html>", "an error without a code, HTTP 503"),
        (200, r#"{"Name":{"Value":"key"}}"#, "an answer that could not be read, HTTP 200"),
        (200, r#"{"Name":"ke"#, "an answer that could not be read, HTTP 200"),
    ] {
        assert_eq!(text(status, body), Err(expected.to_owned()), "{body}");
    }
}

#[test]
fn after_a_refused_signature_requests_are_signed_by_aws_s_clock() {
    let service = service();
    let hour = Duration::from_secs(3600);
    for there in [SystemTime::now() + hour, SystemTime::now() - hour, SystemTime::now()] {
        let mut refused = answer(400, r#"{"__type":"InvalidSignatureException"}"#);
        refused.headers_mut().insert(DATE, httpdate::fmt_http_date(there).parse().unwrap());
        let error = service.read::<()>(refused).unwrap_err();
        let SdkError::ServiceError(refusal) = &error else { panic!("{error:?}") };
        assert!(refusal.err().code().is_some_and(retry::is_of_the_signature));
        let apart = |time: SystemTime| time.duration_since(there).unwrap_or_else(|error| error.duration());
        assert!(apart(service.clock()) < Duration::from_secs(60));
    }
}
