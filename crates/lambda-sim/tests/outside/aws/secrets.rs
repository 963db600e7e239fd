//! Secrets Manager.

use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use lambda_sim::aws::SecretError;
use lambda_sim::{AwsApi, Operation};

use super::secrets;

const ARN: &str = "arn:aws:secretsmanager:us-east-2:123456789012:secret:tpns/apps-AbC123";

#[tokio::test]
async fn a_secret_is_found_by_name_by_arn_and_by_arn_without_suffix() {
    let api = AwsApi::start().await.unwrap();
    let version = api.put_secret(ARN, "{}").unwrap();
    let client = secrets(&api);
    for id in ["tpns/apps", ARN, &ARN[..ARN.len() - 7]] {
        let secret = client.get_secret_value().secret_id(id).send().await.unwrap();
        assert_eq!((secret.secret_string(), secret.secret_binary()), (Some("{}"), None), "{id}");
        assert_eq!((secret.arn(), secret.name()), (Some(ARN), Some("tpns/apps")));
        assert_eq!(
            (secret.version_id(), secret.version_stages()),
            (Some(version.as_str()), &["AWSCURRENT".into()][..])
        );
        assert!(secret.created_date().is_some_and(|date| date.secs() > 1_700_000_000));
    }
    let request = &api.requests()[2];
    assert_eq!((request.operation, request.status), (Some(Operation::GetSecretValue), Some(200)));

    for without_suffix in [&ARN[..ARN.len() - 7], &format!("{}-ab.123", &ARN[..ARN.len() - 7])] {
        let api = AwsApi::start().await.unwrap();
        api.put_secret(without_suffix, "{}").unwrap();
        let secret = secrets(&api).get_secret_value().secret_id(without_suffix).send().await.unwrap();
        assert!(secret.arn().is_some_and(|arn| arn.len() == without_suffix.len() + 7), "{secret:?}");
        assert_eq!(secret.name(), without_suffix.split(":secret:").nth(1));
    }

    api.put_secret("plain", "p").unwrap();
    let arn = client.get_secret_value().secret_id("plain").send().await.unwrap().arn().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-2:123456789012:secret:plain-"), "{arn}");
    assert_eq!(client.get_secret_value().secret_id(arn).send().await.unwrap().secret_string(), Some("p"));
}

#[tokio::test]
async fn a_rotated_secret_gives_its_new_value_and_on_request_the_old_one() {
    let api = AwsApi::start().await.unwrap();
    let client = secrets(&api);
    let first = api.put_secret("apps", "one").unwrap();
    let previous = || client.get_secret_value().secret_id("apps").version_stage("AWSPREVIOUS").send();
    let error = previous().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());

    let second = api.put_secret("apps", "two").unwrap();
    let current = client.get_secret_value().secret_id("apps").send().await.unwrap();
    assert_eq!((current.secret_string(), current.version_id()), (Some("two"), Some(second.as_str())));
    assert_eq!(previous().await.unwrap().secret_string(), Some("one"));
    let by_version = client.get_secret_value().secret_id("apps").version_id(&first);
    assert_eq!(by_version.clone().send().await.unwrap().secret_string(), Some("one"));
    let error = by_version.version_stage("AWSCURRENT").send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_request_exception());
}

#[tokio::test]
async fn a_binary_secret_comes_as_bytes() {
    let api = AwsApi::start().await.unwrap();
    api.put_secret("key", vec![0, 159, 255]).unwrap();
    let secret = secrets(&api).get_secret_value().secret_id("key").send().await.unwrap();
    assert_eq!(secret.secret_binary().map(|blob| blob.as_ref()), Some(&[0, 159, 255][..]));
    assert_eq!(secret.secret_string(), None);
}

#[tokio::test]
async fn an_unknown_or_removed_secret_is_not_found() {
    let api = AwsApi::start().await.unwrap();
    api.put_secret("apps", "one").unwrap();
    assert!(api.remove_secret("apps") && !api.remove_secret("apps"));
    let error = secrets(&api).get_secret_value().secret_id("apps").send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
    assert_eq!(error.message(), Some("Secrets Manager can't find the specified secret."));
    assert_eq!(api.requests()[0].error.as_deref(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_secret_that_aws_would_not_keep_is_not_kept() {
    let api = AwsApi::start().await.unwrap();
    assert_eq!(api.put_secret("a b", "x"), Err(SecretError::Name("a b".into())));
    assert_eq!(api.put_secret("a", ""), Err(SecretError::Length(0)));
    assert_eq!(api.put_secret("a", "x".repeat(65_537)), Err(SecretError::Length(65_537)));
    assert!(api.put_secret("a", "x".repeat(65_536)).is_ok());
}
