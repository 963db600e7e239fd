//! A warm sandbox whose apps document is changed in the secret.

use std::time::Duration;

use lambda_sim::{Fault as AwsFault, Operation};
use serde_json::json;

use super::world::{ANDROID, App, ID, IOS, NONE, TABLE, World, deletion, deliver, lines, login, logout, reasons};

/// The same app, at the other access point.
const MOVED: App = ("android", "android", 1);
const FOR_ALL: Option<&str> = None;

/// Each: the apps known to a sandbox, the apps in the secret afterwards, and the app in which the account is bound.
#[tokio::test]
async fn a_deletion_for_all_apps_reaches_apps_that_changed_after_the_sandbox_started() {
    let cases: &[(&str, &[App], &[App], App)] = &[
        ("added", &[ANDROID], &[ANDROID, IOS], IOS),
        ("added before the others", &[ANDROID], &[IOS, ANDROID], IOS),
        ("replacing another one", &[ANDROID], &[IOS], IOS),
        ("moved to another access point", &[ANDROID, IOS], &[MOVED, IOS], MOVED),
        ("moved, and in another order", &[ANDROID, IOS], &[IOS, MOVED], MOVED),
        ("under another AccessID", &[ANDROID], &[("android", "pad", 0)], ("android", "pad", 0)),
        ("under another name", &[ANDROID], &[("phone", "android", 0)], ANDROID),
    ];
    for ledger in ["", TABLE] {
        for (name, before, after, bound) in cases {
            let world = World::new().await;
            world.put(before);
            let sandbox = world.sandbox(&[("LEDGER_TABLE", ledger)]);
            assert_eq!(deliver(&sandbox, &[login(before[0].0, 1, "t0", "other")]).await, NONE, "{name}");
            world.bind(*bound, 1, "t1", "erased").await;
            world.put(after);
            assert_eq!(deliver(&sandbox, &[deletion(FOR_ALL, 2, "erased")]).await, NONE, "{name}, {ledger}");
            assert_eq!(world.bound(*bound, "t1"), NONE, "{name}, {ledger}");
            assert_eq!(sandbox.cold_starts(), 1);
        }
    }
}

#[tokio::test]
async fn a_deletion_for_one_app_does_not_read_the_document_again() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let sandbox = world.with_ledger();
    assert_eq!(deliver(&sandbox, &[deletion(Some("android"), 1, "a")]).await, NONE);
    assert_eq!(world.reads(), 1);
    assert_eq!(deliver(&sandbox, &[deletion(FOR_ALL, 1, "b"), deletion(FOR_ALL, 2, "c")]).await, NONE);
    assert_eq!(world.reads(), 2, "once per invocation");
}

#[tokio::test]
async fn an_event_of_a_newly_added_app_is_applied() {
    for ledger in ["", TABLE] {
        for after in [[ANDROID, IOS], [IOS, ANDROID]] {
            let world = World::new().await;
            world.put(&[ANDROID]);
            let sandbox = world.sandbox(&[("LEDGER_TABLE", ledger)]);
            assert_eq!(deliver(&sandbox, &[login("android", 1, "t", "a")]).await, NONE);
            world.bind(IOS, 1, "u", "b").await;
            world.put(&after);
            // A neighbour whose app has another position now, and one whose app stays unknown.
            let bodies = [logout("ios", 2, "u"), login("android", 2, "t", "c"), login("windows", 2, "w", "d")];
            assert_eq!(deliver(&sandbox, &bodies).await, ["m2"]);
            assert_eq!(reasons(&sandbox), ["unknown_app"]);
            assert_eq!((world.bound(IOS, "u"), world.bound(ANDROID, "t")), (vec![], vec!["c".to_owned()]));
        }
    }
}

#[tokio::test]
async fn an_event_without_an_app_is_applied_once_there_is_only_one() {
    let world = World::new().await;
    world.put(&[ANDROID, IOS]);
    let sandbox = world.with_ledger();
    let without_app = |second| login("android", second, "t", "a").replace(r#""app":"android","#, "");
    assert_eq!(deliver(&sandbox, &[login("ios", 1, "u", "b")]).await, NONE);
    world.put(&[ANDROID]);
    assert_eq!(deliver(&sandbox, &[without_app(2)]).await, NONE);
    assert_eq!((world.bound(ANDROID, "t"), world.reads()), (vec!["a".to_owned()], 2));
}

#[tokio::test]
async fn unknown_apps_do_not_cause_a_read_of_the_document_in_every_batch() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let sandbox = world.with_ledger();
    for second in 0..10 {
        assert_eq!(deliver(&sandbox, &[login("windows", second, "t", "a")]).await, ["m0"]);
    }
    assert!((2..6).contains(&world.reads()), "in Init, and every 30 seconds: {}", world.reads());
}

#[tokio::test]
async fn a_document_is_read_again_when_it_is_old_enough() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let sandbox = world.sandbox(&[("LEDGER_TABLE", TABLE), ("TPNS_APPS_MAX_AGE", "1s")]);
    let patient = world.sandbox(&[("LEDGER_TABLE", TABLE), ("TPNS_APPS_MAX_AGE", "365d")]);
    for each in [&sandbox, &patient] {
        assert_eq!(deliver(each, &[login("android", 1, "t", "a")]).await, NONE);
    }
    // A refused key would show as a failed call, and there is none.
    world.put(&[MOVED]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let reads = world.reads();
    assert_eq!(deliver(&sandbox, &[login("android", 2, "t", "b")]).await, NONE);
    assert_eq!((world.bound(ANDROID, "t"), world.bound(MOVED, "t")), (vec!["a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(world.reads(), reads + 1);
    assert_eq!(deliver(&patient, &[login("android", 3, "t", "c")]).await, NONE);
    assert_eq!((world.bound(ANDROID, "t"), world.reads()), (vec!["c".to_owned()], reads + 1));
}

#[tokio::test]
async fn a_key_that_was_changed_before_its_use_causes_no_failed_call() {
    let world = World::new().await;
    let mut document = world.document(&[ANDROID, IOS]);
    document["android"]["secret_key"] = json!("the-old-key");
    world.aws.put_secret(ID, document.to_string()).unwrap();
    let sandbox = world.with_ledger();
    assert_eq!(deliver(&sandbox, &[login("ios", 1, "t", "a")]).await, NONE);
    world.put(&[ANDROID, IOS]);
    assert_eq!(deliver(&sandbox, &[deletion(FOR_ALL, 2, "x"), login("android", 2, "t", "a")]).await, NONE);
    assert_eq!((world.calls(ANDROID, 2), world.calls(ANDROID, 5), world.calls(IOS, 5)), (1, 1, 1));
}

#[tokio::test]
async fn the_document_is_read_at_the_same_time_as_the_merge() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let sandbox = world.with_ledger();
    assert_eq!(deliver(&sandbox, &[login("android", 1, "t", "a")]).await, NONE);
    let merges = world.requests(Operation::UpdateItem);
    let gate = world.aws.hold(Operation::GetSecretValue, 1);
    let bodies = [deletion(FOR_ALL, 2, "a")];
    let delivery = deliver(&sandbox, &bodies);
    let merging = async {
        gate.reached().await;
        while world.requests(Operation::UpdateItem) == merges {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        gate.release();
    };
    let (failed, ()) = futures_util::future::join(delivery, merging).await;
    assert_eq!((failed, world.bound(ANDROID, "t")), (vec![], vec![]));
}

/// Each: the fault or the document, and the message in the log.
#[tokio::test]
async fn a_document_that_cannot_be_read_again_leaves_the_old_one_in_force() {
    let cases = [
        (Some(AwsFault::AccessDenied), "", "could not be fetched"),
        (Some(AwsFault::InternalError), "", "could not be fetched"),
        (Some(AwsFault::Hang), "", "was not answered in time"),
        (Some(AwsFault::CloseAfterwards), "", "could not be fetched"),
        (None, "{", "the secret's document is not valid JSON"),
        (None, "{}", "the secret's document names no app"),
    ];
    for (fault, document, message) in cases {
        let world = World::new().await;
        world.put(&[ANDROID]);
        let settings = [("LEDGER_TABLE", TABLE), ("TPNS_APPS_MAX_AGE", "1s")];
        let sandbox = world.sandbox(&settings);
        assert_eq!(deliver(&sandbox, &[login("android", 1, "t", "a")]).await, NONE);
        match fault {
            Some(fault) => world.aws.fail_next(Operation::GetSecretValue, usize::MAX, fault),
            None => world.aws.put_secret(ID, document).unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(deliver(&sandbox, &[login("android", 2, "t", "b")]).await, NONE, "{message}");
        assert_eq!(world.bound(ANDROID, "t"), ["b"], "{message}");
        assert_eq!(lines(&sandbox, "ERROR", &format!("TPNS_APPS_SECRET_ID: {message}")), 1, "{message}");
        // A later change is still noticed.
        world.aws.clear_faults();
        world.put(&[ANDROID, IOS]);
        assert_eq!(deliver(&sandbox, &[login("ios", 3, "u", "c")]).await, NONE, "{message}");
        assert_eq!(world.bound(IOS, "u"), ["c"], "{message}");
    }
}

#[tokio::test]
async fn a_deletion_that_may_have_missed_an_app_is_completed_by_any_sandbox() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let old = world.with_ledger();
    assert_eq!(deliver(&old, &[login("android", 1, "t", "a")]).await, NONE);
    world.bind(IOS, 1, "u", "a").await;
    world.put(&[ANDROID, IOS]);
    world.aws.fail_next(Operation::GetSecretValue, usize::MAX, AwsFault::AccessDenied);
    let bodies = [deletion(FOR_ALL, 2, "a"), login("android", 2, "v", "b"), deletion(Some("android"), 2, "c")];
    assert_eq!(deliver(&old, &bodies).await, ["m0"], "it is not known whether there are more apps");
    assert_eq!(reasons(&old), ["apps_document_unread"]);
    assert_eq!(
        (world.bound(ANDROID, "t"), world.bound(IOS, "u")),
        (vec![], vec!["a".to_owned()]),
        "it was applied in the known app"
    );
    world.aws.clear_faults();
    let new = world.with_ledger();
    assert_eq!(deliver(&new, &bodies[..1]).await, NONE);
    assert_eq!(world.bound(IOS, "u"), NONE);
    assert_eq!((world.calls(ANDROID, 5), world.calls(IOS, 5)), (1, 1), "android has already accepted it");
    // A later copy finds nothing to do.
    assert_eq!(deliver(&old, &bodies[..1]).await, NONE);
    assert_eq!((world.calls(ANDROID, 5), world.calls(IOS, 5)), (1, 1));
}

#[tokio::test]
async fn a_renewal_in_the_middle_of_calls_follows_an_app_to_its_new_access_point() {
    for ledger in ["", TABLE] {
        let world = World::new().await;
        world.put(&[ANDROID, IOS]);
        let sandbox = world.sandbox(&[("LEDGER_TABLE", ledger)]);
        assert_eq!(deliver(&sandbox, &[login("android", 1, "t", "a"), login("ios", 1, "u", "b")]).await, NONE);
        world.put(&[IOS, MOVED]);
        // The answer of an access point that no longer has the app.
        world.tpns[0].fault(tpns_sim::Fault::ret_code(1_008_035).app("android").forever());
        let bodies = [login("android", 2, "t", "c"), login("ios", 2, "u", "d"), logout("android", 2, "w")];
        assert_eq!(deliver(&sandbox, &bodies).await, NONE, "{ledger}");
        assert_eq!((world.bound(MOVED, "t"), world.bound(IOS, "u")), (vec!["c".to_owned()], vec!["d".to_owned()]));
        // The device's state is recorded for the new access point.
        let bound = if ledger.is_empty() { "a" } else { "c" };
        assert_eq!(deliver(&sandbox, &[login("android", 1, "t", "a")]).await, NONE);
        assert_eq!(world.bound(MOVED, "t"), [bound]);
        assert_eq!(sandbox.cold_starts(), 1);
    }
}

#[tokio::test]
async fn apps_in_the_environment_are_never_read_again() {
    let world = World::new().await;
    let document = world.document(&[ANDROID]).to_string();
    let endpoint = world.aws.url();
    let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", &*endpoint), ("TPNS_APPS_MAX_AGE", "1s")];
    let sandbox = crate::stage::function(&document, &settings);
    for _ in 0..2 {
        let bodies = [deletion(FOR_ALL, 1, "a"), login("windows", 1, "t", "a")];
        assert_eq!(deliver(&sandbox, &bodies).await, ["m1"]);
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    assert_eq!((world.reads(), lines(&sandbox, "ERROR", "")), (0, 0));
}
