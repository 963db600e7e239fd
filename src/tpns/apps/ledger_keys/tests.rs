use super::*;
use crate::tpns::{Apps, AppsError};

const OLD: &str = "an-old-key-of-more-than-32-characters";
const NEW: &str = "a-new-key-of-more-than-32-characters!";

fn keys(list: &[&str]) -> LedgerKeys {
    let list = serde_json::value::to_raw_value(list).unwrap();
    LedgerKeys::parse(&list).unwrap()
}

fn key(text: &str) -> LedgerKey {
    keys(&[text]).current().unwrap().clone()
}

#[test]
fn a_document_says_what_is_wrong_with_its_keys_and_quotes_none() {
    let app = r#""android":{"access_id":1,"secret_key":"k","region":"guangzhou"}"#;
    let secret = "pasted-here-by-mistake-0123456789";
    for (member, error) in [
        (r#""pasted-here-by-mistake-0123456789""#, LedgerKeysError::NotAList),
        (r#"{"access_id":1,"secret_key":"pasted-here-by-mistake-0123456789"}"#, LedgerKeysError::NotAList),
        ("[]", LedgerKeysError::NotAList),
        (r#"["pasted-here-by-mistake-0123456789",7]"#, LedgerKeysError::NotAList),
        (r#"["pasted-here-by-mistake-0123456789","pasted-here"]"#, LedgerKeysError::Unfit(1)),
        (r#"["pasted-here-by-mistake-0123456789\n"]"#, LedgerKeysError::Unfit(0)),
        (r#"["pasted-here by-mistake-0123456789"]"#, LedgerKeysError::Unfit(0)),
        (r#"["pasted-here-by-mistake-0123456789","pasted-here-by-mistake-0123456789"]"#, LedgerKeysError::Same(1)),
        (r#"["a","b","c","d"]"#, LedgerKeysError::TooMany),
    ] {
        let failed = Apps::parse(&format!(r#"{{"ledger_keys":{member},{app}}}"#)).unwrap_err();
        assert!(!failed.to_string().contains(secret), "{failed}");
        assert_eq!(failed, AppsError::LedgerKeys(error), "{member}");
    }
    let twice = Apps::parse(&format!(r#"{{"ledger_keys":["{OLD}"],{app},"ledger_keys":["{OLD}"]}}"#));
    assert_eq!(twice.unwrap_err(), AppsError::LedgerKeys(LedgerKeysError::AppearsTwice));
    let only = Apps::parse(&format!(r#"{{"ledger_keys":["{OLD}"]}}"#));
    assert_eq!(only.unwrap_err(), AppsError::NoApp);
}

#[test]
fn they_are_no_app() {
    let apps = r#"{"ledger_keys":["an-old-key-of-more-than-32-characters"],
                   "android":{"access_id":1,"secret_key":"k","region":"guangzhou"}}"#;
    let apps = Apps::parse(apps).unwrap();
    assert_eq!((apps.names.find("android").unwrap().0, apps.list.len()), (0, 1));
    assert_eq!(apps.ledger_keys, keys(&[OLD]));
}

#[test]
fn only_the_key_that_encrypted_a_data_key_opens_it() {
    let (old, new, data_key) = (key(OLD), key(NEW), [7; DATA_KEY_LEN]);
    let (once, twice) = (old.wrap(&data_key).unwrap(), old.wrap(&data_key).unwrap());
    assert_ne!(once, twice);
    assert_eq!((old.unwrap(&once), old.unwrap(&twice)), (Ok(data_key), Ok(data_key)));
    assert_eq!(new.unwrap(&once), Err(Unspecified));
    for changed in ["", "AAAA", "not base64!", &once[1..], &once[..once.len() - 2]] {
        assert_eq!(old.unwrap(changed), Err(Unspecified), "{changed}");
    }
}

#[test]
fn the_pseudonym_of_an_id_is_that_of_the_key_and_the_id() {
    assert_eq!(key(OLD).pseudonym("evt-1"), key(OLD).pseudonym("evt-1"));
    assert_ne!(key(OLD).pseudonym("evt-1"), key(OLD).pseudonym("evt-2"));
    assert_ne!(key(OLD).pseudonym("evt-1"), key(NEW).pseudonym("evt-1"));
    assert_eq!(key(OLD).pseudonym("").len(), 22);
}

#[test]
fn nothing_of_a_key_is_printed() {
    let printed = format!("{:?}", keys(&[OLD, NEW]));
    assert!(!printed.contains("key-of-more") && printed.contains(key(OLD).id()), "{printed}");
}
