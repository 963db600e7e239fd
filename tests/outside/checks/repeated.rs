//! A device that several checks of a batch name: each of its events has sent one.

use serde_json::json;

use super::{NONE, World, account, body};
use crate::stage::login;

#[tokio::test]
async fn what_differs_at_a_device_that_several_checks_name_is_counted_once() {
    let world = World::new().await;
    let login = login(1, "t", &["aa"]);
    for _ in 0..3 {
        assert_eq!(world.batch(std::slice::from_ref(&login)).await, NONE);
    }
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    assert_eq!(world.deliver(&world.sent(), 1).await, ["m0", "m1", "m2"]);
    assert_eq!(world.drifts(), ["both"]);
    assert_eq!((world.metric("Drifted"), world.metric("DriftShown")), (1, 1));
    assert_eq!(world.metric("Checked"), 3, "what the messages name");
}

/// One device says nothing of how TPNS writes the accounts of an app.
#[tokio::test]
async fn a_device_that_many_repeated_checks_name_is_repaired() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    let checks: Vec<_> = (0..25).map(|_| body(json!({"app": "android", "token": "t"}))).collect();
    assert_eq!(world.deliver(&checks, 2).await.len(), 25);
    assert_eq!(world.bound("t"), ["aa/0"]);
}
