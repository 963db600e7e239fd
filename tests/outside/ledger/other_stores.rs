//! A DynamoDB-compatible store, or an old local one, that does not support `ReturnValuesOnConditionCheckFailure`: when
//! a condition fails, the row is read instead.

use super::*;

async fn world() -> World {
    let world = World::new().await;
    world.aws.failed_conditions_hide_items(true);
    world
}

#[tokio::test]
async fn events_that_are_delivered_late_or_twice_change_nothing() {
    for (name, newer, older, bound) in [
        ("the same login", login(2, "t", &["a"]), login(2, "t", &["a"]), &["a/0"][..]),
        ("login, older login", login(2, "t", &["b"]), login(1, "t", &["a"]), &["b/0"]),
        ("logout, older login", logout(2, "t"), login(1, "t", &["a"]), &[]),
        ("logout of the account, older login", logout_of(2, "t", "a"), login(1, "t", &["a"]), &[]),
        ("login, older logout", login(2, "t", &["a"]), logout(1, "t"), &["a/0"]),
        ("the same deletion", deletion(2, "a"), deletion(2, "a"), &[]),
        ("deletion, older deletion", deletion(2, "a"), deletion(1, "a"), &[]),
    ] {
        let world = world().await;
        assert_eq!(deliver(&world.other, &[newer]).await, NONE, "{name}");
        let writes = world.requests(Operation::UpdateItem);
        assert_eq!(world.batch(&[older]).await, NONE, "{name}: {:?}", world.reasons());
        assert_eq!(world.stage.bound("android", "t"), *bound, "{name}");
        // A deletion has a row in each of the two apps.
        let most = if name.contains("deletion") { 2 } else { 1 };
        assert!(world.requests(Operation::UpdateItem) - writes <= most, "{name}: refused once, then read");
    }
}

/// A stale read would be answered as well.
#[tokio::test]
async fn a_write_that_is_refused_because_of_one_register_is_repeated_without_it() {
    let world = world().await;
    let both = serde_json::json!([{"account": "a"}, {"account": "b"}]);
    let logout_of_both = logout_of(1, "t", "a").replace(r#"[{"account":"a"}]"#, &both.to_string());
    assert_eq!(world.batch(&[logout_of(2, "t", "a")]).await, NONE);
    let writes = world.requests(Operation::UpdateItem);
    assert_eq!(world.batch(&[logout_of_both]).await, NONE, "{:?}", world.reasons());
    assert_eq!(world.requests(Operation::UpdateItem) - writes, 2);
    let [row] = &world.rows()[..] else { panic!("one device, one row") };
    assert_eq!(row.matches("any:").count(), 2, "{row}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_after_a_refusal_fails_its_event_with_the_reason_of_the_read() {
    for (fault, reason) in [(AwsFault::AccessDenied, "ledger_unreachable"), (AwsFault::Throttling, "ledger_throttled")]
    {
        let world = world().await;
        assert_eq!(world.batch(&[logout(2, "t")]).await, NONE);
        world.aws.fail_next(Operation::BatchGetItem, usize::MAX, fault);
        assert_eq!(world.batch(&[logout(1, "t")]).await, ["m0"]);
        assert_eq!(world.reasons(), [reason]);
    }
}

#[tokio::test]
async fn a_row_that_is_removed_before_it_is_read_is_written_again() {
    let on_android = |second| deletion(second, "a").replace("account_list", r#"app":"android","account_list"#);
    for (newer, older) in [(logout(2, "t"), logout(1, "t")), (on_android(2), on_android(1))] {
        let world = world().await;
        assert_eq!(world.batch(&[newer]).await, NONE);
        let writes = world.requests(Operation::UpdateItem);
        let gate = world.aws.hold(Operation::BatchGetItem, 1);
        let bodies = [older];
        let removing = async {
            gate.reached().await;
            world.aws.with_table(TABLE, |table| {
                let keys: Vec<_> = table.items().map(|item| item.text("pk").unwrap().to_owned()).collect();
                keys.iter().filter(|key| *key != "apps").for_each(|key| _ = table.remove(key));
            });
            gate.release();
        };
        let (failed, ()) = futures_util::future::join(world.batch(&bodies), removing).await;
        assert_eq!(failed, NONE, "{:?}", world.reasons());
        assert!(world.requests(Operation::UpdateItem) - writes >= 2, "refused, then accepted");
        assert_eq!(world.rows().len(), 1);
    }
}

#[tokio::test]
async fn two_sandboxes_that_add_their_apps_at_the_same_time_agree() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table(TABLE, "pk");
    aws.stale_reads(true);
    aws.failed_conditions_hide_items(true);
    let endpoint = aws.url();
    let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", &endpoint), ("TPNS_MAX_ATTEMPTS", "1")];
    let stage = Stage::with(&settings).await;
    let other = function(&stage.tpns.apps_document(), &settings);
    // The other one starts while it can't read the table, so it writes nothing in its Init; and it has no cold start while
    // the first one's Init is held, which ends after 1.5 s.
    aws.fail_next(Operation::BatchGetItem, usize::MAX, AwsFault::AccessDenied);
    assert_eq!(deliver(&other, &[]).await, NONE);
    aws.clear_faults();
    let before = aws.requests().len();
    let gate = aws.hold(Operation::UpdateItem, 1);
    let overtaking = async {
        gate.reached().await;
        assert_eq!(deliver(&other, &[login(1, "u", &["b"])]).await, NONE);
        gate.release();
    };
    let (failed, ()) = futures_util::future::join(deliver(&stage.function, &[login(1, "t", &["a"])]), overtaking).await;
    assert_eq!(failed, NONE, "{}", stage.printed());
    let failed = aws.requests()[before..].iter().filter(|request| request.error.is_some()).count();
    assert_eq!(failed, 1, "the second write");
    assert_eq!((stage.bound("android", "t"), stage.bound("android", "u")), (vec!["a/0".into()], vec!["b/0".into()]));
}
