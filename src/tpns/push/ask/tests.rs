//! Against the local TPNS, over HTTP.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use tpns_sim::{Fault, RunningSim, Sim};

use super::*;
use crate::{
    event::{AccountType, Token},
    outcome::Reason,
    testing::account,
    tpns::{Apps, AppsFrom, AppsInForce, CallMade, CallSettings, Client, OperatorType, judge},
    transport::Transport,
};

const ANDROID: AppId = AppId(0);
const IOS: AppId = AppId(1);

struct Stage {
    sim: RunningSim,
    client: Client,
    apps: AppsInForce,
}

impl Stage {
    /// A local TPNS in which t0 to t44 have the account of their number under type 0, and those below 5 one of type 5,
    /// too.
    async fn new() -> Self {
        let sim = Sim::builder().app("android", 1_500_000_001, "s1").app("ios", 1_600_000_001, "s2");
        Self::of(sim.start().await.unwrap(), None).await
    }

    async fn of(sim: RunningSim, document: Option<&str>) -> Self {
        let apps = Apps::parse(document.unwrap_or(&sim.apps_document())).unwrap();
        let transport = Transport::new().unwrap();
        let apps = AppsInForce::read(AppsFrom::Environment(apps), Duration::MAX, None, &transport).await.unwrap();
        let stage = Self { sim, client: Client::new(transport, None), apps };
        if document.is_none() {
            let lists = (0..45).map(|n| {
                let mut accounts = vec![json!({ "account": name(n) })];
                accounts.extend((n < 5).then(|| json!({ "account": name(n), "account_type": 5 })));
                json!({ "token": format!("t{n}"), "account_list": accounts })
            });
            for chunk in lists.collect::<Vec<_>>().chunks(ITEMS_PER_CALL) {
                stage.bind(chunk).await;
            }
        }
        stage
    }

    async fn bind(&self, lists: &[Value]) {
        let tpns = self.tpns();
        let request = Request {
            app: ANDROID,
            operation: OperatorType::Bind.into(),
            items: lists.len(),
            body: &|| serde_json::to_vec(&json!({ "operator_type": 2, "token_accounts": lists })),
            judge: &|answer| judge(answer, OperatorType::Bind, lists.len()),
            deadline: in_time(),
        };
        assert_eq!(tpns.carry_out(&request).await.unwrap().failures(), []);
    }

    fn tpns(&self) -> Tpns<'_> {
        let settings = CallSettings { concurrency: 8, timeout: Duration::from_secs(5), max_attempts: 2, checked: true };
        Tpns::new(&self.client, &self.apps, self.apps.current(), settings, &[9, 9])
    }

    async fn accounts_of(&self, devices: &[Device]) -> (BTreeMap<String, String>, Vec<CallMade>) {
        let tpns = self.tpns();
        let answers = tpns.accounts_of(devices, in_time()).await;
        let shown = answers.into_iter().map(|(device, answer)| {
            let shown = show(answer, |bound| {
                let account_type = bound.account_type.map_or_else(|| "-".to_owned(), |AccountType(n)| n.to_string());
                format!("{}/{account_type}", bound.account.as_str())
            });
            (device.token.as_str().to_owned(), shown)
        });
        (shown.collect(), tpns.into_calls())
    }

    /// The items of the queries that TPNS received.
    fn queries(&self) -> Vec<usize> {
        let queries = self.sim.calls().into_iter().filter(|call| call.path.ends_with("/query"));
        queries.map(|call| call.items).collect()
    }
}

fn show<B>(answer: Result<Vec<B>, Verdict>, one: impl Fn(&B) -> String) -> String {
    match answer {
        Ok(bound) => bound.iter().map(one).collect::<Vec<_>>().join(" "),
        Err(Verdict::Retry(failure, _)) => format!("retry {}", failure.reason.as_str()),
        Err(Verdict::Rejected(failure)) => format!("rejected {}", failure.reason.as_str()),
        Err(Verdict::Misconfigured(failure)) => format!("misconfigured {}", failure.reason.as_str()),
        Err(Verdict::Accepted) => panic!(),
    }
}

fn in_time() -> Deadline {
    Deadline(Instant::now() + Duration::from_secs(60))
}

fn name(n: usize) -> String {
    format!("user{n}")
}

fn device(app: AppId, n: usize) -> Device {
    Device { app, token: Token::new(&format!("t{n}")).unwrap() }
}

fn devices(count: usize) -> Vec<Device> {
    (0..count).map(|n| device(ANDROID, n)).collect()
}

/// What [`Stage::new`] bound.
fn bound(n: usize) -> String {
    match n {
        0..5 => format!("{0}/0 {0}/5", name(n)),
        5..45 => format!("{}/0", name(n)),
        _ => String::new(),
    }
}

fn all(count: usize) -> BTreeMap<String, String> {
    (0..count).map(|n| (format!("t{n}"), bound(n))).collect()
}

#[tokio::test]
async fn twenty_devices_are_asked_for_in_a_call_of_each_app() {
    let stage = Stage::new().await;
    let mut asked = devices(50);
    // The same again costs nothing.
    asked.extend(devices(50));
    let (shown, calls) = stage.accounts_of(&asked).await;
    assert_eq!(shown, all(50));
    let mut items: Vec<_> = calls.iter().map(|call| (call.app, call.items, call.failures.clone())).collect();
    items.sort_by_key(|(_, items, _)| *items);
    assert_eq!(items, [(ANDROID, 10, vec![]), (ANDROID, 20, vec![]), (ANDROID, 20, vec![])]);

    let tpns = stage.tpns();
    let both: Vec<_> = (0..21).map(|n| device(ANDROID, n)).chain([device(IOS, 0), device(AppId(9), 0)]).collect();
    let mut answers = tpns.accounts_of(&both, in_time()).await;
    assert_eq!(answers.len(), both.len());
    assert_eq!(answers.remove(&device(IOS, 0)), Some(Ok(vec![])), "the apps are isolated from each other");
    assert!(matches!(answers.remove(&device(AppId(9), 0)), Some(Err(Verdict::Retry(..)))), "no such app");
    assert_eq!(tpns.into_calls().len(), 3);
    assert!(tpns_of_nothing(&stage).await.is_empty());
}

async fn tpns_of_nothing(stage: &Stage) -> Vec<CallMade> {
    let tpns = stage.tpns();
    assert!(tpns.accounts_of(&[], in_time()).await.is_empty());
    assert!(tpns.devices_of(&[], in_time()).await.is_empty());
    tpns.into_calls()
}

#[tokio::test]
async fn the_devices_of_an_account_are_those_under_its_type() {
    let stage = Stage::new().await;
    stage.bind(&[json!({ "token": "second", "account_list": [{ "account": name(1), "account_type": 5 }] })]).await;
    let key = |n, account_type| AccountKey { app: ANDROID, account: account(&name(n), AccountType(account_type)) };
    let keys: Vec<_> = (0..21).map(|n| key(n, 0)).chain([key(1, 5), key(6, 5), key(99, 0)]).collect();
    let tpns = stage.tpns();
    let answers = tpns.devices_of(&keys, in_time()).await;
    assert_eq!(answers.len(), keys.len());
    let shown = |key: &AccountKey| show(answers[key].clone(), |device| device.token.as_str().to_owned());
    assert_eq!(shown(&key(1, 0)), "t1");
    assert_eq!(shown(&key(1, 5)), "t1 second");
    assert_eq!(shown(&key(20, 0)), "t20");
    assert_eq!((shown(&key(6, 5)), shown(&key(99, 0))), (String::new(), String::new()));
    assert_eq!(tpns.into_calls().len(), 2);
}

#[tokio::test]
async fn what_tpns_does_not_list_is_asked_for_once_more_alone() {
    let stage = Stage::new().await;
    let lists_nothing = Fault::malformed().body(r#"{"retCode":0,"errMsg":"ok","result":["0","0","0"]}"#).on_query();
    stage.sim.fault(lists_nothing.clone());
    assert_eq!(stage.accounts_of(&devices(3)).await.0, all(3));
    assert_eq!(stage.queries(), [3, 1, 1, 1]);

    stage.sim.fault(lists_nothing.body(r#"{"retCode":0,"result":["0"]}"#).token("t1").forever());
    let (shown, calls) = stage.accounts_of(&devices(3)).await;
    assert_eq!(shown["t1"], "retry tpns_broken_answer");
    assert_eq!((&shown["t0"], &shown["t2"]), (&bound(0), &bound(2)));
    assert_eq!(stage.queries()[4..], [3, 1, 1, 1]);
    assert_eq!(calls.iter().filter(|call| call.failures == [Reason::TpnsBrokenAnswer]).count(), 2);
}

#[tokio::test]
async fn a_query_that_is_refused_as_a_whole_is_halved() {
    for fault in [Fault::ret_code(1_008_007), Fault::status(413), Fault::ret_code(10_110_008)] {
        let stage = Stage::new().await;
        stage.sim.fault(fault.clone().on_query().token("t7").forever());
        let (mut shown, calls) = stage.accounts_of(&devices(40)).await;
        let of_bad = shown.insert("t7".to_owned(), bound(7)).unwrap();
        assert_eq!(shown, all(40), "{fault:?}");
        assert!(["rejected tpns_bad_input", ""].contains(&of_bad.as_str()), "{of_bad}");
        // Two, and four or five times two halves of twenty.
        assert!((10..=12).contains(&calls.len()), "{}", calls.len());
    }
}

#[tokio::test]
async fn while_tpns_refuses_every_query_few_are_sent() {
    for (fault, expected) in [
        (Fault::ret_code(1_008_007), "retry tpns_rejects_every_call"),
        (Fault::status(403), "misconfigured tpns_auth_failed"),
    ] {
        let stage = Stage::new().await;
        stage.sim.fault(fault.on_query().forever());
        let (shown, calls) = stage.accounts_of(&devices(400)).await;
        assert_eq!(shown.len(), 400);
        assert!(shown.values().all(|shown| shown == expected), "{shown:?}");
        assert!(calls.len() <= 20, "{}", calls.len());
    }
}

#[tokio::test]
async fn what_tpns_could_not_do_is_retried() {
    let stage = Stage::new().await;
    for fault in
        [Fault::status(503), Fault::ret_code(1_008_028), Fault::malformed().body("{"), Fault::item_code(1_008_004)]
    {
        stage.sim.fault(fault.on_query());
        let (shown, calls) = stage.accounts_of(&devices(3)).await;
        assert_eq!((shown, calls.len()), (all(3), 2));
    }
    stage.sim.fault(Fault::item_code(1_008_004).token("t1").on_query().forever());
    let (shown, calls) = stage.accounts_of(&devices(60)).await;
    assert_eq!(shown["t1"], "retry tpns_internal");
    assert_eq!(shown["t2"], bound(2));
    assert_eq!(calls.iter().map(|call| call.items).filter(|items| *items == 1).count(), 1);
}

#[tokio::test]
async fn an_app_that_tpns_refuses_is_asked_no_more() {
    let stage = Stage::new().await;
    stage.sim.fault(Fault::ret_code(1_008_003).on_query().forever());
    let (shown, calls) = stage.accounts_of(&devices(400)).await;
    assert!(shown.values().all(|shown| shown == "misconfigured tpns_auth_failed"), "{shown:?}");
    assert!(calls.len() <= 8, "{}", calls.len());
}

#[tokio::test]
async fn no_query_is_begun_without_time_for_it() {
    let stage = Stage::new().await;
    let tpns = stage.tpns();
    let answers = tpns.accounts_of(&devices(21), Deadline(Instant::now())).await;
    assert_eq!(answers.len(), 21);
    for answer in answers.into_values() {
        assert_eq!(show(answer, |_| String::new()), "retry deadline");
    }
    assert_eq!(tpns.into_calls(), []);
}
