//! Secrets Manager.

use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use lambda_sim::{Operation, aws::SecretError};

use super::{SECRET, World};

#[tokio::test]
async fn a_secret_has_its_current_value() {
    let world = World::new().await;
    for value in ["the secret", "another one"] {
        world.api.put_secret(SECRET, value).unwrap();
        let secret = world.secret().send().await.unwrap();
        assert_eq!((secret.name(), secret.secret_string()), (Some(SECRET), Some(value)));
        assert_eq!(secret.version_stages(), ["AWSCURRENT"]);
        assert!(secret.created_date().is_some_and(|date| date.secs() > 1_700_000_000));
    }
    let request = &world.api.requests()[1];
    assert_eq!((request.operation, request.status), (Some(Operation::GetSecretValue), Some(200)));
}

#[tokio::test]
async fn an_unknown_secret_is_not_found() {
    let world = World::new().await;
    let error = world.secret().secret_id("other").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    assert_eq!(world.api.requests()[0].error.as_deref(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_secret_that_secrets_manager_would_not_keep_is_refused() {
    let world = World::new().await;
    assert_eq!(world.api.put_secret("a b", "x"), Err(SecretError::Name("a b".into())));
    assert_eq!(world.api.put_secret("a", ""), Err(SecretError::Length(0)));
    assert_eq!(world.api.put_secret("a", "x".repeat(65_537)), Err(SecretError::Length(65_537)));
    assert!(world.api.put_secret("a", "x".repeat(65_536)).is_ok());
}
