//! A message that SQS does not accept is reported with the reason, and its neighbours are parked.

use lambda_sim::{EntryFault, Operation};

use super::{AwsFault, parked, parking};
use crate::stage::Stage;

/// The detail of the line of a message that was not parked.
fn detail(stage: &Stage, message_id: &str) -> String {
    let lines = stage.lines("event failed");
    let line = lines.iter().find(|line| line["message_id"] == message_id).unwrap_or_else(|| panic!("{lines:?}"));
    line["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_body_that_sqs_does_not_accept_is_reported_with_the_reason_and_its_neighbours_are_parked() {
    for (body, why) in [
        ("\u{fffe}".to_owned(), "characters"),
        ("\u{ffff}".to_owned(), "characters"),
        ("a\u{1}b".to_owned(), "characters"),
        ("\u{b}".to_owned(), "characters"),
        ("\0".to_owned(), "characters"),
        ("x".repeat(1 << 20), "larger than 1 MiB"),
        // It is too large only with its attributes.
        ("x".repeat((1 << 20) - 20), "larger than 1 MiB"),
        (String::new(), "no body"),
    ] {
        let (aws, stage) = parking("parked").await;
        let bodies = ["bad 0".to_owned(), body.clone(), "bad 2".to_owned()];
        assert_eq!(stage.batch(&bodies).await, ["m1"], "{why}");
        let detail = detail(&stage, "m1");
        assert!(detail.contains("; not parked: ") && detail.contains(why), "{detail}");
        let kept: Vec<_> = parked(&aws, "parked").into_iter().map(|each| each.body).collect();
        assert_eq!(kept, ["bad 0", "bad 2"]);
        assert_eq!(aws.requests().len(), 1);
    }
}

#[tokio::test]
async fn bodies_that_sqs_accepts_are_parked() {
    let (aws, stage) = parking("parked").await;
    let bodies = ["\t\n\r", "\u{7f}", "\u{85}", "\u{fffd}", "\u{10ffff}", "é 😀", " "];
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(parked(&aws, "parked").len(), bodies.len());
}

#[tokio::test]
async fn a_call_that_is_refused_because_of_one_message_is_split_until_that_one_is_alone() {
    for (at_fault, most_calls) in [(vec![3], 9), (vec![0, 9], 15), (vec![], 1), ((0..10).collect(), 19)] {
        let (aws, stage) = parking("parked").await;
        let faults = at_fault.iter().map(|n| EntryFault::body_containing(format!("bad {n}")).fails_the_call());
        aws.fail_entries_next(usize::MAX, faults);
        let bodies: Vec<_> = (0..10).map(|n| format!("bad {n}")).collect();
        let reported: Vec<_> = at_fault.iter().map(|n| format!("m{n}")).collect();
        assert_eq!(stage.batch(&bodies).await, reported);
        assert_eq!(parked(&aws, "parked").len(), 10 - at_fault.len());
        assert!(aws.requests().len() <= most_calls, "{}", aws.requests().len());
        for id in reported {
            let detail = detail(&stage, &id);
            assert!(detail.contains("; not parked: ") && detail.contains("InvalidMessageContents"), "{detail}");
        }
    }
}

#[tokio::test]
async fn an_entry_that_sqs_refuses_is_reported_with_its_code() {
    let (aws, stage) = parking("parked").await;
    aws.fail_entries_next(1, [EntryFault::at(1).code("InvalidParameterValue").sender_fault(true)]);
    assert_eq!(stage.batch(&["bad 0", "bad 1", "bad 2"]).await, ["m1"]);
    assert!(detail(&stage, "m1").contains("InvalidParameterValue"));
    assert_eq!(parked(&aws, "parked").len(), 2);
}

#[tokio::test]
async fn a_queue_that_accepts_nothing_is_not_called_for_every_message() {
    for (fault, calls) in [(AwsFault::AccessDenied, 1), (AwsFault::Throttling, 5), (AwsFault::ServiceUnavailable, 5)] {
        let (aws, stage) = parking("parked").await;
        aws.fail_next(Operation::SendMessageBatch, usize::MAX, fault);
        let bodies: Vec<_> = (0..10).map(|n| format!("bad {n}")).collect();
        assert_eq!(stage.batch(&bodies).await.len(), 10);
        assert_eq!(aws.requests().len(), calls, "{fault:?}");
    }
}
