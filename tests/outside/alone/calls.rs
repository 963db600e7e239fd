//! When nothing fails and every message is new, there are as few calls as TPNS allows.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use serde_json::json;

use super::{Ledger, World, messages};
use crate::stage::at;

const APPS: [&str; 3] = ["android", "ios", "tv"];

/// A random event of one of these apps. There are few devices and accounts, so that events concern the same ones.
fn event(rng: &mut Rng, second: u32, events: usize, apps: &[&str]) -> String {
    let app = *rng.choice(apps).unwrap();
    let token = format!("t{}", rng.usize(0..events.max(2)));
    let accounts = |rng: &mut Rng, most: usize| {
        let one = |rng: &mut Rng, n: usize| {
            let name = format!("a{}", rng.usize(0..events.max(2)));
            if rng.bool() {
                json!({"account": name, "account_type": n})
            } else {
                json!({"account": name, "account_type": 0})
            }
        };
        (0..rng.usize(1..=most)).map(|n| one(rng, n)).collect::<Vec<_>>()
    };
    let mut event = match rng.u8(0..10) {
        0..5 => json!({"type": "user.login", "app": app, "token": token, "account_list": accounts(rng, 3)}),
        5 | 6 => json!({"type": "user.logout", "app": app, "token": token}),
        7 => json!({"type": "user.logout", "app": app, "token": token, "account_list": accounts(rng, 2)}),
        8 => {
            let most = if rng.u8(0..10) == 0 { 50 } else { 1 };
            json!({"type": "account.deleted", "app": app, "account_list": accounts(rng, most)})
        }
        _ => json!({"type": "account.deleted", "account_list": accounts(rng, 2)}),
    };
    event["occurred_at"] = json!(at(second));
    event.to_string()
}

/// Random events; and deletions, each with newer logins of the same account.
fn batch(rng: &mut Rng, count: usize, apps: &[&str]) -> Vec<String> {
    let mut bodies = Vec::with_capacity(count);
    while bodies.len() < count {
        let second = rng.u32(0..1000);
        bodies.push(event(rng, second, count, apps));
        if rng.u8(0..12) == 0 {
            let account = json!([{"account": format!("a{}", rng.usize(0..count.max(2)))}]);
            let deletion = json!({"type": "account.deleted", "occurred_at": at(second), "account_list": account});
            bodies.push(deletion.to_string());
            for _ in 0..rng.usize(1..3) {
                let (app, token) = (*rng.choice(apps).unwrap(), format!("t{}", rng.usize(0..count.max(2))));
                let login = json!({"type": "user.login", "occurred_at": at(second + 1), "app": app, "token": token,
                                   "account_list": account});
                bodies.push(login.to_string());
            }
        }
    }
    bodies.truncate(count);
    rng.shuffle(&mut bodies);
    bodies
}

/// Where a deletion's call is silent for that long, its items are sent in other calls, too.
const QUIET: Duration = Duration::from_secs(1);

/// One batch, determined by its seed. On a machine that stands still meanwhile it is delivered again, to another world.
async fn assert_fewest_calls(seed: u64, ledger: Ledger) {
    for _ in 0..20 {
        if were_fewest_calls(seed, ledger).await {
            return;
        }
    }
    panic!("twenty times, a call took longer than {QUIET:?}");
}

/// `false` where a call took so long that there may be more.
async fn were_fewest_calls(seed: u64, ledger: Ledger) -> bool {
    let mut rng = Rng::with_seed(seed);
    // As many small batches as large ones.
    let count = 1000_f64.powf(rng.f64()).round() as usize;
    let apps = &APPS[..rng.usize(1..=3)];
    let repeat = format!("to repeat: CALLS_SEED={seed} cargo test --test outside -- alone::calls");
    let world = World::of(apps, Duration::from_secs(600), ledger, &[("AWS_LAMBDA_LOG_LEVEL", "INFO")]).await;
    // Printed in case there is no response at all.
    eprintln!("{count} events of {apps:?}, {ledger:?}; {repeat}");
    let bodies = batch(&mut rng, count, apps);
    let delivery = world.deliver(messages(1, &bodies)).await;
    if delivery.slowest_call >= QUIET {
        return false;
    }
    assert_eq!(delivery.reported, [""; 0], "{count} events of {apps:?}, {ledger:?}; {repeat}: {:?}", delivery.counts());
    let mut sent: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for (app, operator_type, items) in world.stage.calls() {
        let (calls, all) = sent.entry((app, operator_type)).or_default();
        *calls += 1;
        *all += items;
    }
    for ((app, operator_type), (calls, items)) in sent {
        let what =
            format!("{app}, operator_type {operator_type}: {items} items of {count} events, {ledger:?}; {repeat}");
        assert_eq!(calls, items.div_ceil(20), "{what}");
    }
    true
}

/// `CALLS_SEED` repeats one seed.
#[tokio::test]
async fn a_batch_of_new_messages_needs_one_call_per_twenty_items_of_an_app_and_operator_type() {
    if let Ok(seed) = std::env::var("CALLS_SEED") {
        let seed = seed.parse().unwrap_or_else(|_| panic!("CALLS_SEED: must be a whole number"));
        for ledger in Ledger::BOTH {
            assert_fewest_calls(seed, ledger).await;
        }
        return;
    }
    for _ in 0..10 {
        assert_fewest_calls(fastrand::u64(..), Ledger::Off).await;
    }
    for _ in 0..6 {
        assert_fewest_calls(fastrand::u64(..), Ledger::On).await;
    }
}
