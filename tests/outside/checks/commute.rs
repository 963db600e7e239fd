//! Order between two calls on one device can't be relied on, so no state needs two ordered calls.

use std::time::Duration;

use lambda_sim::AwsApi;
use serde_json::json;
use test_support::stage::{SECRETS, at, function_within};
use tpns_sim::{Sim, model::OverrideMode};

use super::TABLE;
use crate::stage::{Stage, login, logout};

/// A function with a ledger and without checks, before a TPNS that applies accepted calls within this time, in any order.
async fn world(within: Duration, seed: u64, mode: OverrideMode) -> (Stage, lambda_sim::RunningAwsApi) {
    eprintln!("seed {seed}");
    let aws = AwsApi::start().await.unwrap();
    aws.create_table(TABLE, "pk");
    let tpns = Sim::builder()
        .app("android", 1_500_001_048_u64, SECRETS[0])
        .apply_within(within, seed)
        .override_mode(mode)
        .start()
        .await
        .unwrap();
    let endpoint = aws.url();
    let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", endpoint.as_str())];
    let function = function_within(Duration::from_secs(20), &tpns.apps_document(), &settings);
    (Stage { tpns, function }, aws)
}

#[tokio::test]
async fn partial_logouts_are_right_at_once_in_whatever_order_tpns_applies_calls() {
    for mode in [OverrideMode::PerType, OverrideMode::Replace] {
        let (stage, _aws) = world(Duration::from_millis(150), 7, mode).await;
        let tokens: Vec<_> = (0..200).map(|n| format!("t{n}")).collect();
        // TPNS keeps a hundred devices of an account, so each device has accounts of its own.
        let logins: Vec<_> =
            tokens.iter().map(|token| login(1, token, &[&format!("a-{token}"), &format!("b-{token}")])).collect();
        for logins in logins.chunks(50) {
            assert!(stage.batch(logins).await.is_empty());
        }
        stage.tpns.settle().await;
        let logouts: Vec<_> = tokens
            .iter()
            .map(|token| {
                json!({"type": "user.logout", "occurred_at": at(2), "app": "android", "token": token,
                       "account_list": [{"account": format!("b-{token}"), "account_type": 1}]})
                .to_string()
            })
            .collect();
        for logouts in logouts.chunks(50) {
            assert!(stage.batch(logouts).await.is_empty());
        }
        stage.tpns.settle().await;
        let bound = |token: &String| (token.clone(), stage.bound("android", token));
        let wrong: Vec<_> =
            tokens.iter().map(bound).filter(|(token, bound)| *bound != [format!("a-{token}/0")]).collect();
        assert_eq!(wrong.len(), 0, "{wrong:?}");
        assert!(stage.tpns.effects().overtaken > 0, "nothing was overtaken, so nothing was tried");
    }
}

/// A and its second account are bound; then, in one batch, a logout of all and a login of another account.
#[tokio::test]
async fn a_change_of_accounts_leaves_nothing_bound_under_the_types_that_the_new_login_does_not_name() {
    for mode in [OverrideMode::PerType, OverrideMode::Replace] {
        let (stage, _aws) = world(Duration::ZERO, 0, mode).await;
        assert!(stage.batch(&[login(1, "t", &["aa", "bb"])]).await.is_empty());
        assert!(stage.batch(&[logout(2, "t"), login(3, "t", &["cc"])]).await.is_empty());
        assert_eq!(stage.bound("android", "t"), ["cc/0"]);
    }
}

#[tokio::test]
async fn a_login_that_tpns_rejects_leaves_no_one_bound() {
    let (stage, _aws) = world(Duration::ZERO, 0, OverrideMode::PerType).await;
    assert!(stage.batch(&[login(1, "t", &["aa"])]).await.is_empty());
    stage.tpns.fault(tpns_sim::Fault::item_code(1_008_007).account("x"));
    stage.tpns.fault(tpns_sim::Fault::item_code(1_008_007).account("x"));
    // The older login is superseded, and the rejected one is reported.
    assert_eq!(stage.batch(&[login(2, "t", &["yy"]), login(3, "t", &["x"])]).await, ["m1"]);
    assert!(stage.bound("android", "t").is_empty());
}
