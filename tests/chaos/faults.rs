//! The faults, drawn from the seed.
//!
//! Deliberately omitted, since the function makes no promise about them:
//! * `delay` with `late`, an operation that TPNS executes after the client gave up on it: TPNS is asynchronous and
//!   guarantees no order, so an old call may take effect after a newer one without any sign. The ledger's repair helps
//!   against calls that reach TPNS late, nothing helps against TPNS executing them late.
//! * A transient rejection. The function relies on rejections by TPNS being final: the event's group continues without
//!   it, so if TPNS accepted it later, it would take effect after newer events. Rejections here last, like those of real
//!   tokens and accounts; see [`lasting`]. A bare status such as 403 is a rejection as soon as another call of the app
//!   is accepted, so of these only the refusal of a whole app is transient; see [`outage`].

use fastrand::Rng;
use tpns_sim::{Fault, FaultKind, RetCode};

use crate::script::{End, Event, World};

/// The faults of a batch.
pub(crate) struct BatchFaults {
    pub(crate) faults: Vec<Fault>,
    /// The process is killed when a call hangs.
    pub(crate) kill: bool,
    /// The process is killed before the batch reaches it.
    pub(crate) kill_first: bool,
}

impl BatchFaults {
    pub(crate) const NONE: Self = Self { faults: Vec::new(), kill: false, kill_first: false };
}

/// Change TPNS never accepts, without naming the item: calls must be halved to find it. The last two are refused by the
/// gateway in front of TPNS, with a page.
pub(crate) fn lasting(world: &World) -> [Fault; 5] {
    let garbled = FaultKind::ResultLength { delta: -1, ret_code: RetCode(1_008_026) };
    [
        Fault::ret_code(1_008_007).token(&world.poison_token).forever(),
        Fault::new(garbled).apply(false).token(&world.garbled_token).forever(),
        Fault::ret_code(1_008_007).operator_type(5).account(&world.poison_account).forever(),
        Fault::status(403).body(PAGE).token(&world.blocked_token).forever(),
        Fault::status(404).body(PAGE).operator_type(5).account(&world.blocked_account).forever(),
    ]
}

const PAGE: &str = "<html><body>Request blocked</body></html>";

/// The faults of a batch of these events. They are aimed at the content of the batch and not drawn for each call, so
/// that they hit the same calls however the processes are interleaved.
pub(crate) fn of_batch(rng: &mut Rng, batch: &[&Event]) -> BatchFaults {
    let mut of_batch = BatchFaults { kill_first: rng.u8(0..40) == 0, ..BatchFaults::NONE };
    // The code 0 says that all items are accepted, so it must not answer a call with an item that TPNS refuses.
    let accepts_all = !batch.iter().any(|event| matches!(event.end, End::Refused | End::Blocked | End::Moot));
    let count = [0, 0, 0, 1, 1, 2, 3][rng.usize(0..7)];
    for _ in 0..count {
        let fault = random(rng, accepts_all);
        of_batch.faults.push(aim(rng, fault, batch));
    }
    if rng.u8(0..12) == 0 {
        // No call that contains it gets an answer, however often it is retried, until the next round.
        let fault = if rng.bool() { Fault::hang() } else { Fault::disconnect() };
        let fault = fault.apply(rng.bool()).forever();
        of_batch.faults.push(aim(rng, fault, batch));
    }
    if rng.u8(0..16) == 0 {
        of_batch.kill = true;
        let fault = Fault::hang().apply(rng.bool());
        // First in the list, or another fault would hit the call.
        of_batch.faults.insert(0, aim(rng, fault, batch));
    }
    of_batch
}

/// A fault for all batches: one app fails, refuses or is slow in all calls of a round, while the other works.
pub(crate) fn outage(rng: &mut Rng) -> Option<Fault> {
    if rng.u8(0..4) != 0 {
        return None;
    }
    let app = if rng.bool() { "android" } else { "ios" };
    let fault = match rng.u8(0..14) {
        0..3 => Fault::status(503),
        3 | 4 => Fault::disconnect(),
        5 | 6 => Fault::ret_code(1_008_003),
        // Without effect, since it hides items that must never take effect.
        7 | 8 => {
            let status = *rng.choice(&[401, 403, 404, 302]).unwrap();
            return Some(Fault::status(status).body(PAGE).app(app).forever());
        }
        9 | 10 => Fault::hang(),
        _ => return Some(Fault::delay(rng.u64(30..150)).app(app).forever()),
    };
    Some(fault.apply(rng.bool()).app(app).forever())
}

/// Whether it must precede all other faults: an app that refuses with a bare status must accept nothing, or the
/// function would reject the events.
pub(crate) fn hides_all_others(outage: &Fault) -> bool {
    matches!(outage.kind, FaultKind::Status { status: ..500, .. })
}

fn aim(rng: &mut Rng, fault: Fault, batch: &[&Event]) -> Fault {
    let event = rng.choice(batch).unwrap();
    // A deletion goes to both apps at the same time: the seed does not determine which call is first.
    let app = event.app.unwrap_or(if rng.bool() { "android" } else { "ios" });
    match (event.change.token(), event.change.accounts()) {
        (Some(token), _) => fault.token(token),
        (None, accounts) => fault.app(app).operator_type(5).account(&accounts[0].account),
    }
}

fn random(rng: &mut Rng, accepts_all: bool) -> Fault {
    let apply = rng.bool();
    let code = |rng: &mut Rng| *rng.choice(&[1_008_004, 1_008_028, 1_008_003, 1_008_035, 1_008_030]).unwrap();
    let length = |delta: i64, code: i64| Fault::new(FaultKind::ResultLength { delta, ret_code: RetCode(code) });
    match rng.u8(0..24) {
        0..4 => Fault::status(*rng.choice(&[500, 502, 503, 504, 408, 429]).unwrap()).apply(apply),
        4 => Fault::status(503).retry_after("0").body(r#"{"ret_code":1008004}"#).apply(apply),
        5..8 => Fault::ret_code(code(rng)).apply(apply),
        8..12 => Fault::item_code(code(rng)),
        12 => Fault::delay(rng.u64(1..40)),
        13 => Fault::hang().apply(apply),
        14 | 15 => Fault::reset().apply(apply),
        16 | 17 => Fault::truncated().apply(apply),
        18 => Fault::malformed().apply(apply),
        19 => Fault::malformed().body("<html>502</html>").apply(apply),
        20 => length(rng.i64(-1..=1), 1_008_004).apply(apply),
        21 if accepts_all => length(if rng.bool() { 1 } else { -1 }, 0).apply(true),
        21 | 22 => Fault::ok_words(),
        _ => Fault::disconnect().apply(apply),
    }
}
