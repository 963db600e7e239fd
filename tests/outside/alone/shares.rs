//! Calls in flight: each app has its share of them, regardless of how slow the others are.

use std::time::Duration;

use tpns_sim::Fault;

use super::{Ledger, RESERVE, World, concurrently, in_app};
use crate::stage::{deletion, login, logout};

/// The calls end before the reserve, which is a part of it.
const TIMEOUT: Duration = Duration::from_secs(16);
/// The delay of the slow app: there is not enough time for forty calls, eight at a time.
const SLOW_MS: u64 = 5000;

/// A call ends with its answer or the deadline, not when a busy machine is late by half a second.
const PATIENT: (&str, &str) = ("TPNS_TIMEOUT_MS", "60000");

fn logins(app: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| in_app(app, &login(1, &format!("t{n}"), &["x"]))).collect()
}

/// Five logouts that can't be sent before a first answer arrives: by then the other app has started all calls it may.
fn late_logouts(app: &str) -> Vec<String> {
    let mut bodies = vec![in_app(app, &deletion(1, "alice")), in_app(app, &login(2, "late", &["alice"]))];
    bodies.extend((0..5).map(|n| in_app(app, &logout(2, &format!("out{n}")))));
    bodies
}

#[tokio::test]
async fn a_slow_app_with_hundreds_of_logins_does_not_delay_the_logouts_of_the_other() {
    // The order of the apps is not fixed, so a single success could be chance.
    let cases = [Ledger::Off, Ledger::Off, Ledger::Off, Ledger::On];
    let run = concurrently(cases, async |ledger| {
        let world = World::within(TIMEOUT, ledger, &[PATIENT, RESERVE]).await;
        world.stage.tpns.fault(Fault::delay(SLOW_MS).app("android").forever());
        let mut bodies = logins("android", 800);
        bodies.extend((0..5).map(|n| in_app("ios", &logout(2, &format!("out{n}")))));
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.not_applied(800..805), [""; 0], "{ledger:?}");
        assert_eq!(world.stage.calls().iter().filter(|call| call.0 == "ios").count(), 1, "{ledger:?}");
        let applied = delivery.counts().get("applied").copied().unwrap_or_default();
        assert!(applied > 5, "{ledger:?}: the slow app makes progress as well: {:?}", delivery.counts());
    });
    run.await;
}

#[tokio::test]
async fn the_share_of_an_app_is_free_when_its_calls_become_due_later() {
    let cases = [(Ledger::Off, "8"), (Ledger::On, "8"), (Ledger::Off, "2"), (Ledger::Off, "1")];
    let run = concurrently(cases, async |(ledger, concurrency)| {
        let what = format!("{ledger:?}, {concurrency} at a time");
        let world = World::within(TIMEOUT, ledger, &[PATIENT, RESERVE, ("TPNS_CONCURRENCY", concurrency)]).await;
        world.stage.tpns.fault(Fault::delay(SLOW_MS).app("android").forever());
        let mut bodies = logins("android", 800);
        bodies.extend(late_logouts("ios"));
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.not_applied(800..bodies.len()), [""; 0], "{what}");
        assert_eq!(world.stage.bound("ios", "late"), ["alice/0"], "{what}");
    });
    run.await;
}

#[tokio::test]
async fn of_three_apps_the_one_that_answers_does_not_wait_for_two_that_hang() {
    let run = concurrently(["8", "3", "1"], async |concurrency| {
        let settings = [PATIENT, RESERVE, ("TPNS_CONCURRENCY", concurrency)];
        let world = World::of(&["android", "ios", "tv"], TIMEOUT, Ledger::Off, &settings).await;
        for app in ["android", "ios"] {
            world.stage.tpns.fault(Fault::hang().app(app).forever());
        }
        let mut bodies = logins("android", 400);
        bodies.extend(logins("ios", 400));
        bodies.extend(logins("tv", 100));
        bodies.extend(late_logouts("tv"));
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.not_applied(800..bodies.len()), [""; 0], "{concurrency} at a time");
        assert_eq!(delivery.reported.len(), 800, "{concurrency} at a time");
        assert_eq!(world.stage.bound("tv", "late"), ["alice/0"], "{concurrency} at a time");
    });
    run.await;
}

/// A hanging call is in flight to the end, so all calls that TPNS received were in flight at the same time.
#[tokio::test]
async fn the_calls_in_flight_are_limited_by_the_setting_but_at_least_one_per_app() {
    let cases = [(8, 1), (8, 2), (8, 3), (2, 3), (1, 2), (1, 1)];
    let run = concurrently(cases, async |(concurrency, apps): (usize, usize)| {
        let settings = [PATIENT, RESERVE, ("TPNS_CONCURRENCY", &*concurrency.to_string())];
        let apps = &["android", "ios", "tv"][..apps];
        let world = World::of(apps, Duration::from_secs(10), Ledger::Off, &settings).await;
        world.stage.tpns.fault(Fault::hang().forever());
        let bodies: Vec<_> = apps.iter().flat_map(|app| logins(app, 400)).collect();
        assert_eq!(world.batch(&bodies).await.reported.len(), bodies.len());
        let calls = world.stage.calls().len();
        let what = format!("{calls} calls of {} apps, {concurrency} at a time", apps.len());
        assert!(calls <= concurrency.max(apps.len()), "{what}");
        assert!(apps.len() > 1 || calls == concurrency, "an app that is alone has all of them: {what}");
        for app in apps {
            assert!(world.calls_of(app) >= 1, "{app}: {what}");
        }
    });
    run.await;
}
