use proptest::prelude::*;

use super::*;
use crate::{apps::AppId, event::AccountType, testing, tpns::DATA_KEY_LEN};

proptest! {
    #[test]
    fn the_key_of_a_device_names_it(app in 0..3_u16, token in "[#%a-z]{1,9}") {
        let apps = AppNames::new(["android", "a#b%c", "a"]);
        let device = Device { app: AppId(app), token: Token::new(&token).unwrap() };
        prop_assert_eq!(device_of(&device_key(&device, &apps), &apps), Some(device));
    }
}

#[test]
fn only_a_key_of_a_device_of_a_known_app_names_a_device() {
    let apps = AppNames::new(["android", "a#b%c", "a"]);
    let account =
        account_key(&AccountKey { app: AppId(0), account: testing::account("1", AccountType(0)) }, &apps, None);
    for key in ["apps", "device#huawei#token0", "device#android", "device#android#", "device#a#\u{0}", &account] {
        assert_eq!(device_of(key, &apps), None, "{key}");
    }
    assert!(is_of_an_account(&account) && !is_of_an_account("device#account#1"));
}

#[test]
fn keys_carry_kind_and_app_and_no_deleted_account() {
    let apps = AppNames::new(["android", "a#b%c"]);
    let device = |app| Device { app: AppId(app), token: Token::new("to#ken").unwrap() };
    let account =
        |app, name: &str, kind| AccountKey { app: AppId(app), account: testing::account(name, AccountType(kind)) };
    assert_eq!(device_key(&device(0), &apps), "device#android#to#ken");
    assert_eq!(device_key(&device(1), &apps), "device#a%23b%25c#to#ken");
    // printf '1005\0bob@example.com\0android' | sha256sum
    assert_eq!(
        account_key(&account(0, "bob@example.com", 1005), &apps, None),
        "account#android#19ad032ea723e8cbf2363324948df579d44591d95d4350501aec303125cbef1b"
    );
    let mut keys = vec![
        account_key(&account(0, "1", 0), &apps, None),
        account_key(&account(0, "1", 1), &apps, None),
        account_key(&account(0, "11", 0), &apps, None),
        account_key(&account(1, "1", 0), &apps, None),
    ];
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn with_a_key_the_digest_of_an_account_is_not_that_of_its_name() {
    let apps = AppNames::new(["android"]);
    let key = AccountKey { app: AppId(0), account: testing::account("bob@example.com", AccountType(1005)) };
    let seal = |byte| Seal::of([byte; DATA_KEY_LEN], 0).unwrap();
    let keys = [None, Some(seal(7)), Some(seal(8))].map(|seal| account_key(&key, &apps, seal.as_ref()));
    assert!(keys[0] != keys[1] && keys[1] != keys[2], "{keys:?}");
    assert_eq!(keys[1], account_key(&key, &apps, Some(&seal(7))));
    assert!(keys.iter().all(|key| key.len() == keys[0].len() && is_of_an_account(key)));
}
