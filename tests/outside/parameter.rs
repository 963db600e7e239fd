//! The apps document in a parameter of Systems Manager: fetched in Init and read again as the secret is.

use std::sync::Arc;

use lambda_sim::{AwsApi, Fault, Function, Garbling, InitFailure, Operation, Outcome, RunningAwsApi};

use crate::stage::{SECRETS, Stage, function, login, numbered};

const NAME: &str = "/tpns/apps";

fn with_parameter(aws: &RunningAwsApi, settings: &[(&str, &str)]) -> Arc<Function> {
    let url = aws.url();
    let own = [("TPNS_APPS_SSM_PARAMETER", NAME), ("AWS_ENDPOINT_URL", url.as_str())];
    function("", &[&own, settings].concat())
}

/// The single line of a function that does not start.
async fn refusal(aws: &RunningAwsApi) -> String {
    let function = with_parameter(aws, &[]);
    let outcome = function.invoke(numbered(&[login(1, "t1", &["x"])])).await.unwrap().outcome;
    assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{outcome:?}");
    let printed = String::from_utf8(function.output().unwrap()).unwrap();
    assert!(printed.lines().count() == 1 && !printed.contains("topsecret"), "{printed}");
    serde_json::from_str::<serde_json::Value>(&printed).unwrap()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_rotated_in_the_parameter_needs_no_restart() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    let good = stage.tpns.apps_document();
    aws.put_secret(NAME, good.replace(SECRETS[0], "the-old-key")).unwrap();
    let stage = Stage { function: with_parameter(&aws, &[]), tpns: stage.tpns };
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, ["m0"]);
    aws.put_secret(NAME, good.as_str()).unwrap();
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), ["x/0"]);
    let requests = aws.requests();
    assert_eq!(requests.len(), 3, "in Init, and after each refusal");
    assert!(requests.iter().all(|request| request.operation == Some(Operation::GetParameter)), "{requests:?}");
    assert!(!stage.printed().contains(SECRETS[0]) && !stage.printed().contains("the-old-key"));
}

#[tokio::test]
async fn a_parameter_that_is_old_is_read_again_and_one_that_can_not_be_read_leaves_the_old_one_in_force() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::new().await;
    aws.put_secret(NAME, stage.tpns.apps_document()).unwrap();
    let stage = Stage { function: with_parameter(&aws, &[("TPNS_APPS_MAX_AGE", "1s")]), tpns: stage.tpns };
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, [""; 0]);
    let before = aws.requests().len();
    aws.fail_next(Operation::GetParameter, usize::MAX, Fault::AccessDenied);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(stage.batch(&[login(2, "t1", &["y"])]).await, [""; 0]);
    assert_eq!(aws.requests().len() - before, 1);
    let printed = stage.printed();
    let expected = "TPNS_APPS_SSM_PARAMETER: could not be fetched (AccessDeniedException); check the name, the role's \
                    ssm:GetParameter, and the network; the apps document read before stays in force";
    assert!(printed.contains(expected), "{printed}");
}

#[tokio::test]
async fn an_unusable_parameter_stops_init_with_one_line() {
    let aws = AwsApi::start().await.unwrap();
    let expected = "TPNS_APPS_SSM_PARAMETER: could not be fetched (ParameterNotFound); check the name, ";
    let missing = refusal(&aws).await;
    assert!(missing.starts_with(expected), "{missing}");
    aws.put_secret(NAME, "topsecret").unwrap();
    let expected = "TPNS_APPS_SSM_PARAMETER: the parameter's document is not valid JSON";
    let unreadable = refusal(&aws).await;
    assert!(unreadable.starts_with(expected), "{unreadable}");
    for (fault, reason) in [
        (Fault::Garbled(Garbling::WrongType), "an answer that could not be read, HTTP 200"),
        (Fault::Garbled(Garbling::NoCode), "an error without a code, HTTP 400"),
        (Fault::AccessDenied, "AccessDeniedException"),
    ] {
        let aws = AwsApi::start().await.unwrap();
        aws.fail_next(Operation::GetParameter, usize::MAX, fault);
        let failed = refusal(&aws).await;
        assert!(failed.starts_with(&format!("TPNS_APPS_SSM_PARAMETER: could not be fetched ({reason}); ")), "{failed}");
    }
}

#[tokio::test]
async fn a_hanging_systems_manager_is_called_twice_and_init_ends_in_time() {
    let aws = AwsApi::start().await.unwrap();
    aws.fail_next(Operation::GetParameter, usize::MAX, Fault::Hang);
    let refusal = refusal(&aws).await;
    assert!(refusal.starts_with("TPNS_APPS_SSM_PARAMETER: was not answered in time; check "), "{refusal}");
    assert!(refusal.contains("an endpoint for Systems Manager"), "{refusal}");
    assert_eq!(aws.requests().len(), 2);
}
