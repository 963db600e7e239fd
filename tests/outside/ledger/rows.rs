//! What the rows hold, and the requests for them.

use super::*;

#[tokio::test]
async fn keys_that_dynamodb_leaves_unprocessed_are_requested_again() {
    let world = World::new().await;
    let bodies: Vec<_> = (0..150).map(|n| login(1, &format!("t{n}"), &[&format!("a{n}")])).collect();
    world.aws.unprocessed_next(3, 40);
    assert_eq!(world.batch(&bodies).await, NONE);
    assert_eq!(world.stage.bound("android", "t149"), ["a149/0"]);
    assert!(world.requests(Operation::BatchGetItem) > 6, "two for the accounts, four for them and the devices");
}

#[tokio::test]
async fn a_row_that_the_function_did_not_write_fails_its_device_and_no_other() {
    let world = World::new().await;
    world.aws.with_table(TABLE, |table| table.put("device#android#t0", Item::new().with("owner", "~yesterday")));
    assert_eq!(world.batch(&[login(1, "t0", &["a"]), login(1, "t1", &["a"])]).await, ["m0"]);
    assert_eq!(world.reasons(), ["ledger_unreadable"]);
    assert_eq!((world.stage.bound("android", "t0"), world.stage.bound("android", "t1")), (vec![], vec!["a/0".into()]));
    // The same with the row of a deleted account, for logins with this account.
    world.aws.with_table(TABLE, |table| table.remove("device#android#t0"));
    let keys: Vec<_> = world.items().iter().map(|item| item.text("pk").unwrap().to_owned()).collect();
    assert_eq!(keys, ["device#android#t1"]);
    assert_eq!(world.batch(&[login(1, "t0", &["a"])]).await, NONE);
}

#[tokio::test]
async fn rows_contain_no_deleted_account_in_plain_text_and_expire_after_45_days() {
    let world = World::new().await;
    assert_eq!(world.batch(&[deletion(1, "erased@example.com"), login(1, "t", &["a"])]).await, NONE);
    let rows = world.rows();
    assert_eq!(rows.len(), 3, "a device, and an account in two apps: {rows:#?}");
    assert!(!rows.concat().contains("erased"), "{rows:#?}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for item in world.items() {
        let expires_at = u64::try_from(item.number("expires_at").unwrap()).unwrap();
        assert!((expires_at - now).abs_diff(45 * 86_400) < 60, "{expires_at}");
    }
}

#[tokio::test]
async fn a_device_with_many_users_does_not_exceed_the_size_of_its_row() {
    let world = World::new().await;
    for second in 0..60 {
        let name = format!("guest{second}");
        let bodies = [login(2 * second, "kiosk", &[&name]), logout_of(2 * second + 1, "kiosk", &name)];
        assert_eq!(world.batch(&bodies).await, NONE);
    }
    let [row] = &world.rows()[..] else { panic!("one device, one row") };
    assert!(row.matches("out:").count() <= 21, "{row}");
    assert_eq!(world.stage.bound("android", "kiosk"), NONE);
}

#[tokio::test]
async fn more_accounts_than_fit_into_a_write_are_written_in_several() {
    let world = World::new().await;
    let names: Vec<_> = (0..100).map(|n| format!("account-{n}")).collect();
    let accounts: Vec<_> = names.iter().map(|name| serde_json::json!({"account": name})).collect();
    let logout = |second: u32| {
        serde_json::json!({"type": "user.logout", "occurred_at": at(second), "app": "android",
                           "token": "t", "account_list": accounts})
        .to_string()
    };
    assert_eq!(world.batch(&[logout(2)]).await, NONE);
    assert_eq!(world.requests(Operation::UpdateItem), 2);
    for name in ["account-0", "account-99"] {
        assert_eq!(world.batch(&[login(1, "t", &[name])]).await, NONE);
        assert_eq!(world.stage.bound("android", "t"), NONE);
    }
}

#[tokio::test]
async fn ten_events_of_ten_devices_need_ten_writes_and_two_reads() {
    let world = World::new().await;
    let bodies: Vec<_> = (0..10).map(|n| login(1, &format!("t{n}"), &[&format!("a{n}")])).collect();
    for requests in [(10, 2), (20, 4)] {
        assert_eq!(world.batch(&bodies).await, NONE);
        assert_eq!((world.requests(Operation::UpdateItem), world.requests(Operation::BatchGetItem)), requests);
    }
}

#[tokio::test]
async fn without_a_table_no_request_is_sent_to_aws() {
    let aws = AwsApi::start().await.unwrap();
    let stage = Stage::with(&[("AWS_ENDPOINT_URL", &aws.url())]).await;
    assert_eq!(stage.batch(&[login(1, "t", &["a"])]).await, NONE);
    assert_eq!(aws.requests(), []);
}
