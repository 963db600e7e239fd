//! A gateway's bare status: the app's fault, or that of what is in a call.

use std::time::Duration;

use tpns_sim::Fault;

use super::{Scene, failed};
use crate::stage::{deletion, login, logout, numbered};

const TIME: Duration = Duration::from_secs(20);
const STATUSES: [u16; 7] = [401, 403, 404, 405, 407, 302, 421];

fn logins(count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

#[tokio::test]
async fn a_status_that_one_item_provokes_fails_that_item_alone_in_every_delivery() {
    for (n, status) in STATUSES.into_iter().enumerate() {
        let Scene { stage, aws: _aws } = Scene::new(n % 2 == 0 && status != 401, TIME, &[]).await;
        stage.tpns.fault(Fault::status(status).body("<html>blocked</html>").token("t4").forever());
        for _ in 0..3 {
            assert_eq!(stage.batch(&logins(9)).await, ["m4"], "{status} {:?}", failed(&stage));
            assert_eq!(failed(&stage)["m4"], "rejected tpns_bad_input", "{status}");
        }
        for n in (0..9).filter(|n| *n != 4) {
            assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"], "{status}");
        }
        let line = &stage.lines("event failed")[0];
        assert_eq!(line["detail"], format!("TPNS answered {status}"));
        assert!(stage.lines("TPNS refuses the app; check access_id, secret_key, region and billing").is_empty());
    }
}

#[tokio::test]
async fn a_status_that_every_call_gets_is_the_apps_fault_and_few_calls_find_it_out() {
    for (count, most) in [(2, 3), (5, 10), (20, 15), (200, 30)] {
        for status in [403, 404] {
            let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
            stage.tpns.fault(Fault::status(status).app("android").forever());
            let mut bodies = logins(count);
            bodies.push(login(1, "t", &["x"]).replace("android", "ios"));
            let failures = stage.batch(&bodies).await;
            assert_eq!(failures.len(), count, "{status}");
            let reason = if status == 403 { "tpns_auth_failed" } else { "tpns_wrong_endpoint" };
            assert!(
                failed(&stage).values().all(|why| *why == format!("misconfigured {reason}")),
                "{:?}",
                failed(&stage)
            );
            assert_eq!(stage.bound("ios", "t"), ["x/0"]);
            let calls = stage.calls().into_iter().filter(|(app, ..)| app == "android").count();
            assert!(calls <= most, "{count} items, {calls} calls");
        }
    }
}

#[tokio::test]
async fn an_event_that_is_alone_with_its_status_is_reported_and_not_parked() {
    for body in [
        login(1, "t0", &["x"]),
        logout(1, "t0"),
        deletion(1, "x").replace("{", r#"{"app":"android","#).replacen(
            r#"{"app":"android","account":"#,
            r#"{"account":"#,
            1,
        ),
    ] {
        let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
        stage.tpns.fault(Fault::status(403).forever());
        assert_eq!(stage.batch(&[body]).await, ["m0"]);
        assert_eq!(failed(&stage)["m0"], "misconfigured tpns_auth_failed");
        assert_eq!(stage.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_status_that_passes_rejects_no_one() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    // The call of all, its half, and the item alone: then it is over.
    stage.tpns.fault(Fault::status(403).token("t0").times(3));
    assert_eq!(stage.batch(&logins(4)).await, [""; 0]);
    assert_eq!(stage.bound("android", "t0"), ["x/0"]);
}

#[tokio::test]
async fn a_refusal_with_a_code_is_the_apps_fault_at_once() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    stage.tpns.fault(Fault::ret_code(1_008_003).forever());
    stage.invoke(numbered(&logins(9))).await;
    assert_eq!(stage.calls().len(), 1);
    assert!(failed(&stage).values().all(|why| why == "misconfigured tpns_auth_failed"));
}
