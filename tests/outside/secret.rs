//! The apps document in Secrets Manager: fetched in Init, rotated without a restart.

use lambda_sim::{AwsApi, Fault as AwsFault, InitFailure, Operation, Outcome};
use serde_json::json;

use crate::stage::{SECRETS, Stage, login, numbered, secret_function};

const ID: &str = "tpns/apps";

#[tokio::test]
async fn a_key_rotated_at_tpns_and_in_the_secret_needs_no_restart() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    let good = stage.tpns.apps_document();
    let old = good.replace(SECRETS[0], "the-old-key");
    aws.put_secret(ID, old.as_str()).unwrap();
    let stage = Stage { function: secret_function(ID, &aws.url()), tpns: stage.tpns };
    // The secret is not rotated yet: it is fetched again in the invocation, with the old key.
    assert_eq!(stage.batch(&[login(1, "t1", &["x"]), login(1, "t2", &["y"])]).await, ["m0", "m1"]);
    assert_eq!(aws.requests().len(), 2, "in Init, and once more");
    assert_eq!(stage.calls().len(), 1, "refused once, and then left alone");
    aws.put_secret(ID, good.as_str()).unwrap();
    assert_eq!(stage.batch(&[login(1, "t1", &["x"]), login(1, "t2", &["y"])]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t2"), ["y/0"]);
    assert_eq!(aws.requests().len(), 3);
    assert_eq!(stage.batch(&[login(2, "t1", &["z"])]).await, [""; 0]);
    assert_eq!((aws.requests().len(), stage.function.cold_starts()), (3, 1), "the new key stays in force");
    let printed = stage.printed();
    assert!(!printed.contains("the-old-key") && !printed.contains(SECRETS[0]), "{printed}");
}

#[tokio::test]
async fn a_rotated_document_may_have_another_order_of_apps() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    let good: serde_json::Value = serde_json::from_str(&stage.tpns.apps_document()).unwrap();
    let mut old = good.clone();
    old["android"]["secret_key"] = json!("the-old-key");
    let (android, ios) = (&good["android"], &good["ios"]);
    aws.put_secret(ID, format!(r#"{{"android":{},"ios":{}}}"#, old["android"], ios)).unwrap();
    let stage = Stage { function: secret_function(ID, &aws.url()), tpns: stage.tpns };
    assert_eq!(stage.batch(&[login(1, "t0", &["x"])]).await, ["m0"]);
    aws.put_secret(ID, format!(r#"{{"ios":{ios},"android":{android}}}"#)).unwrap();
    let on_ios = login(1, "t1", &["y"]).replace("\"android\"", "\"ios\"");
    assert_eq!(stage.batch(&[login(1, "t0", &["x"]), on_ios.clone()]).await, [""; 0]);
    assert_eq!(stage.batch(&[login(2, "t0", &["x"]), on_ios]).await, [""; 0]);
    assert_eq!((stage.bound("android", "t0"), stage.bound("ios", "t1")), (vec!["x/0".into()], vec!["y/0".into()]));
}

#[tokio::test]
async fn an_unusable_secret_stops_init_with_one_line() {
    let aws = AwsApi::start().await.unwrap();
    for (document, expected) in [
        (None, "TPNS_APPS_SECRET_ID: could not be fetched (ResourceNotFoundException); "),
        (Some("topsecret"), "TPNS_APPS_SECRET_ID: the secret's document is not valid JSON"),
        (
            Some(r#"{"android":{"access_id":1,"secret_key":"topsecret","region":"mars"}}"#),
            "TPNS_APPS_SECRET_ID: the secret's document android.region must be one of",
        ),
    ] {
        if let Some(document) = document {
            aws.put_secret(ID, document).unwrap();
        }
        let function = secret_function(ID, &aws.url());
        let outcome = function.invoke(numbered(&[login(1, "t1", &["x"])])).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{outcome:?}");
        let printed = String::from_utf8(function.output().unwrap()).unwrap();
        assert!(
            printed.lines().count() == 1 && printed.contains(expected) && !printed.contains("topsecret"),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn when_the_secret_cannot_be_fetched_again_the_current_keys_stay_in_force() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    aws.put_secret(ID, stage.tpns.apps_document()).unwrap();
    let stage = Stage { function: secret_function(ID, &aws.url()), tpns: stage.tpns };
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, [""; 0]);
    for fault in [AwsFault::AccessDenied, AwsFault::Hang] {
        aws.fail_next(Operation::GetSecretValue, usize::MAX, fault);
        stage.tpns.fault(tpns_sim::Fault::ret_code(1_008_003));
        assert_eq!(stage.batch(&[login(2, "t1", &["y"])]).await, ["m0"], "{fault:?}");
        assert_eq!(stage.batch(&[login(2, "t1", &["y"])]).await, [""; 0], "{fault:?}");
        aws.clear_faults();
    }
    assert_eq!(stage.function.cold_starts(), 1);
}
