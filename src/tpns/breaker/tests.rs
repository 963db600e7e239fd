use std::time::SystemTime;

use super::*;
use crate::outcome::Reason;

const APP: &str = "1500001048@api.tpns.tencent.com";
const OTHER: &str = "1600001048@api.tpns.tencent.com";
const INTERVAL: Duration = Duration::from_secs(30);

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
            self.breakers.failed(app, now, &Verdict::Retry(failure(), None));
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
fn after_three_failed_calls_in_two_invocations_one_call_is_made_after_each_pause_which_doubles() {
    let mut world = World::new();
    world.fail(APP, 1);
    world.breakers.begin_invocation();
    world.fail(APP, 1);
    assert!(world.may_call(APP));
    world.fail(APP, 1);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        world.pass(1000 * pause - 1);
        assert!(!world.may_call(APP), "{pause}");
        world.pass(1);
        assert!(world.may_call(APP), "one call");
        assert!(!world.may_call(APP), "and no other");
        world.breakers.begin_invocation();
        world.fail(APP, 1);
    }
}

#[test]
fn after_an_answer_the_pauses_are_short_again() {
    let mut world = World::new();
    for _ in 0..2 {
        world.fail(APP, 3);
        world.breakers.begin_invocation();
        world.fail(APP, 1);
        for pause in [1, 2] {
            assert!(!world.may_call(APP));
            world.pass(1000 * pause);
            assert!(world.may_call(APP), "{pause}");
        }
        world.breakers.answered(APP);
        world.breakers.begin_invocation();
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
    let Err(Verdict::Retry(failure, None)) = world.breakers.permit(APP, world.now()) else { panic!("a retry") };
    assert_eq!(failure.reason, Reason::TpnsUnavailable);
    assert_eq!(failure.detail(), "TPNS answered 503; no call was made, since TPNS has not taken the last ones");
    let refused = Failure { code: Some(1_008_003), ..Failure::of(Reason::TpnsAuthFailed) };
    world.breakers.failed(APP, world.now(), &Verdict::Misconfigured(refused));
    let Err(Verdict::Misconfigured(failure)) = world.breakers.permit(APP, world.now()) else { panic!("refused") };
    assert_eq!(failure.reason, Reason::TpnsAuthFailed);
}

/// Invocations one after the other, each with ten calls that fail, for an hour.
#[test]
fn an_outage_costs_two_calls_a_minute() {
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
    // Those of the first invocation, the first of the second, five short pauses, and one in thirty seconds.
    assert!(calls <= 10 + 1 + 5 + 2 * 60, "{calls}");
}
