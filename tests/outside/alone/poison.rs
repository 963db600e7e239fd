//! A gateway in front of TPNS refuses every call that contains a certain event, with a status and a page instead of a
//! code.

use tpns_sim::Fault;

use super::{Ledger, World, ids, in_app, with_id};
use crate::stage::{Stage, deletion, login, logout, logout_of};

/// Statuses of a gateway that refuses, of an unknown path, and of a redirect to a page.
const STATUSES: [u16; 8] = [403, 401, 404, 302, 405, 407, 410, 421];
const PAGE: &str = "<html><body>Request blocked</body></html>";
/// The index of the event that the gateway refuses.
const POISON: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Login,
    LogoutAll,
    Logout,
    Deletion,
}

/// Nine events, each of a device and an account of its own.
fn nine(kind: Kind) -> Vec<String> {
    let event = |n: usize| {
        let (token, account) = (format!("t{n}"), format!("a{n}"));
        let body = match kind {
            Kind::Login => login(2, &token, &[&account]),
            Kind::LogoutAll => logout(2, &token),
            Kind::Logout => logout_of(2, &token, &account),
            Kind::Deletion => deletion(2, &account),
        };
        with_id(&format!("e{n}"), &body)
    };
    (0..9).map(event).collect()
}

fn logins(second: u32, count: usize) -> Vec<String> {
    (0..count).map(|n| with_id(&format!("e{n}"), &login(second, &format!("t{n}"), &[&format!("a{n}")]))).collect()
}

async fn one_of_nine(kind: Kind, ledger: Ledger, status: u16, poison: Fault) {
    let what = format!("{kind:?}, {ledger:?}, {poison:?}");
    let world = World::new(ledger, &[]).await;
    if !matches!(kind, Kind::Login) {
        assert_eq!(world.batch(&logins(1, 9)).await.reported, [""; 0], "{what}");
    }
    let before = world.stage.calls().len();
    world.stage.tpns.fault(poison.forever());
    let delivery = world.batch(&nine(kind)).await;
    assert_eq!(delivery.not_applied((0..9).filter(|n| *n != POISON)), [""; 0], "{what}");
    assert_eq!(delivery.outcome(POISON), "parked tpns_bad_input", "{what}");
    assert_eq!(delivery.reported, [""; 0], "{what}");
    let detail = format!("TPNS answered {status}");
    assert_eq!(world.parked(), [[format!("e{POISON}"), "tpns_bad_input".into(), detail]], "{what}");
    for n in (0..9).filter(|n| *n != POISON) {
        let bound = if matches!(kind, Kind::Login) { vec![format!("a{n}/0")] } else { Vec::new() };
        assert_eq!(world.stage.bound("android", &format!("t{n}")), bound, "t{n}, {what}");
    }
    let calls = world.stage.calls().len() - before;
    // One call, and two each time it is halved; a deletion goes to two apps.
    assert!(calls <= 2 * (1 + 2 * 4 + 3), "{calls} calls, {what}");
}

#[tokio::test]
async fn an_event_that_a_gateway_refuses_by_its_status_is_found_and_its_neighbours_are_applied() {
    for status in STATUSES {
        // Matched by the account's name, so that the clearing of the device is not refused.
        let poison = Fault::status(status).body(PAGE).account(format!("a{POISON}"));
        one_of_nine(Kind::Login, Ledger::Off, status, poison).await;
    }
}

#[tokio::test]
async fn an_event_of_any_type_that_a_gateway_refuses_is_found() {
    let refused = || Fault::status(403).body(PAGE);
    for ledger in Ledger::BOTH {
        for (kind, poison) in [
            (Kind::Login, refused().account(format!("a{POISON}"))),
            (Kind::Login, refused().token(format!("t{POISON}"))),
            (Kind::LogoutAll, refused().token(format!("t{POISON}"))),
            (Kind::Logout, refused().token(format!("t{POISON}"))),
            (Kind::Logout, refused().account(format!("a{POISON}"))),
            (Kind::Deletion, refused().account(format!("a{POISON}"))),
        ] {
            // With the ledger a device that is signed out of its only account is signed out of all, and the call names
            // no account.
            if !(matches!(kind, Kind::Logout) && ledger == Ledger::On && poison.scope.account.is_some()) {
                one_of_nine(kind, ledger, 403, poison).await;
            }
        }
    }
}

#[tokio::test]
async fn without_a_parking_queue_the_event_that_a_gateway_refuses_is_reported_as_rejected() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::status(403).body(PAGE).account(format!("a{POISON}")).forever());
    assert_eq!(stage.batch(&nine(Kind::Login)).await, ids([POISON]));
    let line = &stage.lines("event failed")[0];
    assert_eq!((&line["outcome"], &line["reason"]), (&"rejected".into(), &"tpns_bad_input".into()), "{line}");
    assert_eq!(line["detail"], "TPNS answered 403");
    for n in (0..9).filter(|n| *n != POISON) {
        assert_eq!(stage.bound("android", &format!("t{n}")), [format!("a{n}/0")], "t{n}");
    }
}

/// At any position, for any number of them and any concurrency.
#[tokio::test]
async fn the_events_that_a_gateway_refuses_are_found_in_a_batch_of_any_size() {
    for (count, bad, concurrency) in [
        (2, vec![1], "8"),
        (3, vec![0], "1"),
        (21, vec![20], "8"),
        (60, vec![0, 33, 59], "1"),
        (205, vec![7], "8"),
        (205, vec![7], "1"),
        (205, vec![0, 1, 2, 100, 204], "8"),
    ] {
        let what = format!("{bad:?} of {count}, {concurrency} at a time");
        let world = World::new(Ledger::Off, &[("TPNS_CONCURRENCY", concurrency)]).await;
        for n in &bad {
            world.stage.tpns.fault(Fault::status(404).body(PAGE).account(format!("a{n}")).forever());
        }
        let mut bodies = logins(1, count);
        bodies.push(in_app("ios", &login(1, "neighbour", &["x"])));
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.not_applied((0..=count).filter(|n| !bad.contains(n))), [""; 0], "{what}");
        assert_eq!(delivery.reported, [""; 0], "{what}");
        let mut parked: Vec<_> = world.parked().into_iter().map(|[id, reason, _]| format!("{id} {reason}")).collect();
        parked.sort();
        let mut expected: Vec<_> = bad.iter().map(|n| format!("e{n} tpns_bad_input")).collect();
        expected.sort();
        assert_eq!(parked, expected, "{what}");
        let calls = world.calls_of("android");
        assert!(calls <= count.div_ceil(20) + 14 * bad.len() + 6, "{calls} calls, {what}");
    }
}

/// Each is alone in its call: the neighbour of another operator_type shows that the app works.
#[tokio::test]
async fn a_neighbour_of_another_operator_type_shows_that_the_event_is_at_fault() {
    for (bad, good) in [
        (login(2, "bad", &["<script>"]), logout(2, "good")),
        (logout_of(2, "bad", "<script>"), login(2, "good", &["x"])),
        (in_app("android", &deletion(2, "<script>")), logout_of(2, "good", "x")),
    ] {
        let world = World::new(Ledger::Off, &[("TPNS_CONCURRENCY", "1")]).await;
        world.stage.tpns.fault(Fault::status(403).body(PAGE).account("<script>").forever());
        let delivery = world.batch(&[bad.clone(), good]).await;
        assert_eq!(delivery.outcome(1), "applied", "{bad}");
        assert_eq!(delivery.outcome(0), "parked tpns_bad_input", "{bad}");
    }
}

/// The cause may be the key, the address or the billing, but not an event.
#[tokio::test]
async fn an_app_that_is_refused_by_status_in_every_call_is_misconfigured_after_few_calls() {
    for (status, reason) in [(403, "tpns_auth_failed"), (401, "tpns_auth_failed"), (404, "tpns_wrong_endpoint")] {
        for (count, concurrency) in [(2, "8"), (9, "1"), (200, "1"), (200, "8")] {
            let what = format!("{status}, {count} events, {concurrency} at a time");
            let world = World::new(Ledger::Off, &[("TPNS_CONCURRENCY", concurrency)]).await;
            world.stage.tpns.fault(Fault::status(status).body(PAGE).app("android").forever());
            let mut bodies = logins(1, count);
            bodies.push(in_app("ios", &login(1, "neighbour", &["x"])));
            let delivery = world.batch(&bodies).await;
            let expected = format!("misconfigured {reason}");
            assert_eq!(delivery.counts(), [("applied", 1), (expected.as_str(), count)].into(), "{what}");
            assert_eq!(delivery.reported, ids(0..count), "{what}");
            assert_eq!(world.parked().len(), 0, "{what}");
            let calls = world.calls_of("android");
            assert!(calls <= count.div_ceil(20) + 10, "{calls} calls, {what}");
            assert_eq!(world.stage.bound("ios", "neighbour"), ["x/0"], "{what}");
        }
    }
}

#[tokio::test]
async fn a_single_event_that_a_gateway_refuses_is_retried_and_never_parked() {
    for ledger in Ledger::BOTH {
        let world = World::new(ledger, &[]).await;
        world.stage.tpns.fault(Fault::status(403).body(PAGE).app("android").forever());
        for receive_count in 1..=5 {
            // The other app works, which shows nothing about this one.
            let bodies = [login(1, "t", &["x"]), in_app("ios", &login(1, "neighbour", &["x"]))];
            let delivery = world.redelivery(receive_count, &bodies).await;
            assert_eq!(delivery.outcome(0), "misconfigured tpns_auth_failed", "delivery {receive_count}");
            assert_eq!(delivery.reported, ["m0"], "delivery {receive_count}");
        }
        assert_eq!(world.parked().len(), 0);
        assert!(world.calls_of("android") <= 10, "too many calls");
    }
}

#[tokio::test]
async fn an_app_that_tpns_refuses_with_a_code_is_not_called_again() {
    for fault in [
        Fault::ret_code(1_008_003),
        Fault::status(403).body(r#"{"ret_code":1008003,"err_msg":"auth failure"}"#),
        Fault::ret_code(1_008_035),
        Fault::ret_code(1_008_030),
    ] {
        let world = World::new(Ledger::Off, &[("TPNS_CONCURRENCY", "1")]).await;
        world.stage.tpns.fault(fault.clone().app("android").forever());
        let delivery = world.batch(&logins(1, 200)).await;
        assert_eq!(delivery.reported.len(), 200, "{fault:?}");
        assert!(delivery.outcomes.values().all(|outcome| outcome.starts_with("misconfigured ")), "{fault:?}");
        assert_eq!(world.calls_of("android"), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_transient_status_rejects_no_event() {
    for times in 1..=4 {
        let world = World::new(Ledger::Off, &[]).await;
        // For the call, its half, the single item, and perhaps a retry: then the fault is over.
        world.stage.tpns.fault(Fault::status(403).body(PAGE).token("t0").times(times));
        let delivery = world.batch(&logins(1, 4)).await;
        assert_eq!(delivery.reported, [""; 0], "{times}: {:?}", delivery.outcomes);
        assert_eq!(world.parked().len(), 0, "{times}");
        assert_eq!(world.stage.bound("android", "t0"), ["a0/0"], "{times}");
    }
}
