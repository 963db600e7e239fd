//! What TPNS refuses of one device, however many events speak of it.

use std::time::Duration;

use tpns_sim::Fault;

use super::{Scene, failed};
use crate::stage::{login, logout, logout_of};

const TIME: Duration = Duration::from_secs(20);

fn logouts(count: usize) -> Vec<String> {
    (0..count).map(|n| logout_of(2, "t-bad", &format!("account{n}"))).collect()
}

#[tokio::test]
async fn a_token_that_tpns_refuses_is_refused_once() {
    for ledger in [false, true] {
        for fault in [1_008_006, 1_008_029].into_iter().flat_map(|code| [Fault::ret_code(code), Fault::item_code(code)])
        {
            let Scene { stage, aws: _aws } = Scene::new(ledger, TIME, &[]).await;
            stage.tpns.fault(fault.clone().token("t-bad").forever());
            let mut bodies = logouts(1000);
            bodies.push(logout_of(2, "t-good", "someone"));
            let failures = stage.batch(&bodies).await;
            assert_eq!(failures.len(), 1000, "ledger {ledger}, {fault:?}");
            assert!(failed(&stage).values().all(|why| why == "rejected tpns_invalid_token"));
            assert!(stage.calls().len() <= 3, "ledger {ledger}, {fault:?}: {} calls", stage.calls().len());
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_refused_once_for_logins_and_logouts_alike() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    stage.tpns.fault(Fault::item_code(1_008_006).token("t-bad").forever());
    let mut bodies: Vec<_> = (0..200).map(|n| login(n, "t-bad", &["someone"])).collect();
    bodies.push(logout(300, "t-bad"));
    bodies.push(login(301, "t-bad", &["another"]));
    bodies.push(login(1, "t-good", &["someone"]));
    stage.batch(&bodies).await;
    assert_eq!(stage.calls(), [("android".into(), 2, 2)]);
    assert_eq!(stage.bound("android", "t-good"), ["someone/0"]);
    assert_eq!(failed(&stage)["m201"], "rejected tpns_invalid_token");
}

#[tokio::test]
async fn of_many_logouts_of_a_device_the_one_that_tpns_rejects_is_found_by_halving() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    stage.tpns.fault(Fault::item_code(1_008_007).account("account77").forever());
    assert_eq!(stage.batch(&logouts(150)).await, ["m77"]);
    assert_eq!(failed(&stage)["m77"], "rejected tpns_bad_input");
    assert!(stage.calls().len() <= 20, "{} calls", stage.calls().len());
}

#[tokio::test]
async fn more_accounts_than_a_row_holds_are_signed_out_of_one_device() {
    let Scene { stage, aws: _aws } = Scene::new(true, TIME, &[]).await;
    assert_eq!(stage.batch(&logouts(900)).await, [""; 0]);
}
