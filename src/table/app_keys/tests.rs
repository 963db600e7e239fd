use proptest::prelude::*;

use super::*;

/// A document with these apps, each a name, an AccessID and an access point.
fn apps(list: &[(&str, u64, &str)]) -> Apps {
    let app = |&(name, id, region): &(&str, u64, &str)| {
        format!(r#""{name}":{{"access_id":{id},"secret_key":"k","region":"{region}"}}"#)
    };
    Apps::parse(&format!("{{{}}}", list.iter().map(app).collect::<Vec<_>>().join(","))).unwrap()
}

/// The row after these additions.
fn with(row: &AppsRow, added: Vec<Added>) -> AppsRow {
    let mut names = row.names.clone();
    for (attribute, name) in added {
        assert_eq!(names.insert(attribute, name), None, "what is in the row stays as it is");
    }
    AppsRow { revision: row.revision + 1, names, ..AppsRow::default() }
}

/// Adds a document's apps, and gives the names that their rows go by.
fn meet(row: &mut AppsRow, list: &[(&str, u64, &str)]) -> Vec<String> {
    let apps = apps(list);
    let (names, added) = row.names(&apps);
    *row = with(row, added);
    assert_eq!(row.names(&apps), (names.clone(), vec![]), "once is enough");
    names.ids().map(|id| names.name(id).to_owned()).collect()
}

#[test]
fn an_app_keeps_the_name_it_was_added_with() {
    let mut row = AppsRow::default();
    let (android, ios, hk) = ((1, "guangzhou"), (2, "guangzhou"), (1, "hongkong"));
    let mut meet = |list: &[(&str, (u64, &str))]| {
        let list: Vec<_> = list.iter().map(|&(name, (id, region))| (name, id, region)).collect();
        meet(&mut row, &list)
    };
    assert_eq!(meet(&[("android", android), ("ios", ios)]), ["android", "ios"]);
    assert_eq!(meet(&[("phone", android)]), ["android"]);
    assert_eq!(meet(&[("android", ios), ("ios", android)]), ["ios", "android"]);
    let moved = "android@1@api.tpns.hk.tencent.com";
    assert_eq!(meet(&[("android", hk)]), [moved]);
    assert_eq!(meet(&[("hk", hk), ("phone", android), ("ios", ios)]), [moved, "android", "ios"]);
    // Its name is no longer in use, but its rows are there, and it may be back.
    assert_eq!(meet(&[("android", (3, "guangzhou"))]), ["android@3@api.tpns.tencent.com"]);
}

#[test]
fn a_row_comes_back_from_its_attributes() {
    let s = |text: &str| AttributeValue::S(text.into());
    let n = |text: &str| AttributeValue::N(text.into());
    let row = |attributes: &[(&str, AttributeValue)]| {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        AppsRow::read(&attributes)
    };
    assert_eq!(row(&[]), Ok(AppsRow::default()));
    let names = BTreeMap::from([("app:1@x".to_owned(), "android".to_owned())]);
    let good = row(&[("pk", s("apps")), (REVISION, n("7")), ("app:1@x", s("android")), ("note", n("1"))]);
    assert_eq!(good, Ok(AppsRow { revision: 7, names, ..AppsRow::default() }));
    let revision: &[(&str, AttributeValue)] = &[(REVISION, s("7"))];
    for (attributes, at_fault) in [
        (revision, REVISION),
        (&[(REVISION, n("-1"))], REVISION),
        (&[(REVISION, n("1")), ("app:1@x", n("5"))], "app:…"),
        (&[(REVISION, n("1")), ("app:1@x", s("a")), ("app:2@x", s("a"))], "app:…"),
        (&[("app:1@x", s("a"))], "app:…"),
    ] {
        assert_eq!(row(attributes), Err(Unreadable::Format(at_fault)), "{attributes:?}");
    }
}

#[test]
fn keys_fit_the_same_apps_whatever_their_names_and_keys() {
    let document = |list| Arc::new(apps(list));
    let keys = AppKeys::new(AppNames::new(["android"]), None, document(&[("android", 1, "guangzhou")]));
    assert!(keys.fit(&document(&[("phone", 1, "guangzhou")])));
    assert!(
        !keys.fit(&document(&[("android", 2, "guangzhou")])) && !keys.fit(&document(&[("android", 1, "hongkong")]))
    );
    assert!(!keys.fit(&document(&[("android", 1, "guangzhou"), ("ios", 2, "guangzhou")])));
}

proptest! {
    /// Whatever documents there were: no two apps have the same rows, and none loses its own.
    #[test]
    fn rows_are_never_shared_and_never_lost(
        documents in prop::collection::vec(prop::collection::btree_map(0..4_usize, 0..6_u64, 1..4), 1..8),
    ) {
        const NAMES: [&str; 4] = ["android", "ios", "pad", "tv"];
        let mut row = AppsRow::default();
        let mut known = BTreeMap::new();
        for document in documents {
            let app = |(&name, &app): (&usize, &u64)| {
                (NAMES[name], app / 2, if app % 2 == 0 { "guangzhou" } else { "shanghai" })
            };
            // One app under two names is refused elsewhere.
            let mut list: Vec<_> = document.iter().map(app).collect();
            let mut seen = BTreeSet::new();
            list.retain(|&(_, id, region)| seen.insert((id, region)));
            for ((_, id, region), name) in list.iter().zip(meet(&mut row, &list)) {
                prop_assert_eq!(known.entry((*id, *region)).or_insert_with(|| name.clone()), &name);
            }
        }
        let distinct: BTreeSet<_> = known.values().collect();
        prop_assert_eq!(distinct.len(), known.len());
    }
}

/// A row after these changes.
fn rewrapped(row: &AppsRow, change: &Rewrapped) -> AppsRow {
    let mut attributes: Attributes =
        row.wrapped.iter().map(|(id, key)| (format!("{KEY}{id}"), AttributeValue::S(key.clone()))).collect();
    attributes.insert(REVISION.into(), AttributeValue::N("1".into()));
    attributes.extend(row.sealed_since.map(|since| (SEALED_SINCE.into(), AttributeValue::N(since.to_string()))));
    attributes.extend(row.current_key.clone().map(|id| (CURRENT_KEY.into(), AttributeValue::S(id))));
    attributes.extend(change.set.iter().cloned());
    change.remove.iter().for_each(|name| _ = attributes.remove(name));
    AppsRow::read(&attributes).unwrap()
}

#[test]
fn keys_are_rotated_by_way_of_a_document_with_both_and_what_was_written_stays_readable() {
    let keys = |list: &[&str]| {
        let keys: Vec<_> = list.iter().map(|key| format!("\"{key}-of-more-than-32-characters-length\"")).collect();
        let app = r#""a":{"access_id":1,"secret_key":"k","region":"guangzhou"}"#;
        Apps::parse(&format!(r#"{{"ledger_keys":[{}],{app}}}"#, keys.join(","))).unwrap().ledger_keys
    };
    let none = LedgerKeys::default();
    let (new, change) = AppsRow::default().seal(&keys(&["old"]), 100).unwrap();
    assert_eq!(
        (new.unwrap().since, rewrapped(&AppsRow::default(), &change).sealed_since),
        (0, Some(0)),
        "nothing is older"
    );
    let row = AppsRow { revision: 1, ..AppsRow::default() };
    let (clear, change) = row.seal(&none, 100).unwrap();
    assert!(clear.is_none() && change.is_empty());

    let (first, change) = row.seal(&keys(&["old"]), 100).unwrap();
    let (first, row) = (first.unwrap(), rewrapped(&row, &change));
    assert_eq!((first.since, row.sealed_since, row.wrapped.len()), (100, Some(100), 1));
    // Nothing more to do, now or later.
    let (again, change) = row.seal(&keys(&["old"]), 200).unwrap();
    assert!(
        change.is_empty()
            && again.as_ref().is_some_and(|seal| seal.data_key() == first.data_key() && seal.since == 100)
    );

    let (both, change) = row.seal(&keys(&["new", "old"]), 300).unwrap();
    assert_eq!(both.unwrap().data_key(), first.data_key());
    let row = rewrapped(&row, &change);
    assert_eq!(row.wrapped.len(), 2);
    // A sandbox that has the older document yet, or has it again, takes nothing away.
    for older in [keys(&["old"]), keys(&["old", "new"])] {
        let (seal, change) = row.seal(&older, 350).unwrap();
        assert!(change.is_empty() && seal.unwrap().data_key() == first.data_key(), "{change:?}");
    }
    let (new, change) = row.seal(&keys(&["new"]), 400).unwrap();
    assert_eq!(new.unwrap().data_key(), first.data_key());
    let row = rewrapped(&row, &change);
    assert_eq!(row.wrapped.len(), 1);

    for gone in [keys(&["old"]), keys(&["other"]), none] {
        assert_eq!(row.seal(&gone, 500).unwrap_err(), Unreadable::NoKey);
    }
    let without_key = Attributes::from([
        (REVISION.to_owned(), AttributeValue::N("1".into())),
        (SEALED_SINCE.to_owned(), AttributeValue::N("1".into())),
    ]);
    assert_eq!(AppsRow::read(&without_key), Err(Unreadable::Format("key:…")));
    let mut damaged = row;
    damaged.wrapped.values_mut().for_each(|wrapped| *wrapped = "AAAA".into());
    assert_eq!(damaged.seal(&keys(&["new"]), 500).unwrap_err(), Unreadable::Format("key:…"));
}
