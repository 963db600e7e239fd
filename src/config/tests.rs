use std::collections::HashMap;

use super::*;
use crate::apps::AppId;

const APPS: &str = r#"{"android":{"access_id":1500001048,"secret_key":"topsecret","region":"guangzhou"},"ios":{"access_id":1600001048,"secret_key":"topsecret2","endpoint":"http://127.0.0.1:8090"}}"#;

fn read(settings: &[(&str, &str)]) -> Result<Config, String> {
    let settings: HashMap<_, _> = settings.iter().copied().collect();
    Config::read(|name| settings.get(name).map(ToString::to_string)).map_err(|error| error.to_string())
}

fn error(settings: &[(&str, &str)]) -> String {
    read(settings).expect_err("should not be taken")
}

fn apps_error(document: &str) -> String {
    error(&[("TPNS_APPS", document)])
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let config = read(&[("TPNS_APPS", APPS)]).unwrap();
    assert_eq!(config.calls.concurrency, 8);
    assert_eq!(config.calls.timeout, Duration::from_secs(3));
    assert_eq!(config.calls.max_attempts, 3);
    assert_eq!(config.limits.deadline_reserve, Duration::from_secs(1));
    assert_eq!(config.limits.max_event_age, Duration::from_secs(14 * 86_400));
    assert_eq!(config.limits.max_clock_skew, Duration::from_secs(300));
    assert_eq!(config.apps_max_age, Duration::from_secs(60));
    let AppsFrom::Environment(apps) = &config.apps else { panic!("from the environment") };
    let names = &apps.names;
    assert_eq!(names.ids().map(|id| names.name(id)).collect::<Vec<_>>(), ["android", "ios"]);
    assert_eq!((names.find("ios"), names.find("windows"), names.only()), (Some(AppId(1)), None, None));
    assert_eq!(apps.list[0].endpoint.url().host_str(), Some("api.tpns.tencent.com"));
    assert_eq!(apps.list[1].key.access_id(), "1600001048");
}

#[test]
fn every_setting_can_be_set_and_an_empty_one_counts_as_unset() {
    let config = read(&[
        ("TPNS_APPS", APPS),
        ("TPNS_CONCURRENCY", " 3 "),
        ("TPNS_TIMEOUT_MS", "50"),
        ("TPNS_MAX_ATTEMPTS", "1"),
        ("DEADLINE_RESERVE_MS", "0"),
        ("MAX_EVENT_AGE", "36500d"),
        ("MAX_CLOCK_SKEW", "1m 30s"),
        ("TPNS_APPS_MAX_AGE", "1s"),
        ("LEDGER_TABLE", ""),
    ])
    .unwrap();
    assert_eq!((config.calls.concurrency, config.calls.max_attempts), (3, 1));
    assert_eq!((config.calls.timeout, config.limits.deadline_reserve), (Duration::from_millis(50), Duration::ZERO));
    assert_eq!(config.limits.max_event_age.as_secs(), 36_500 * 86_400);
    assert_eq!(config.limits.max_clock_skew, Duration::from_secs(90));
    assert_eq!(config.apps_max_age, Duration::from_secs(1));
    assert_eq!(read(&[("TPNS_APPS", APPS), ("TPNS_CONCURRENCY", "  ")]).unwrap().calls.concurrency, 8);
}

#[test]
fn a_bad_setting_is_one_line_that_names_the_variable_and_what_to_do() {
    for (name, value, remedy) in [
        ("TPNS_CONCURRENCY", "0", "must be a whole number from 1 to 1000; the default is 8"),
        ("TPNS_CONCURRENCY", "eight", "must be a whole number from 1 to 1000; the default is 8"),
        ("TPNS_TIMEOUT_MS", "3s", "must be a whole number from 1 to 900000; the default is 3000"),
        ("TPNS_MAX_ATTEMPTS", "-1", "must be a whole number from 1 to 100; the default is 3"),
        ("DEADLINE_RESERVE_MS", "900001", "must be a whole number from 0 to 900000; the default is 1000"),
        (
            "FUNCTION_TIMEOUT_SECONDS",
            "901",
            "must be the function's timeout, a whole number of seconds from 1 to 900; set it to that, or omit it",
        ),
        ("MAX_EVENT_AGE", "14", "must be a duration such as 30s, 5m, 12h or 14d; the default is 14d"),
        ("TPNS_APPS_MAX_AGE", "999ms", "must be at least 1s; the default is 60s"),
        ("TPNS_APPS_MAX_AGE", "60", "must be a duration such as 30s, 5m, 12h or 14d; the default is 60s"),
        ("MAX_CLOCK_SKEW", "soon", "must be a duration such as 30s, 5m, 12h or 14d; the default is 5m"),
    ] {
        assert_eq!(error(&[("TPNS_APPS", APPS), (name, value)]), format!("{name}: {remedy}"));
    }
    assert!(error(&[]).starts_with("TPNS_APPS_SECRET_ID: is not set; "));
    let sources =
        [("TPNS_APPS", APPS), ("TPNS_APPS_SECRET_ID", "tpns/apps"), ("TPNS_APPS_SSM_PARAMETER", "/tpns/apps")];
    for several in [&sources[..2], &sources[1..], &sources, &[sources[0], sources[2]]] {
        assert_eq!(
            error(several),
            "TPNS_APPS, TPNS_APPS_SECRET_ID, TPNS_APPS_SSM_PARAMETER: more than one is set; keep one of them"
        );
    }
    for url in ["parked-events", "arn:aws:sqs:eu-west-1:1:parked", "https://sqs.eu-west-1.amazonaws.com", "ftp://x/y"] {
        assert!(
            error(&[("TPNS_APPS", APPS), ("PARKING_QUEUE_URL", url)]).starts_with("PARKING_QUEUE_URL: must be the URL")
        );
    }
}

#[test]
fn the_longest_redelivery_delay_is_from_a_second_to_twelve_hours_or_off() {
    let delays =
        |value: &str| read(&[("TPNS_APPS", APPS), ("RETRY_MAX_DELAY", value)]).map(|config| config.redelivery_delays);
    assert_eq!(delays(""), Ok(Some(RedeliveryDelays::DEFAULT)));
    for (value, seconds) in [("1s", 1), (" 90s ", 90), ("12h", 43_200)] {
        assert_eq!(delays(value), Ok(RedeliveryDelays::new(Duration::from_secs(seconds))), "{value}");
    }
    for off in ["0", "0s", "0ms"] {
        assert_eq!(delays(off), Ok(None), "{off}");
    }
    for bad in ["999ms", "12h 1ms", "1d", "10", "soon", "-1s"] {
        let error = delays(bad).unwrap_err();
        let expected =
            "must be a duration from 1s to 12h, or 0 to leave redelivery to the visibility timeout; the default is 10m";
        assert_eq!(error, format!("RETRY_MAX_DELAY: {expected}"), "{bad}");
    }
}

#[test]
fn the_probe_interval_is_up_to_five_minutes_or_off() {
    let interval =
        |value: &str| read(&[("TPNS_APPS", APPS), ("TPNS_PROBE_INTERVAL", value)]).map(|config| config.probe_interval);
    for (value, seconds) in [("", 30), ("1s", 1), ("5m", 300)] {
        assert_eq!(interval(value), Ok(Some(Duration::from_secs(seconds))), "{value}");
    }
    assert_eq!(interval("0"), Ok(None));
    for bad in ["1us", "5m 1ms", "10", "soon"] {
        let expected =
            "must be a duration from 1ms to 5m, or 0 to call TPNS as often while it fails; the default is 30s";
        assert_eq!(interval(bad).unwrap_err(), format!("TPNS_PROBE_INTERVAL: {expected}"), "{bad}");
    }
}

#[test]
fn a_ledger_table_is_a_name_or_an_arn() {
    for good in ["tpns-ledger", " My.Table_1 ", "arn:aws:dynamodb:eu-west-1:123456789012:table/tpns-ledger"] {
        let table = read(&[("TPNS_APPS", APPS), ("LEDGER_TABLE", good)]).unwrap().ledger_table;
        assert_eq!(table.as_deref(), Some(good.trim()));
    }
    for bad in ["ab", "a ledger", "table/tpns-ledger", "https://dynamodb.eu-west-1.amazonaws.com", "arn:aws:sqs:x:1:q"]
    {
        let error = error(&[("TPNS_APPS", APPS), ("LEDGER_TABLE", bad)]);
        assert!(error.starts_with("LEDGER_TABLE: must be the name or the ARN of a DynamoDB table"), "{bad}: {error}");
    }
}

#[test]
fn a_bad_apps_document_is_reported_by_field() {
    for (document, expected) in [
        ("{", "is not valid JSON (line 1, column 1); check quotes and commas"),
        ("[]", "is not a JSON object; it holds the apps by name"),
        (r#"{"a":{"access_id":1,"secret_key":"k","region":"guangzhou"}} x"#, "is not valid JSON (line 1, column "),
        (r#"{"a":[1,"k","guangzhou",null]}"#, "a is of the wrong type; "),
        (r#"{"a":{"access_id":1,"secret_key":"\ud800","region":"guangzhou"}}"#, "a.secret_key is not valid JSON; "),
        ("{}", "names no app; add one"),
        (r#"{"a":5}"#, "a is of the wrong type; "),
        (r#"{"a":{"secret_key":"k","region":"guangzhou"}}"#, "a.access_id is missing"),
        (r#"{"a":{"access_id":1,"region":"guangzhou"}}"#, "a.secret_key is missing"),
        (
            r#"{"a":{"access_id":"1","secret_key":"k","region":"guangzhou"}}"#,
            "a.access_id is of the wrong type; access_id is a number",
        ),
        (r#"{"a":{"access_id":1,"secret_key":"","region":"guangzhou"}}"#, "a.secret_key is empty; "),
        (r#"{"a":{"access_id":1,"secret_key":"k"}}"#, "a has neither region nor endpoint; "),
        (
            r#"{"a":{"access_id":1,"secret_key":"k","region":"mars"}}"#,
            "a.region must be one of guangzhou, shanghai, hongkong, singapore",
        ),
        (
            r#"{"a":{"access_id":1,"secret_key":"k","region":"guangzhou","endpoint":"https://x"}}"#,
            "a has both region and endpoint; ",
        ),
        (r#"{"a":{"access_id":1,"secret_key":"k","endpoint":"http://x"}}"#, "a.endpoint must be https; "),
        (r#"{"a":{"access_id":1,"secretKey":"k","region":"guangzhou"}}"#, "a.secretKey is not a field of an app; "),
        (r#"{"a":{"access_id":1,"1452fcebae9f3115":"k"}}"#, "a field is not a field of an app; "),
        (
            r#"{"a":{"access_id":1,"secret_key":"k","secret_key":"l","region":"guangzhou"}}"#,
            "a.secret_key appears twice; ",
        ),
        (
            r#"{"a":{"access_id":1,"secret_key":"k","region":"guangzhou"},"a":{"access_id":1,"secret_key":"k","region":"guangzhou"}}"#,
            "names a twice; ",
        ),
    ] {
        let error = apps_error(document);
        assert!(error.starts_with(&format!("TPNS_APPS: {expected}")), "{document}: {error}");
    }
}

#[test]
fn no_error_and_no_debug_text_holds_a_secret() {
    for document in [
        r#"{"a":{"access_id":"topsecret","secret_key":1,"region":"guangzhou"}}"#,
        r#"{"a":{"access_id":1,"secret_key":["topsecret"],"region":"guangzhou"}}"#,
        r#"{"a":"topsecret"}"#,
        r#""topsecret""#,
        r#"{"a":{"access_id":1,"secret_key":"k","region":"topsecret"}}"#,
        r#"{"a":{"access_id":1,"secret_key":"k","endpoint":"topsecret"}}"#,
        r#"{"a":{"access_id":1,"secret_key":"topsecret","#,
    ] {
        let error = apps_error(document);
        assert!(!error.contains("topsecret"), "{error}");
    }
    let debug = format!("{:?}", read(&[("TPNS_APPS", APPS)]).unwrap());
    assert!(!debug.contains("topsecret"), "{debug}");
}

fn apps(document: &str) -> Apps {
    Apps::parse(document).unwrap()
}

#[test]
fn an_app_is_its_access_id_at_its_access_point_whatever_its_name_and_key() {
    let app = |entry: &str| apps(&format!(r#"{{"a":{entry}}}"#)).list.remove(0);
    let android = app(r#"{"access_id":1500001048,"secret_key":"k","region":"guangzhou"}"#);
    assert_eq!(android.identity(), "1500001048@api.tpns.tencent.com");
    assert!(
        android.is(&app(r#"{"access_id":1500001048,"secret_key":"l","endpoint":"https://API.tpns.tencent.com:443/"}"#))
    );
    for other in [
        r#"{"access_id":1500001048,"secret_key":"k","region":"shanghai"}"#,
        r#"{"access_id":1500001049,"secret_key":"k","region":"guangzhou"}"#,
        r#"{"access_id":1500001048,"secret_key":"k","endpoint":"https://api.tpns.tencent.com:8443"}"#,
    ] {
        let other = app(other);
        assert!(!android.is(&other) && android.identity() != other.identity());
    }
}

#[test]
fn apps_that_moved_are_found_by_name_and_keep_their_places() {
    let old = apps(APPS);
    let rotated = apps(&APPS.replace("topsecret", "newsecret"));
    assert!(old.names_the_same(&rotated) && old.moved(&rotated).is_none());
    let ios = r#""ios":{"access_id":1600001048,"secret_key":"k","endpoint":"http://127.0.0.1:8090"}"#;
    let android = r#""android":{"access_id":1500001048,"secret_key":"k","region":"shanghai"}"#;
    let reordered = apps(&format!("{{{ios},{}}}", android.replace("shanghai", "guangzhou")));
    assert!(!old.names_the_same(&reordered) && old.moved(&reordered).is_none());
    assert!(old.moved(&apps(&format!("{{{ios}}}"))).is_none(), "an app that is gone has not moved");
    let moved = old.moved(&apps(&format!("{{{ios},{android}}}"))).unwrap();
    assert!(moved.names == old.names && moved.list[1].is(&old.list[1]));
    assert_eq!(moved.list[0].identity(), "1500001048@api.tpns.sh.tencent.com");
    assert!(!old.names_the_same(&apps(&APPS.replace("\"ios\"", "\"phone\""))));
}
