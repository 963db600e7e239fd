//! A message of a parking or dead-letter queue: what it is, and why it is there.

use contract::{apps::AppNames, check, event::Millis, fingerprint};
use serde::Serialize;

use crate::{
    reading::{Age, Contract, When},
    show::{count, plain, printable, rfc3339},
    sqs::Message,
};

/// What may be shown of a message: no account, no token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) message_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<&'static str>,
    pub(crate) app: Option<String>,
    /// The device's fingerprint.
    pub(crate) device: Option<String>,
    /// When it happened, if the event has a time.
    pub(crate) occurred_at: Option<String>,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) receive_count: Option<u32>,
    pub(crate) sent_at: Option<String>,
    /// Whether the function parked it; otherwise it was dead-lettered.
    pub(crate) parked: bool,
    /// The function would park it because of its time if it were delivered now.
    pub(crate) out_of_time: bool,
    /// It breaks the current contract: sent back, it would be parked again.
    pub(crate) breaks_contract: bool,
    #[serde(skip)]
    pub(crate) sent_millis: Option<Millis>,
    /// Its time is that at which SQS received it, so sending it again would give it a new one.
    pub(crate) timeless: bool,
    /// `sent_at` is the time at which it came to this queue, not that of its first one.
    #[serde(skip)]
    pub(crate) sent_late: bool,
}

impl Summary {
    pub(crate) fn new(message: &Message, contract: &Contract, now: Millis) -> Self {
        let reading = contract.read(&message.body);
        // A check is no event, and its time does not count.
        let is_check = check::read(&message.body, &AppNames::default()).is_ok();
        let at = match reading.verdict {
            Ok(When::At(at)) => Some(at),
            _ => None,
        };
        // An event without an app is of the configured one, if there is exactly one.
        let only = || contract.apps.as_ref().and_then(|apps| apps.only().map(|id| apps.name(id).to_owned()));
        let app = reading.app.or_else(only);
        let device = app.as_deref().zip(reading.token.as_deref()).map(|(app, token)| fingerprint::device(app, token));
        let timeless = reading.verdict == Ok(When::WhenSent);
        let invalid = reading.verdict.err().filter(|_| !is_check);
        let breaks_contract = invalid.is_some();
        let (reason, detail) = reason(message, invalid.map(|e| (e.reason.to_string(), e.detail.into_owned())));
        Self {
            message_id: message.id.clone(),
            kind: if is_check { Some("check") } else { reading.kind },
            app: app.map(|app| plain(&app)),
            device,
            occurred_at: at.map(rfc3339),
            reason: printable(&reason),
            detail: printable(&detail),
            receive_count: message.receive_count,
            sent_at: message.sent_at.map(rfc3339),
            parked: message.attribute("reason").is_some(),
            out_of_time: at.is_some_and(|at| contract.age(at, now) != Age::Fine),
            breaks_contract,
            sent_millis: message.sent_at,
            timeless,
            sent_late: message.attribute("reason").is_some() || message.given_up.is_some(),
        }
    }
}

/// The function gives the reason for what it parks, EventBridge for what it could not deliver, Lambda for what it gave
/// up invoking the function with, and the contract for what breaks it. All else was delivered and never applied; only the function's log has the reason.
fn reason(message: &Message, invalid: Option<(String, String)>) -> (String, String) {
    if let Some(reason) = message.attribute("reason") {
        return (reason.to_owned(), message.attribute("detail").unwrap_or_default().to_owned());
    }
    if let Some(code) = message.attribute("ERROR_CODE") {
        return ("not_put_on_the_queue".into(), format!("EventBridge could not deliver it: {code}"));
    }
    if let Some(given_up) = &message.given_up {
        let several = if given_up.events == 1 { String::new() } else { format!("; holds {} events", given_up.events) };
        let times = given_up.tries.map_or_else(String::new, |tries| format!(" after {}", count(tries, "invocation")));
        let detail = format!("Lambda gave up{times}: {}; see the function's log{several}", given_up.condition);
        return ("invoked_in_vain".into(), detail);
    }
    invalid.unwrap_or_else(|| {
        let times = message
            .receive_count
            .map_or_else(|| "several times".into(), |count| format!("{count} times, this receive included"));
        ("delivered_in_vain".into(), format!("delivered {times}; see the function's log for message_id {}", message.id))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;
    use crate::invocation::GivenUp;

    const NOW: Millis = 1_795_334_400_000;

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let text =
            |text: &str| MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap();
        Message {
            id: "m-1".into(),
            body: body.into(),
            given_up: None,
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), text(value)))
                .collect::<HashMap<_, _>>(),
            sent_at: Some(NOW),
            receive_count: Some(6),
            group: None,
            trace: None,
        }
    }

    fn summary(body: &str, attributes: &[(&str, &str)]) -> Summary {
        let contract = Contract { apps: None, max_age: 1000, max_skew: 1000 };
        Summary::new(&message(body, attributes), &contract, NOW)
    }

    const LOGIN: &str = r#"{"type":"user.login","app":"android","token":"t0k3n","occurred_at":1795334400000,"account_list":[{"account":"ann@example.com"}]}"#;

    #[test]
    fn the_reason_given_by_the_function_takes_precedence() {
        let parked = summary(LOGIN, &[("reason", "unknown_app"), ("detail", "app: is not configured")]);
        assert_eq!(
            (parked.reason.as_str(), parked.detail.as_str(), parked.parked),
            ("unknown_app", "app: is not configured", true)
        );
        assert_eq!(parked.occurred_at.as_deref(), Some("2026-11-22T08:00:00Z"));
        assert_eq!(parked.device, Some(fingerprint::device("android", "t0k3n")));
    }

    #[test]
    fn a_dead_letter_is_explained_by_eventbridge_by_the_contract_or_by_the_log() {
        assert_eq!(
            summary(LOGIN, &[("ERROR_CODE", "NO_PERMISSIONS")]).detail,
            "EventBridge could not deliver it: NO_PERMISSIONS"
        );
        assert_eq!(summary("not JSON", &[]).reason, "malformed_json");
        let unapplied = summary(LOGIN, &[]);
        assert_eq!(unapplied.reason, "delivered_in_vain");
        assert_eq!(
            unapplied.detail,
            "delivered 6 times, this receive included; see the function's log for message_id m-1"
        );
        assert!(!unapplied.parked && !unapplied.timeless && !unapplied.out_of_time && !unapplied.breaks_contract);
        assert!(summary("not JSON", &[("reason", "malformed_json")]).breaks_contract);
    }

    #[test]
    fn a_check_breaks_no_contract_and_has_no_time_that_counts() {
        let check = summary(r#"{"checks":[{"app":"android","token":"t0k3n"}]}"#, &[]);
        assert_eq!((check.kind, check.reason.as_str()), (Some("check"), "delivered_in_vain"));
        assert!(!check.breaks_contract && !check.timeless && !check.out_of_time && check.occurred_at.is_none());
        assert!(summary(r#"{"checks":[]}"#, &[]).breaks_contract);
    }

    #[test]
    fn what_lambda_gave_up_says_so_and_how_many_events_it_holds() {
        let contract = Contract { apps: None, max_age: 1000, max_skew: 1000 };
        let given_up = |events| Some(GivenUp { condition: "RetriesExhausted".into(), tries: Some(3), events });
        let of = |events| Summary::new(&Message { given_up: given_up(events), ..message(LOGIN, &[]) }, &contract, NOW);
        let one = of(1);
        assert_eq!(one.reason, "invoked_in_vain");
        assert_eq!(one.detail, "Lambda gave up after 3 invocations: RetriesExhausted; see the function's log");
        assert!(one.sent_late && !one.parked);
        assert!(of(2).detail.ends_with("; holds 2 events"));
    }

    #[test]
    fn a_time_that_the_function_refuses_and_a_missing_time_are_marked() {
        assert!(summary(&LOGIN.replace("1795334400000", "1795334300000"), &[]).out_of_time);
        let timeless = summary(&LOGIN.replace(r#""occurred_at":1795334400000,"#, ""), &[]);
        assert!(timeless.timeless && timeless.occurred_at.is_none());
    }

    #[test]
    fn a_summary_holds_no_account_no_token_and_no_line_break() {
        let odd = LOGIN.replace("android", "ann@example.com");
        let json = serde_json::to_string(&summary(&odd, &[("reason", "a\u{1b}[2Jb\nc"), ("detail", "x\ry")])).unwrap();
        assert!(!json.contains("ann") && !json.contains("t0k3n"), "{json}");
        assert!(json.contains("a [2Jb c") && json.contains("x y"), "{json}");
    }
}
