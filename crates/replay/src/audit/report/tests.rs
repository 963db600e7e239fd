use super::*;
use crate::audit::tally::Seen;

const NOW: Millis = 1_795_334_400_000;
const DAY: Millis = 86_400_000;

fn tally() -> Tally {
    let mut tally = Tally::default();
    let drift = |bound_but_out, not_bound_but_in, unknown_bindings| {
        Seen::Compared(Drift { bound_but_out, not_bound_but_in, unknown_bindings }, NOW - 40 * DAY - 3_600_000)
    };
    for (n, seen) in [drift(false, false, 0), drift(false, false, 1), drift(false, true, 0), drift(true, true, 0)]
        .into_iter()
        .enumerate()
    {
        tally.add("android", || format!("00000000000{n}"), &seen);
    }
    tally.add("com.example.app.of.a.long.name", || "2aa183252edf".into(), &drift(true, false, 0));
    for seen in [Seen::Recent, Seen::NoRow(1), Seen::NoRow(0), Seen::Unreadable, Seen::Unanswered("why".into())] {
        tally.add("android", String::new, &seen);
    }
    tally.omitted.rows_of_accounts = 9_999_999;
    tally
}

fn text(tally: &Tally) -> String {
    let mut out = Vec::new();
    tables(&mut out, tally, NOW).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_tables_fit_into_80_columns_and_the_worst_comes_first() {
    let text = text(&tally());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let of_android = text.lines().find(|line| line.trim_start().starts_with("android")).unwrap();
    assert_eq!(of_android.split_whitespace().collect::<Vec<_>>(), ["android", "4", "2", "1", "2", "1"]);
    let place = |fingerprint| text.find(fingerprint).unwrap_or_else(|| panic!("{fingerprint}: {text}"));
    assert!(place("000000000003") < place("000000000002") && place("2aa183252edf") < place("000000000002"), "{text}");
    assert!(!text.contains("000000000001"), "unknown bindings are no drift");
    assert!(text.contains("com.example…") && text.contains("40d 1h ago"), "{text}");
    assert!(text.contains("1 of those without a row have accounts at TPNS"), "{text}");
    assert!(
        text.ends_with("TPNS differs for 3 devices; 2 of them may show messages to someone who is out\n"),
        "{text}"
    );
}

#[test]
fn a_long_list_is_cut_and_agreement_is_said() {
    let mut all = Tally::default();
    for n in 0..30 {
        let drift = Drift { bound_but_out: true, ..Drift::default() };
        all.add("android", || format!("{n:012}"), &Seen::Compared(drift, NOW));
    }
    let cut = text(&all);
    assert!(cut.contains("000000000019") && !cut.contains("000000000020"), "{cut}");
    assert!(cut.contains("10 more; --csv FILE writes all of them") && cut.contains("warning: more than half"), "{cut}");
    assert_eq!(text(&Tally::default()), "no device was compared\n");
    let mut one = Tally::default();
    one.add("android", String::new, &Seen::Compared(Drift::default(), NOW));
    assert!(text(&one).ends_with("\n\nTPNS agrees with the ledger\n"));
}

#[test]
fn csv_and_json_hold_each_device_that_differs() {
    let mut out = Vec::new();
    csv(&mut out, &tally()).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "device,app,bound_but_out,not_bound_but_in,unknown_bindings,row_changed\n\
         000000000002,android,false,true,0,2026-10-13T07:00:00Z\n\
         000000000003,android,true,true,0,2026-10-13T07:00:00Z\n\
         2aa183252edf,com.example.app.of.a.long.name,true,false,0,2026-10-13T07:00:00Z\n"
    );
    let json = json(&tally(), "ledger", NOW);
    assert_eq!(json["devices"].as_array().unwrap().len(), 3);
    assert_eq!(json["devices"][1]["device"], "000000000003");
    assert_eq!(json["apps"]["android"]["agree"], 2);
    assert_eq!(json["not_compared"]["no_row"], 2);
}
