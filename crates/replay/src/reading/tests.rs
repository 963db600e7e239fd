use super::*;

const DAY: Millis = 24 * 3600 * 1000;
const AT: Millis = 1_795_334_400_000;

fn contract(apps: Option<&[&str]>) -> Contract {
    Contract { apps: apps.map(|names| AppNames::new(names.iter().copied())), max_age: 14 * DAY, max_skew: 300_000 }
}

fn bare(more: &str) -> String {
    format!(r#"{{"type":"user.login","app":"android","token":"t","account_list":[{{"account":"ann"}}]{more}}}"#)
}

fn bridge(time: &str) -> String {
    format!(r#"{{"detail-type":"user.logout","id":"b-1"{time},"detail":{{"app":"ios","token":"t"}}}}"#)
}

fn notification(message: &str) -> String {
    json!({"Type": "Notification", "Message": message}).to_string()
}

#[test]
fn a_time_in_the_event_or_in_its_eventbridge_envelope_is_its_own() {
    let own = bare(&format!(r#","occurred_at":{AT}"#));
    let whole = bridge(r#","time":"2026-11-22T08:00:00Z""#);
    for body in [&own, &notification(&own), &whole, &notification(&whole)] {
        assert_eq!(contract(None).read(body).verdict, Ok(When::At(AT)), "{body}");
    }
}

#[test]
fn a_body_that_takes_its_time_from_sqs_has_no_time_of_its_own() {
    let without = bare("");
    for body in [&without, &notification(&without), &bridge(""), &bridge(r#","time":null"#)] {
        assert_eq!(contract(None).read(body).verdict, Ok(When::WhenSent), "{body}");
    }
}

#[test]
fn a_body_that_breaks_the_contract_is_refused_with_the_functions_reason_and_still_identified() {
    let reading =
        contract(Some(&["android", "ios"])).read(&bare(r#","app":"windows""#).replace(r#""app":"android","#, ""));
    assert_eq!(reading.verdict.unwrap_err().reason, Reason::UnknownApp);
    assert_eq!((reading.kind, reading.app.as_deref()), (Some("user.login"), Some("windows")));
    assert_eq!(reading.token.as_deref(), Some("t"));
    // Without a time and with a mistake: the mistake is reported.
    let reading = contract(None).read(r#"{"type":"user.login","app":"android","token":"t"}"#);
    assert!(reading.verdict.unwrap_err().detail.starts_with("account_list: is missing"));
}

#[test]
fn without_configured_apps_every_name_is_accepted_and_none_as_well() {
    for body in [bare(""), bare("").replace("android", "anything"), bare("").replace(r#""app":"android","#, "")] {
        assert!(contract(None).read(&body).verdict.is_ok(), "{body}");
    }
    let no_app = bare("").replace(r#""app":"android","#, "");
    assert_eq!(contract(Some(&["android", "ios"])).read(&no_app).verdict.unwrap_err().reason, Reason::MissingApp);
}

#[test]
fn a_body_that_is_no_event_is_refused_and_has_no_identifying_fields() {
    for body in ["", "not JSON", "[]", "[1,2,3,4,5,6]", "5", "{}", r#"{"Type":"Notification","Message":5}"#] {
        let reading = contract(None).read(body);
        assert!(reading.verdict.is_err(), "{body}");
        assert_eq!((reading.kind, reading.token), (None, None), "{body}");
    }
}

#[test]
fn the_age_follows_the_functions_limits() {
    let contract = contract(None);
    assert_eq!(contract.age(AT, AT + 14 * DAY), Age::Fine);
    assert_eq!(contract.age(AT, AT + 14 * DAY + 1), Age::TooOld);
    assert_eq!(contract.age(AT + 300_001, AT), Age::InTheFuture);
}
