use proptest::prelude::*;

use super::*;

const KEY: &str = "device#android#t";

fn seal(byte: u8) -> Seal {
    Seal::of([byte; DATA_KEY_LEN], 0).unwrap()
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(text in any::<String>(), key in any::<String>()) {
        let seal = seal(7);
        let row = RowSeal { seal: Some(&seal), key: &key };
        let sealed = row.seal("out:", &text).unwrap();
        prop_assert!(sealed.starts_with("out:~"));
        prop_assert_eq!(&sealed, &row.seal("out:", &text).unwrap());
        let opened = row.open("out:", &sealed, "it").unwrap();
        prop_assert_eq!((opened.text.as_ref(), opened.is_exposed), (text.as_str(), false));
    }

    #[test]
    fn without_a_key_a_text_is_kept_as_it_is(text in "[^~].{0,20}") {
        let row = RowSeal { seal: None, key: KEY };
        prop_assert_eq!(row.seal("", &text), Ok(text.clone()));
        prop_assert_eq!(row.open("", &text, "it").unwrap(), Opened { text: text.as_str().into(), is_exposed: false });
    }
}

#[test]
fn the_same_name_is_another_text_in_another_row_and_with_another_key() {
    let (own, other) = (seal(7), seal(8));
    let row = RowSeal { seal: Some(&own), key: KEY };
    let elsewhere = RowSeal { key: "device#android#u", ..row };
    let others = RowSeal { seal: Some(&other), ..row };
    let [a, b, c] = [row, elsewhere, others].map(|row| row.seal("", "bob").unwrap());
    assert!(a != b && a != c && b != c, "{a} {b} {c}");
}

#[test]
fn what_has_been_changed_is_refused_and_nothing_of_it_is_shown() {
    let own = seal(7);
    let row = RowSeal { seal: Some(&own), key: KEY };
    let sealed = row.seal("", "bob").unwrap();
    let mut last = sealed.clone();
    last.replace_range(last.len() - 1.., if last.ends_with('A') { "E" } else { "A" });
    for changed in ["~", "~AAAA", "~no base64!", &last, &sealed[..sealed.len() - 4]] {
        assert_eq!(row.open("", changed, "accounts"), Err(Unreadable::Format("accounts")), "{changed}");
    }
    assert_eq!(RowSeal { seal: None, ..row }.open("", &sealed, "accounts"), Err(Unreadable::NoKey));
}

#[test]
fn a_new_key_is_random_and_is_not_printed() {
    let (a, b) = (Seal::new(1).unwrap(), Seal::new(1).unwrap());
    assert_ne!(a.data_key(), b.data_key());
    assert_eq!(format!("{a:?}"), "Seal(…)");
}
