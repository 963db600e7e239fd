//! When nothing fails there are no more calls than the items need.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::Duration,
};

use fastrand::Rng;

use super::{Scene, deletion_of, on_ios};
use crate::stage::{login, logout, logout_of};

const TIME: Duration = Duration::from_secs(300);

/// Random events of two apps, whose items are known without planning: each device and each account has one event, but
/// some of the deleted accounts are signed in again on a device of their own.
fn events(rng: &mut Rng, count: usize) -> (Vec<String>, usize) {
    let mut bodies = Vec::new();
    let mut items: BTreeMap<(bool, u8), usize> = BTreeMap::new();
    for n in 0..count {
        let ios = rng.bool();
        let (token, account) = (format!("t{n}"), format!("account{n}"));
        let mut add = |body: String, operator_type, count| {
            *items.entry((ios, operator_type)).or_default() += count;
            bodies.push(if ios { on_ios(body) } else { body });
        };
        match rng.u8(0..10) {
            0..5 => add(login(2, &token, &[&account]), 2, 1),
            5..7 => add(logout(2, &token), 4, 1),
            7..9 => add(logout_of(2, &token, &account), 3, 1),
            _ => {
                let accounts: BTreeSet<String> = (0..rng.usize(1..30)).map(|m| format!("account{n}.{m}")).collect();
                let accounts: Vec<_> = accounts.into_iter().collect();
                add(deletion_of(1, "android", &accounts), 5, accounts.len());
                if rng.bool() {
                    add(login(2, &token, &[&accounts[0]]), 2, 1);
                }
            }
        }
    }
    rng.shuffle(&mut bodies);
    (bodies, items.values().map(|items| items.div_ceil(20)).sum())
}

#[tokio::test]
async fn the_calls_are_the_sum_of_the_items_over_twenty() {
    let seed = env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("again: SEED={seed} cargo test --test outside the_calls_are_the_sum");
    let mut rng = Rng::with_seed(seed);
    for ledger in [false, true] {
        let scene = Scene::new(ledger, TIME, &[]).await;
        for count in [1, 19, 60, 450, 900] {
            let (bodies, fewest) = events(&mut rng, count);
            assert_eq!(
                scene.stage.batch(&bodies).await,
                [""; 0],
                "ledger {ledger}, {count} events: {:?}",
                super::failed(&scene.stage)
            );
            assert_eq!(scene.stage.calls().len(), fewest, "ledger {ledger}, {count} events");
            scene.stage.tpns.reset();
            if let Some(aws) = &scene.aws {
                aws.with_table(super::TABLE, |table| {
                    let keys: Vec<_> = table.items().map(|item| item.text("pk").unwrap().to_owned()).collect();
                    keys.iter().filter(|key| *key != "apps").for_each(|key| _ = table.remove(key));
                });
            }
        }
    }
}
