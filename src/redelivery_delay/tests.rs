use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DELAYS: RedeliveryDelays = RedeliveryDelays::DEFAULT;

fn ranges(reason: Reason) -> Vec<(u32, u32)> {
    (1..=11).map(|delivery| DELAYS.range(reason, delivery)).map(|range| (*range.start(), *range.end())).collect()
}

#[test]
fn a_transient_failure_waits_two_seconds_then_twice_as_long_each_time_up_to_ten_minutes() {
    let expected = [
        (1, 2),
        (2, 4),
        (4, 8),
        (8, 16),
        (16, 32),
        (32, 64),
        (64, 128),
        (128, 256),
        (256, 512),
        (300, 600),
        (300, 600),
    ];
    for reason in [
        Reason::TpnsUnavailable,
        Reason::TpnsUnreachable,
        Reason::TpnsTokenNotYetKnown,
        Reason::LedgerThrottled,
        Reason::WaitsForAnotherCall,
        Reason::Panic,
        Reason::MalformedJson,
    ] {
        assert_eq!(ranges(reason), expected, "{reason}");
    }
}

#[test]
fn what_an_operator_has_to_correct_waits_thirty_seconds_at_first() {
    let expected = [
        (15, 30),
        (30, 60),
        (60, 120),
        (120, 240),
        (240, 480),
        (300, 600),
        (300, 600),
        (300, 600),
        (300, 600),
        (300, 600),
        (300, 600),
    ];
    for reason in [Reason::TpnsAuthFailed, Reason::TpnsNotPaid, Reason::AppsDocumentUnread] {
        assert_eq!(ranges(reason), expected, "{reason}");
    }
}

#[test]
fn what_lacked_time_is_delivered_again_at_once_eight_times_and_then_as_after_a_transient_failure() {
    for reason in [Reason::Deadline, Reason::NotAttempted] {
        let ranges = ranges(reason);
        assert_eq!(ranges[..8], [(1, 1); 8], "{reason}");
        assert_eq!(ranges[8..], [(256, 512), (300, 600), (300, 600)], "{reason}");
    }
}

#[test]
fn tpns_may_ask_for_a_longer_delay_than_the_setting_but_not_for_more_than_sqs_allows() {
    let seconds = |asked| DELAYS.seconds(Reason::TpnsThrottled, 1, Some(asked), 0.0);
    for (asked, expected) in [
        (Duration::ZERO, 1),
        (Duration::from_millis(1001), 2),
        (Duration::from_secs(30), 30),
        (Duration::from_secs(3600), 3600),
        (Duration::from_secs(12 * 3600), LONGEST),
        (Duration::MAX, LONGEST),
    ] {
        assert_eq!(seconds(asked), expected, "{asked:?}");
    }
}

#[test]
fn a_setting_is_from_a_second_to_twelve_hours() {
    let most = |most| RedeliveryDelays::new(most).map(|delays| *delays.range(Reason::TpnsUnavailable, 99).end());
    for (setting, expected) in [
        (Duration::ZERO, None),
        (Duration::from_millis(999), None),
        (Duration::from_secs(1), Some(1)),
        (Duration::from_millis(2900), Some(2)),
        (Duration::from_secs(600), Some(600)),
        (Duration::from_secs(12 * 3600), Some(LONGEST)),
        (Duration::from_millis(12 * 3_600_000 + 1), None),
        (Duration::MAX, None),
    ] {
        assert_eq!(most(setting), expected, "{setting:?}");
    }
    assert_eq!(RedeliveryDelays::new(Duration::from_secs(600)), Some(RedeliveryDelays::DEFAULT));
}

#[test]
fn a_message_that_was_delivered_often_is_hidden_for_the_rest_of_the_invocation_and_at_most_as_long_again() {
    for (remaining, range) in [(0, 11..=22), (29, 40..=80), (899, 910..=1820), (1 << 40, LONGEST..=LONGEST)] {
        for random in [0.0, 0.5, 0.999_999] {
            let seconds = seconds_while_handled(Duration::from_secs(remaining), random);
            assert!(range.contains(&seconds), "{remaining} s left, {random}: {seconds} s");
        }
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_last_delivery_is_not_earlier_than_the_time_to_give_up_after() {
    for (hours, expected) in [(0, 1), (1, 21), (6, 81), (24, 297), (72, 873)] {
        assert_eq!(DELAYS.deliveries_for(hours * HOUR), expected, "{hours} h");
    }
    let in_steps_of_a_second = RedeliveryDelays::new(Duration::from_secs(1)).map(|delays| delays.deliveries_for(HOUR));
    assert_eq!(in_steps_of_a_second, Some(3601));
}

/// The mapping `GiveUpAfter` in the template's mappings: hours -> (`MaxReceiveCount`, `Seconds`).
fn mapping(mappings: &str) -> BTreeMap<u32, (u32, u32)> {
    let lines = mappings.lines().skip_while(|line| *line != "  GiveUpAfter:").skip(1);
    let rows = lines.filter(|line| !line.trim_start().starts_with('#')).map_while(|line| line.strip_prefix("    '"));
    let number = |row: &str, key: &str| {
        let value = row.split_once(key).unwrap().1;
        value.split([',', '}']).next().unwrap().trim().parse().unwrap()
    };
    let row = |row: &str| {
        let hours = row.split_once("h':").unwrap().0.parse().unwrap();
        (hours, (number(row, "MaxReceiveCount:"), number(row, "Seconds:")))
    };
    rows.map(row).collect()
}

#[test]
fn the_templates_numbers_of_deliveries_are_those_of_these_delays() {
    let template = include_str!("../../template.yaml");
    let (_, mappings) = template.split_once("\nMappings:\n").unwrap();
    let mapping = mapping(mappings);
    let expected = [1, 6, 24, 72].map(|hours| (hours, (DELAYS.deliveries_for(hours * HOUR), hours * 3600)));
    assert_eq!(mapping, BTreeMap::from(expected));
    // SQS takes no more.
    assert!(mapping.values().all(|(deliveries, _)| *deliveries <= 1000), "{mapping:?}");
}

proptest! {
    #[test]
    fn a_delay_is_in_its_range_and_never_beyond_what_sqs_allows(
        reason in prop::sample::select(Reason::ALL), delivery in any::<u32>(), most in 1..=43_200_u64,
        asked in prop::option::of(0..100_000_u64), random in 0.0..1.0_f64,
    ) {
        let delays = RedeliveryDelays::new(Duration::from_secs(most)).unwrap();
        let range = delays.range(reason, delivery);
        prop_assert!(1 <= *range.start() && u64::from(*range.end()) <= most);
        prop_assert!(range.contains(&delays.seconds(reason, delivery, None, random)));
        let seconds = delays.seconds(reason, delivery, asked.map(Duration::from_secs), random);
        prop_assert!(seconds <= LONGEST);
        prop_assert!(u64::from(seconds) >= asked.unwrap_or_default().min(LONGEST.into()));
    }

    #[test]
    fn whatever_the_delays_the_last_delivery_is_not_too_early(
        hours in 1..=72_u32, randoms in prop::collection::vec(0.0..1.0_f64, 900),
    ) {
        let deliveries = DELAYS.deliveries_for(hours * HOUR);
        let delays = (1..deliveries).zip(&randoms);
        let waited: u32 = delays.map(|(n, random)| DELAYS.seconds(Reason::TpnsUnavailable, n, None, *random)).sum();
        prop_assert!(waited >= hours * 3600);
    }
}
