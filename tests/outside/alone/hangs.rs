//! Calls that hang, are slow or break, and what is beside them.

use std::time::Duration;

use lambda_sim::Service;
use tpns_sim::Fault;

use super::{Scene, deletion_of, delivery, failed, on_ios};
use crate::stage::{login, logout, logout_of};

const TIME: Duration = Duration::from_secs(10);

fn logins(count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

#[tokio::test]
async fn only_what_waits_for_a_deletion_that_hangs_waits() {
    for ledger in [false, true] {
        for timeout in ["5000", "60000"] {
            let Scene { stage, aws: _aws } = Scene::new(ledger, TIME, &[("TPNS_TIMEOUT_MS", timeout)]).await;
            stage.tpns.fault(Fault::hang().operator_type(5).forever());
            let bodies = [
                deletion_of(1, "android", &["gone".into()]),
                logout(2, "t-out"),
                login(2, "t-in", &["someone"]),
                login(2, "t-back", &["gone"]),
                logout_of(2, "t-part", "someone"),
                on_ios(login(2, "t-in", &["someone"])),
            ];
            stage.batch(&[login(0, "t-out", &["someone"])]).await;
            assert_eq!(stage.batch(&bodies).await, ["m0", "m3"], "ledger {ledger}, {timeout}");
            let failed = failed(&stage);
            assert_eq!(failed["m0"], "retry tpns_timeout");
            assert_eq!(failed["m3"], "retry waits_for_another_call");
            assert_eq!(stage.bound("android", "t-out"), [""; 0]);
            assert_eq!(stage.bound("android", "t-in"), ["someone/0"]);
            assert_eq!(stage.bound("ios", "t-in"), ["someone/0"]);
        }
    }
}

#[tokio::test]
async fn a_login_waits_for_its_own_deletion_and_for_no_other() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[("TPNS_TIMEOUT_MS", "60000")]).await;
    stage.tpns.fault(Fault::hang().operator_type(5).account("hangs").forever());
    // Enough deletions for two calls, of which one hangs.
    let fine: Vec<_> = (0..25).map(|n| format!("fine{n}")).collect();
    let bodies = [
        deletion_of(1, "android", &fine),
        deletion_of(1, "android", &["hangs".into()]),
        login(2, "t-fine", &["fine3"]),
        login(2, "t-hangs", &["hangs"]),
    ];
    let failures = stage.batch(&bodies).await;
    assert_eq!(stage.bound("android", "t-fine"), ["fine3/0"]);
    assert!(failures.contains(&"m1".to_owned()) && failures.contains(&"m3".to_owned()), "{failures:?}");
    assert!(!failures.contains(&"m2".to_owned()), "{failures:?}");
}

#[tokio::test]
async fn a_deletion_that_is_never_taken_holds_a_login_in_its_first_delivery_only() {
    for ledger in [false, true] {
        for fault in [Fault::status(503), Fault::hang(), Fault::ret_code(1_008_004)] {
            let Scene { stage, aws: _aws } = Scene::new(ledger, TIME, &[]).await;
            stage.tpns.fault(fault.clone().operator_type(5).forever());
            let bodies = [deletion_of(1, "android", &["gone".into()]), login(2, "t-back", &["gone"])];
            for (count, expected) in [(1, vec!["m0", "m1"]), (2, vec!["m0"]), (5, vec!["m0"])] {
                let answer = stage.invoke(delivery(count, &bodies)).await;
                assert_eq!(crate::stage::failures(&answer), expected, "ledger {ledger}, {fault:?}, delivery {count}");
            }
            assert_eq!(stage.bound("android", "t-back"), ["gone/0"]);
        }
    }
}

/// The other way round: where the deletion is taken, the login comes after it, in any delivery.
#[tokio::test]
async fn a_login_comes_after_its_deletion_in_any_delivery() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    stage.tpns.fault(Fault::delay(700).operator_type(5).forever());
    for count in 1..4 {
        let bodies = [deletion_of(1, "android", &["gone".into()]), login(2, "t-back", &["gone"])];
        let answer = stage.invoke(delivery(count, &bodies)).await;
        assert_eq!(crate::stage::failures(&answer), [""; 0]);
        assert_eq!(stage.bound("android", "t-back"), ["gone/0"]);
    }
}

#[tokio::test]
async fn a_slow_app_leaves_the_others_their_share_of_the_calls() {
    for (concurrency, apps) in [("8", 2), ("1", 2), ("2", 2)] {
        for ledger in [false, true] {
            let Scene { stage, aws: _aws } =
                Scene::new(ledger, TIME, &[("TPNS_CONCURRENCY", concurrency), ("TPNS_TIMEOUT_MS", "60000")]).await;
            stage.tpns.fault(Fault::delay(1500).app("android").forever());
            let mut bodies = logins(800);
            bodies.extend((0..5).map(|n| on_ios(logout(2, &format!("t{n}")))));
            let failures = stage.batch(&bodies).await;
            let of_ios = |id: &&String| id[1..].parse::<usize>().unwrap() >= 800;
            assert_eq!(failures.iter().find(of_ios), None, "{concurrency} calls for {apps} apps, ledger {ledger}");
            let calls = stage.calls().into_iter().filter(|(app, ..)| app == "ios").count();
            assert_eq!(calls, 1, "{concurrency}");
        }
    }
}

#[tokio::test]
async fn an_apps_devices_are_verified_when_its_own_calls_are_done() {
    let Scene { stage, aws } = Scene::new(true, TIME, &[("TPNS_TIMEOUT_MS", "60000")]).await;
    stage.tpns.fault(Fault::hang().app("android").forever());
    // A read takes longer than what is left after the last call.
    aws.as_ref().unwrap().latency(Service::DynamoDb, Duration::from_millis(600));
    let mut bodies: Vec<_> = (0..60).map(|n| on_ios(login(1, &format!("t{n}"), &["x"]))).collect();
    bodies.push(login(1, "t", &["x"]));
    assert_eq!(stage.batch(&bodies).await, ["m60"]);
}

#[tokio::test]
async fn a_call_that_hangs_leaves_the_apps_other_devices_verified() {
    let time = Duration::from_secs(20);
    let Scene { stage, aws } = Scene::new(true, time, &[("TPNS_TIMEOUT_MS", "60000")]).await;
    stage.tpns.fault(Fault::hang().token("t25").forever());
    // A read takes longer than what is left after the last call.
    aws.as_ref().unwrap().latency(Service::DynamoDb, Duration::from_millis(600));
    // More than a slice.
    let failures = stage.batch(&logins(450)).await;
    assert!(failures.contains(&"m25".to_owned()));
    assert!(failures.len() <= 20, "what shares a call with it, and no more: {}", failures.len());
    assert!(failed(&stage).values().all(|why| why == "retry tpns_timeout"), "{:?}", failed(&stage));
}

#[tokio::test]
async fn calls_that_break_side_by_side_count_once() {
    for fault in [Fault::reset(), Fault::disconnect(), Fault::truncated()] {
        let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
        stage.tpns.fault(fault.apply(false).times(8));
        assert_eq!(stage.batch(&logins(400)).await, [""; 0]);
        assert_eq!(stage.calls().len(), 20 + 8);
    }
}

#[tokio::test]
async fn an_app_that_stays_down_is_given_up_after_a_bounded_number_of_calls() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    stage.tpns.fault(Fault::reset().app("android").forever());
    let mut bodies = logins(2000);
    bodies.push(on_ios(login(1, "t", &["x"])));
    assert_eq!(stage.batch(&bodies).await.len(), 2000);
    assert_eq!(stage.bound("ios", "t"), ["x/0"]);
    let calls = stage.calls().into_iter().filter(|(app, ..)| app == "android").count();
    assert!(calls <= 60, "{calls} of 300: 100 calls, three tries each");
}
