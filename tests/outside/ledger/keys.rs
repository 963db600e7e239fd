//! Names that only who has the apps document can read.

use lambda_sim::aws::dynamodb::Item;

use super::*;

pub(super) const FIRST: &str = "the-first-ledger-key-of-this-test-0001";
const SECOND: &str = "the-second-ledger-key-of-this-test-0002";

impl World {
    /// Another process, which has these keys.
    fn process(&self, keys: &[&str]) -> Arc<Function> {
        let endpoint = self.aws.url();
        let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", &*endpoint), ("TPNS_MAX_ATTEMPTS", "1")];
        function(&with_ledger_keys(&self.stage.tpns.apps_document(), keys), &settings)
    }

    fn everything(&self) -> String {
        let items: Vec<Item> = self.aws.with_table(TABLE, |table| table.items().cloned().collect()).unwrap();
        items.iter().map(|item| item.to_json().to_string()).collect::<Vec<_>>().concat()
    }
}

fn printed(function: &Function) -> String {
    String::from_utf8_lossy(&function.output().unwrap()).into_owned()
}

/// An event with an id that is made of an account.
fn with_id(body: &str, id: &str) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap();
    event["id"] = id.into();
    event.to_string()
}

#[tokio::test]
async fn with_a_key_no_account_and_no_event_id_is_in_the_table_at_any_time() {
    let world = World::with_keys(&[FIRST]).await;
    let secrets = ["13711112222", "bob@example.com", "erased@example.com", "carol7", "926@126.com"];
    let batches = [
        vec![with_id(&login(1, "t", &["13711112222", "bob@example.com"]), "login-13711112222")],
        vec![with_id(&logout_of(2, "t", "bob@example.com"), "logout-bob@example.com")],
        vec![with_id(&deletion(3, "erased@example.com"), "delete-erased@example.com"), login(3, "u", &["carol7"])],
        vec![with_id(&login(4, "t", &["926@126.com"]), "926@126.com-1"), logout(4, "u")],
        vec![deletion(5, "926@126.com")],
    ];
    for batch in batches {
        assert_eq!(world.batch(&batch).await, NONE);
        let everything = world.everything();
        for secret in secrets {
            assert!(!everything.contains(secret), "{secret} in {everything}");
        }
        assert!(everything.contains("had:~") && everything.contains("key:"), "{everything}");
        // Each is known for what it is all the same.
        assert_eq!(deliver(&world.other, &batch).await, NONE);
    }
    assert_eq!((world.stage.bound("android", "t"), world.stage.bound("android", "u")), (vec![], vec![]));
    assert!(!world.stage.printed().contains("ledger_keys"), "nothing to warn of");
}

#[tokio::test]
async fn a_table_without_a_key_gets_one_and_the_order_of_events_stays() {
    let world = World::new().await;
    assert!(world.stage.printed().contains("the apps document has no ledger_keys"), "{}", world.stage.printed());
    assert_eq!(world.batch(&[deletion(5, "gone"), login(2, "t", &["anna"]), logout_of(3, "v", "dora")]).await, NONE);
    assert_eq!(world.batch(&[login(4, "u", &["anna", "bert"])]).await, NONE);
    assert_eq!(world.batch(&[logout_of(5, "u", "anna")]).await, NONE);

    let keyed = world.process(&[FIRST]);
    // Older than what the rows in clear say.
    let stale =
        [login(4, "w", &["gone"]), login(1, "t", &["carl"]), login(2, "v", &["dora"]), login(3, "u", &["carl"])];
    assert_eq!(deliver(&keyed, &stale).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), ["anna/0"]);
    assert_eq!(world.stage.bound("android", "u"), ["bert/1"]);
    assert_eq!((world.stage.bound("android", "v"), world.stage.bound("android", "w")), (vec![], vec![]));
    let everything = world.everything();
    for secret in ["anna", "bert", "carl", "dora", "gone"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }

    // A deletion that a process with the key has written also counts for one that has not read the key yet.
    assert_eq!(deliver(&keyed, &[deletion(9, "late")]).await, NONE);
    assert_eq!(world.batch(&[login(8, "x", &["late"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "x"), NONE);
    // That one can't read rows with encrypted names, and says what is missing.
    assert_eq!(world.batch(&[logout(9, "t")]).await, ["m0"]);
    assert_eq!(world.reasons(), ["ledger_unreadable"]);
    assert!(world.stage.printed().contains("put the key back into the apps document's ledger_keys"));
    assert_eq!(deliver(&keyed, &[logout(9, "t")]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), NONE);
}

#[tokio::test]
async fn a_deletion_of_before_there_was_a_key_is_made_once_more_at_most() {
    let world = World::new().await;
    assert_eq!(world.batch(&[deletion(1, "gone")]).await, NONE);
    assert_eq!(world.batch(&[login(2, "t", &["gone"])]).await, NONE);
    let deletions = world.calls_of(5);
    let id = world.process(&[FIRST]);
    // Its version has another text in place of the id, so the newest login is bound again behind it, at worst.
    assert_eq!(deliver(&id, &[deletion(1, "gone")]).await, NONE);
    assert_eq!(deliver(&id, &[deletion(1, "gone")]).await, NONE);
    assert!(world.calls_of(5) <= deletions + 2, "once for each app");
    assert_eq!(world.stage.bound("android", "t"), ["gone/0"]);
}

#[tokio::test]
async fn a_key_is_rotated_with_both_in_the_document_and_one_that_is_missing_loses_nothing() {
    let world = World::with_keys(&[FIRST]).await;
    assert_eq!(world.batch(&[login(2, "t", &["anna"]), deletion(5, "gone")]).await, NONE);

    // Replaced at once: nothing can be read, so nothing is acknowledged, and nothing is written.
    let before = world.everything();
    let hasty = world.process(&[SECOND]);
    assert_eq!(deliver(&hasty, &[login(1, "t", &["stale"]), login(4, "u", &["gone"])]).await, ["m0", "m1"]);
    assert!(printed(&hasty).contains("does not have; put it back"), "{}", printed(&hasty));
    let none = world.process(&[]);
    assert_eq!(deliver(&none, &[login(1, "t", &["stale"])]).await, ["m0"]);
    assert_eq!(world.everything(), before);

    for keys in [&[SECOND, FIRST][..], &[SECOND]] {
        let process = world.process(keys);
        assert_eq!(deliver(&process, &[login(1, "t", &["stale"]), login(4, "u", &["gone"])]).await, NONE);
        assert_eq!(
            (world.stage.bound("android", "t"), world.stage.bound("android", "u")),
            (vec!["anna/0".into()], vec![])
        );
    }
    // From then on the first one opens nothing.
    let late = world.process(&[FIRST]);
    assert_eq!(deliver(&late, &[login(1, "t", &["stale"])]).await, ["m0"]);
}

#[tokio::test]
async fn a_row_with_many_names_in_clear_is_hidden_in_several_writes() {
    let world = World::new().await;
    let names: Vec<_> = (0..90).map(|n| format!("guest-{n}")).collect();
    for (second, names) in (0..).zip(names.chunks(30)) {
        let bodies: Vec<_> = names.iter().map(|name| logout_of(10 + second, "kiosk", name)).collect();
        assert_eq!(world.batch(&bodies).await, NONE);
    }
    let keyed = world.process(&[FIRST]);
    assert_eq!(deliver(&keyed, &[logout_of(20, "kiosk", "guest-0")]).await, NONE);
    assert!(!world.everything().contains("guest-"), "{}", world.everything());
    // What was signed out is still known.
    assert_eq!(deliver(&keyed, &[login(5, "kiosk", &["guest-89"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "kiosk"), NONE);
}
