use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn bodies(spread: Spread) -> Vec<Value> {
    (0..100).map(|n| serde_json::from_str(&body(n, spread, 1_000 + n as u64)).unwrap()).collect()
}

fn different(bodies: &[Value], of: impl Fn(&Value) -> &Value) -> usize {
    bodies.iter().map(|body| of(body).as_str().unwrap()).collect::<BTreeSet<_>>().len()
}

#[test]
fn a_hot_device_signs_in_and_out_and_is_signed_in_at_the_end() {
    let bodies = bodies(Spread::OneDevice);
    assert_eq!(different(&bodies, |body| &body["token"]), 1);
    let kinds: Vec<_> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    assert!(kinds.chunks(2).all(|pair| pair == ["user.logout", "user.login"]));
}

#[test]
fn a_hot_account_is_signed_in_on_each_device() {
    let bodies = bodies(Spread::OneAccount);
    assert_eq!(different(&bodies, |body| &body["token"]), 100);
    assert_eq!(different(&bodies, |body| &body["account_list"][0]["account"]), 1);
}

#[test]
fn each_event_of_many_devices_has_a_device_and_an_id_of_its_own() {
    let bodies = bodies(Spread::ManyDevices);
    assert_eq!(different(&bodies, |body| &body["token"]), 100);
    assert_eq!(different(&bodies, |body| &body["id"]), 100);
}
