//! A message of a parking or dead-letter queue: what it is, and why it is there.

use serde::Serialize;
use tpns_account_sync::{event::Millis, fingerprint};

use crate::{
    contract::{Age, Contract, When},
    show::{plain, printable, rfc3339},
    sqs::Message,
};

/// What may be told of a message: no account, no token.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) message_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<&'static str>,
    pub(crate) app: Option<String>,
    /// The device's fingerprint.
    pub(crate) device: Option<String>,
    /// When it happened, if the event says so.
    pub(crate) occurred_at: Option<String>,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) receive_count: Option<u32>,
    pub(crate) sent_at: Option<String>,
    /// Whether the function parked it; otherwise it was dead-lettered.
    pub(crate) parked: bool,
    /// The function would park it, because of its time, if it came now.
    pub(crate) out_of_time: bool,
    /// It breaks the contract as it is now: sent back, it would be parked again.
    pub(crate) breaks_contract: bool,
    #[serde(skip)]
    pub(crate) sent_millis: Option<Millis>,
    /// It happens when SQS gets it, so sending it again would make it new.
    pub(crate) timeless: bool,
}

impl Told {
    pub(crate) fn new(message: &Message, contract: &Contract, now: Millis) -> Self {
        let reading = contract.read(&message.body);
        let at = match reading.verdict {
            Ok(When::At(at)) => Some(at),
            _ => None,
        };
        // An app that the event does not name is the configured one, if that is known and the only one.
        let only = || contract.apps.as_ref().and_then(|apps| apps.only().map(|id| apps.name(id).to_owned()));
        let app = reading.app.or_else(only);
        let device = app.as_deref().zip(reading.token.as_deref()).map(|(app, token)| fingerprint::device(app, token));
        let (timeless, breaks_contract) = (reading.verdict == Ok(When::WhenSent), reading.verdict.is_err());
        let (reason, detail) =
            why(message, reading.verdict.err().map(|e| (e.reason.to_string(), e.detail.into_owned())));
        Self {
            message_id: message.id.clone(),
            kind: reading.kind,
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
        }
    }
}

/// The function says it of what it parks; EventBridge of what it could not put on the queue; the contract of what breaks
/// it. The rest was delivered in vain, and only the function's log knows why.
fn why(message: &Message, invalid: Option<(String, String)>) -> (String, String) {
    if let Some(reason) = message.attribute("reason") {
        return (reason.to_owned(), message.attribute("detail").unwrap_or_default().to_owned());
    }
    if let Some(code) = message.attribute("ERROR_CODE") {
        return ("not_put_on_the_queue".into(), format!("EventBridge could not deliver it: {code}"));
    }
    invalid.unwrap_or_else(|| {
        let times = message
            .receive_count
            .map_or_else(|| "several times".into(), |count| format!("{count} times, this look included"));
        ("delivered_in_vain".into(), format!("delivered {times}; see the function's log for message_id {}", message.id))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_sqs::types::MessageAttributeValue;

    use super::*;

    const NOW: Millis = 1_795_334_400_000;

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let text =
            |text: &str| MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap();
        Message {
            id: "m-1".into(),
            body: body.into(),
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

    fn told(body: &str, attributes: &[(&str, &str)]) -> Told {
        let contract = Contract { apps: None, max_age: 1000, max_skew: 1000 };
        Told::new(&message(body, attributes), &contract, NOW)
    }

    const LOGIN: &str = r#"{"type":"user.login","app":"android","token":"t0k3n","occurred_at":1795334400000,"account_list":[{"account":"ann@example.com"}]}"#;

    #[test]
    fn what_the_function_said_stands_first() {
        let told = told(LOGIN, &[("reason", "unknown_app"), ("detail", "app: is not configured")]);
        assert_eq!(
            (told.reason.as_str(), told.detail.as_str(), told.parked),
            ("unknown_app", "app: is not configured", true)
        );
        assert_eq!(told.occurred_at.as_deref(), Some("2026-11-22T08:00:00Z"));
        assert_eq!(told.device, Some(fingerprint::device("android", "t0k3n")));
    }

    #[test]
    fn a_dead_letter_is_explained_by_eventbridge_by_the_contract_or_by_the_log() {
        assert_eq!(
            told(LOGIN, &[("ERROR_CODE", "NO_PERMISSIONS")]).detail,
            "EventBridge could not deliver it: NO_PERMISSIONS"
        );
        assert_eq!(told("not JSON", &[]).reason, "malformed_json");
        let vain = told(LOGIN, &[]);
        assert_eq!(vain.reason, "delivered_in_vain");
        assert_eq!(vain.detail, "delivered 6 times, this look included; see the function's log for message_id m-1");
        assert!(!vain.parked && !vain.timeless && !vain.out_of_time && !vain.breaks_contract);
        assert!(told("not JSON", &[("reason", "malformed_json")]).breaks_contract);
    }

    #[test]
    fn a_time_that_the_function_refuses_and_one_that_is_missing_are_told() {
        assert!(told(&LOGIN.replace("1795334400000", "1795334300000"), &[]).out_of_time);
        let timeless = told(&LOGIN.replace(r#""occurred_at":1795334400000,"#, ""), &[]);
        assert!(timeless.timeless && timeless.occurred_at.is_none());
    }

    #[test]
    fn nothing_that_is_told_names_an_account_or_a_token_or_breaks_a_line() {
        let odd = LOGIN.replace("android", "ann@example.com");
        let told = serde_json::to_string(&told(&odd, &[("reason", "a\u{1b}[2Jb\nc"), ("detail", "x\ry")])).unwrap();
        assert!(!told.contains("ann") && !told.contains("t0k3n"), "{told}");
        assert!(told.contains("a [2Jb c") && told.contains("x y"), "{told}");
    }
}
