use std::borrow::Cow;

use super::*;
use crate::apps::AppId;

/// A failure as TPNS's code makes it.
const fn failure(reason: Reason, code: i64) -> Failure {
    Failure { reason, code: Some(code), detail: Cow::Borrowed(""), retry_after: None }
}

const TYPE: OperatorType = OperatorType::UnbindAll;
const UNDOCUMENTED: Failure = failure(Reason::TpnsUnknownCode, 1_008_005);
const BAD_REQUEST: Failure = failure(Reason::TpnsBadInput, 400);
const BAD_INPUT: Failure = failure(Reason::TpnsBadInput, 1_008_007);

fn rejected(reasons: &[Failure]) -> Rejections {
    let rejections = Rejections::default();
    for (item, failure) in reasons.iter().enumerate() {
        rejections.alone(ItemIndex(item), TYPE, failure.clone());
    }
    rejections
}

fn verdicts(rejections: &Rejections) -> Vec<&'static str> {
    let name = |(_, verdict): (ItemIndex, Verdict)| match verdict {
        Verdict::Rejected(_) => "rejected",
        Verdict::Retry(Failure { reason: Reason::TpnsRejectsEveryCall, .. }, None) => "retry",
        other => panic!("{other:?}"),
    };
    rejections.verdicts().into_iter().map(name).collect()
}

#[test]
fn without_an_accepted_neighbour_only_a_documented_code_blames_the_item() {
    for (reasons, expected) in [
        (vec![UNDOCUMENTED], vec!["retry"]),
        (vec![BAD_REQUEST], vec!["retry"]),
        (vec![BAD_INPUT], vec!["rejected"]),
        (vec![BAD_INPUT; 2], vec!["rejected"; 2]),
        (vec![BAD_INPUT; 3], vec!["retry"; 3]),
        (vec![BAD_INPUT, UNDOCUMENTED, BAD_INPUT], vec!["rejected", "retry", "rejected"]),
    ] {
        let rejections = rejected(&reasons);
        assert_eq!(verdicts(&rejections), expected, "{reasons:?}");
        rejections.note(OperatorType::Bind, &Judgement::Whole(Verdict::Accepted));
        assert_eq!(verdicts(&rejections), vec!["rejected"; reasons.len()], "{reasons:?}, and a neighbour was accepted");
    }
}

#[test]
fn what_says_nothing_of_an_item_is_no_evidence() {
    let rejections = rejected(&[UNDOCUMENTED]);
    let later = Verdict::Retry(Failure::of(Reason::TpnsTimeout), None);
    let config = Verdict::Misconfigured(Failure::of(Reason::TpnsAuthFailed));
    for judgement in [
        Judgement::Whole(later.clone()),
        Judgement::Whole(config.clone()),
        Judgement::Each(vec![later.clone(), config.clone()]),
    ] {
        rejections.note(TYPE, &judgement);
        assert_eq!(verdicts(&rejections), ["retry"], "{judgement:?}");
    }
    rejections.note(TYPE, &Judgement::Each(vec![later, Verdict::Rejected(BAD_INPUT)]));
    assert_eq!(verdicts(&rejections), ["rejected"], "an item was looked at");
}

#[test]
fn a_sample_that_agrees_halts_the_operator_type_until_something_is_accepted() {
    let rejections = rejected(&[UNDOCUMENTED; 3]);
    let of = rejections.of(TYPE);
    of.conclude(0);
    assert_eq!(rejections.halted(TYPE), None, "nothing is left");
    of.conclude(1);
    assert_eq!(
        rejections.halted(TYPE),
        Some(Verdict::Retry(Failure { reason: Reason::TpnsRejectsEveryCall, ..UNDOCUMENTED }, None))
    );
    assert_eq!(rejections.halted(OperatorType::Bind), None);
    rejections.note(OperatorType::Bind, &Judgement::Whole(Verdict::Accepted));
    assert_eq!(verdicts(&rejections), ["retry"; 3], "the others were not tried, so these are no worse");
    rejections.note(TYPE, &Judgement::Whole(Verdict::Accepted));
    assert_eq!(rejections.halted(TYPE), None);
}

#[test]
fn a_sample_that_disagrees_or_is_too_small_blames_the_items() {
    for reasons in [vec![UNDOCUMENTED, BAD_REQUEST], vec![UNDOCUMENTED; 2]] {
        let rejections = rejected(&reasons);
        rejections.of(TYPE).conclude(10);
        assert!(!rejections.of(TYPE).is_unclear() && rejections.halted(TYPE).is_none(), "{reasons:?}");
    }
    let rejections = rejected(&[UNDOCUMENTED; 2]);
    rejections.of(TYPE).conclude(0);
    assert!(rejections.of(TYPE).is_unclear(), "nothing was left to sample");
    let later = Rejections::begin(&rejections.evidence, []);
    assert_eq!(later.verdicts(), []);
    assert_eq!(later.of(TYPE).sample(&mut (0..20).map(ItemIndex).collect()).len(), SAMPLE, "counted from the start");
}

#[test]
fn a_sample_is_sent_when_several_calls_of_many_items_were_rejected_and_none_accepted() {
    let call = |count| Call { app: AppId(0), operator_type: TYPE, items: (0..count).map(ItemIndex).collect() };
    for (counts, expected) in
        [(vec![20, 20], [false, false, true, true]), (vec![7], [false, false, true, true]), (vec![6], [false; 4])]
    {
        let calls: Vec<_> = counts.iter().copied().map(call).collect();
        let rejections = Rejections::begin(&Evidence::default(), &calls);
        assert_eq!([(); 4].map(|()| rejections.of(TYPE).rejected()), expected, "{counts:?}");
        rejections.note(TYPE, &Judgement::Whole(Verdict::Accepted));
        assert!(!rejections.of(TYPE).rejected(), "{counts:?}");
    }
}

#[test]
fn in_a_later_round_the_items_are_at_fault_if_anything_was_accepted_in_an_earlier_one() {
    let later = |judgement: Option<Judgement>| {
        let evidence = Evidence::default();
        let rejections = Rejections::begin(&evidence, []);
        judgement.iter().for_each(|judgement| rejections.note(OperatorType::Bind, judgement));
        Rejections::begin(&evidence, []).of(TYPE).is_unclear()
    };
    assert!(later(None));
    assert!(!later(Some(Judgement::Whole(Verdict::Accepted))));
}

#[test]
fn a_sample_is_spread_over_the_call() {
    for (length, expected) in
        [(1, vec![0]), (2, vec![1, 0]), (3, vec![2, 1, 0]), (4, vec![3, 2, 0]), (20, vec![16, 10, 3])]
    {
        let mut items: Vec<_> = (0..length).map(ItemIndex).collect();
        let sample = Rejections::default().of(TYPE).sample(&mut items);
        assert_eq!(sample, expected.into_iter().map(ItemIndex).collect::<Vec<_>>());
        assert_eq!(items.len() + sample.len(), length);
    }
    let mut items: Vec<_> = (0..20).map(ItemIndex).collect();
    assert_eq!(rejected(&[UNDOCUMENTED; 2]).of(TYPE).sample(&mut items), [ItemIndex(10)]);
    assert_eq!(rejected(&[UNDOCUMENTED; 5]).of(TYPE).sample(&mut items), []);
}

#[test]
fn a_bare_status_is_the_apps_fault_only_when_calls_of_single_items_agree_and_nothing_is_accepted() {
    const FORBIDDEN: Failure = failure(Reason::TpnsAuthFailed, 403);
    let of_the_app = Verdict::Misconfigured(FORBIDDEN);
    let of_an_item = Verdict::Rejected(Failure { reason: Reason::TpnsBadInput, ..FORBIDDEN });
    for count in 1..=4 {
        let rejections = rejected(&vec![FORBIDDEN; count]);
        assert!(rejections.verdicts().iter().all(|(_, verdict)| *verdict == of_the_app), "{count}");
        rejections.of(TYPE).conclude(10);
        assert_eq!(rejections.halted(TYPE), (count >= SAMPLE).then_some(of_the_app.clone()), "{count}");
    }
    let rejections = rejected(&[FORBIDDEN]);
    rejections.note(OperatorType::Bind, &Judgement::Whole(Verdict::Accepted));
    let untried = Verdict::Retry(Failure { reason: Reason::TpnsBadInput, ..FORBIDDEN }, None);
    assert_eq!(rejections.verdicts(), [(ItemIndex(0), untried)], "it was not tried since");
    assert_eq!(rejections.alone(ItemIndex(1), TYPE, FORBIDDEN).0, of_an_item);
    // TPNS takes other calls with this key: whatever all of these have in common, it is not the app's fault.
    let rejections = rejected(&[FORBIDDEN; 3]);
    rejections.of(TYPE).conclude(10);
    rejections.note(OperatorType::Bind, &Judgement::Whole(Verdict::Accepted));
    let of_every_call = Verdict::Retry(Failure { reason: Reason::TpnsRejectsEveryCall, ..FORBIDDEN }, None);
    assert_eq!(rejections.halted(TYPE), Some(of_every_call));
}
