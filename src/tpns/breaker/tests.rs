use std::time::SystemTime;

use super::*;
use crate::outcome::Reason;

const APP: &str = "1500001048@api.tpns.tencent.com";
const OTHER: &str = "1600001048@api.tpns.tencent.com";
const INTERVAL: Duration = Duration::from_secs(10);

struct World {
    breakers: Breakers,
    start: Moment,
    at: Duration,
}

impl World {
    fn new() -> Self {
        let mut breakers = Breakers::new(INTERVAL);
        breakers.begin_invocation();
        Self {
            breakers,
            start: Moment { wall: SystemTime::UNIX_EPOCH, steady: std::time::Instant::now() },
            at: Duration::ZERO,
        }
    }

    fn now(&self) -> Moment {
        Moment { wall: self.start.wall + self.at, steady: self.start.steady + self.at }
    }

    fn pass(&mut self, millis: u64) {
        self.at += Duration::from_millis(millis);
    }

    fn may_call(&mut self, app: &str) -> bool {
        let now = self.now();
        self.breakers.permit(app, now).is_ok()
    }

    fn fail(&mut self, app: &str, times: u32) {
        for _ in 0..times {
            let now = self.now();
            self.breakers.failed(app, now, &failure());
        }
    }
}

fn failure() -> Failure {
    Failure { code: Some(503), ..Failure::of(Reason::TpnsUnavailable) }
}

#[test]
fn one_invocation_makes_all_its_calls_however_many_fail() {
    let mut world = World::new();
    world.fail(APP, 100);
    assert!(world.may_call(APP));
    world.breakers.begin_invocation();
    assert!(world.may_call(APP), "the next one makes its first call at once");
}

#[test]
fn after_three_failed_calls_in_two_invocations_one_call_is_made_in_ten_seconds() {
    let mut world = World::new();
    world.fail(APP, 1);
    world.breakers.begin_invocation();
    world.fail(APP, 1);
    assert!(world.may_call(APP));
    world.fail(APP, 1);
    for _ in 0..5 {
        world.pass(9_999);
        assert!(!world.may_call(APP));
        world.pass(1);
        assert!(world.may_call(APP), "one call");
        assert!(!world.may_call(APP), "and no other");
        world.breakers.begin_invocation();
        world.fail(APP, 1);
    }
}

#[test]
fn an_answer_ends_it() {
    let mut world = World::new();
    world.fail(APP, 2);
    world.breakers.begin_invocation();
    world.fail(APP, 1);
    assert!(!world.may_call(APP));
    world.breakers.answered(APP);
    assert!(world.may_call(APP));
    world.fail(APP, 2);
    world.breakers.begin_invocation();
    assert!(world.may_call(APP), "it counts from the beginning");
}

#[test]
fn another_app_is_not_affected() {
    let mut world = World::new();
    world.fail(APP, 3);
    world.breakers.begin_invocation();
    world.fail(APP, 1);
    assert!(!world.may_call(APP));
    assert!(world.may_call(OTHER));
    world.breakers.answered(OTHER);
    assert!(!world.may_call(APP));
}

#[test]
fn what_is_not_sent_has_the_reason_of_the_last_failure() {
    let mut world = World::new();
    world.fail(APP, 3);
    world.breakers.begin_invocation();
    world.fail(APP, 1);
    let failure = world.breakers.permit(APP, world.now()).unwrap_err();
    assert_eq!(failure.reason, Reason::TpnsUnavailable);
    assert_eq!(failure.detail(), "TPNS answered 503; no call was made, since TPNS has not taken the last ones");
}

/// Invocations one after the other, each with ten calls that fail, for an hour.
#[test]
fn an_outage_costs_six_calls_a_minute() {
    let mut world = World::new();
    let mut calls = 0;
    while world.at < Duration::from_secs(3600) {
        world.breakers.begin_invocation();
        for _ in 0..10 {
            if world.may_call(APP) {
                calls += 1;
                world.fail(APP, 1);
            }
        }
        world.pass(50);
    }
    // Those of the first invocation, the first of the second, and one in ten seconds.
    assert!(calls <= 10 + 1 + 6 * 60, "{calls}");
}
