//! Connections that died while the sandbox was frozen: each is found dead at its next use, by RST or by silence. One
//! delivery still applies everything, in little more than the time of one call.

use std::{collections::BTreeSet, time::Duration};

use lambda_sim::{AwsApi, Death, Queue, RunningAwsApi, Service};
use serde_json::json;
use tpns_sim::{Fault, Sim};

use crate::{
    listeners::Listener,
    stage::{SECRETS, Stage, function, login, logout},
};

/// Long compared to the time that a busy machine needs for a batch: what took less than two timeouts has waited for
/// silence only once.
const TIMEOUT: u64 = 6000;
/// The latency of each answer, so that calls overlap.
const LATENCY: Duration = Duration::from_millis(200);
const DEATHS: [Death; 2] = [Death::Reset, Death::Silence];

const ID: &str = "tpns/apps";

/// All four services around a function that attempts each call once.
struct World {
    aws: RunningAwsApi,
    stage: Stage,
}

impl World {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let tpns = Sim::builder().app("android", 1_500_001_048_u64, SECRETS[0]).latency(LATENCY).start().await.unwrap();
        let aws = AwsApi::start().await.unwrap();
        aws.latency(Service::DynamoDb, LATENCY);
        aws.latency(Service::Sqs, LATENCY);
        aws.create_table("ledger", "pk");
        aws.put_secret(ID, tpns.apps_document().as_str()).unwrap();
        let queue = aws.create_queue(Queue::builder("parked").build().unwrap());
        let timeout = TIMEOUT.to_string();
        let endpoint = aws.url();
        let own = [
            ("TPNS_APPS_SECRET_ID", ID),
            ("PARKING_QUEUE_URL", &queue),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("TPNS_TIMEOUT_MS", &timeout),
            ("TPNS_MAX_ATTEMPTS", "1"),
        ];
        Self { stage: Stage { function: function("", &[&own, settings].concat()), tpns }, aws }
    }

    async fn with_ledger() -> Self {
        Self::with(&[("LEDGER_TABLE", "ledger")]).await
    }

    /// Delivers once; everything must be acknowledged.
    async fn deliver(&self, bodies: &[String]) {
        assert_eq!(self.stage.batch(bodies).await, [""; 0], "{}", self.stage.printed());
    }

    /// Kills all connections of all services.
    fn kill(&self, death: Death) {
        self.stage.tpns.kill_connections(death);
        self.aws.kill_connections(death);
    }

    /// Delivers once after connections died: the function uses dead ones, and waits for their answers at most once.
    async fn deliver_over_dead(&self, bodies: &[String], death: Death) {
        let before = self.dead().len();
        self.deliver(bodies).await;
        let took = self.stage.lines("batch done").pop().unwrap()["took_ms"].as_u64().unwrap();
        assert!(took < 2 * TIMEOUT, "{death:?}: {took} ms");
        let dead = &self.dead()[before..];
        assert!(dead.contains(&(death == Death::Silence)), "{death:?}: no dead connection was used: {dead:?}");
    }

    /// The dead connections found so far, and whether each was silent.
    fn dead(&self) -> Vec<bool> {
        let lines = self.stage.lines("a kept connection was dead; using a new one");
        lines.iter().map(|line| line["silent"].as_bool().unwrap()).collect()
    }

    fn parked(&self) -> usize {
        self.aws.with_queue("parked", |queue| queue.messages().count()).unwrap()
    }
}

fn logins(second: u32, devices: usize) -> Vec<String> {
    (0..devices).map(|n| login(second, &format!("t{n}"), &["a"])).collect()
}

fn bad() -> Vec<String> {
    vec!["bad".to_owned(); 80]
}

#[tokio::test]
async fn dead_connections_to_tpns_cost_no_delivery() {
    for (death, concurrency) in DEATHS.into_iter().flat_map(|death| [(death, 8), (death, 16)]) {
        let world = World::with(&[("TPNS_CONCURRENCY", &concurrency.to_string())]).await;
        while world.stage.tpns.open_connections() < concurrency {
            world.deliver(&logins(1, 20 * concurrency)).await;
        }
        world.kill(death);
        world.deliver_over_dead(&(0..200).map(|n| logout(2, &format!("t{n}"))).collect::<Vec<_>>(), death).await;
        for n in 0..200 {
            assert_eq!(world.stage.bound("android", &format!("t{n}")), [""; 0]);
        }
    }
}

#[tokio::test]
async fn one_event_over_a_dead_pool_takes_one_delivery() {
    for death in DEATHS {
        let world = World::with(&[]).await;
        while world.stage.tpns.open_connections() < 8 {
            world.deliver(&logins(1, 160)).await;
        }
        world.kill(death);
        world.deliver_over_dead(&[login(2, "t0", &["b"])], death).await;
        assert_eq!(world.stage.bound("android", "t0"), ["b/0"]);
        assert_eq!(world.dead().len(), 1, "the others are not used");
    }
}

#[tokio::test]
async fn dead_connections_to_dynamodb_cost_no_delivery() {
    for (death, connections) in DEATHS.into_iter().flat_map(|death| [(death, 31), (death, 64)]) {
        let world = World::with_ledger().await;
        while world.aws.open_connections() < connections {
            world.deliver(&logins(1, connections)).await;
        }
        world.aws.kill_connections(death);
        world.deliver_over_dead(&logins(2, 64), death).await;
        assert_eq!(world.stage.bound("android", "t63"), ["a/0"]);
    }
}

#[tokio::test]
async fn dead_connections_to_sqs_cost_no_delivery_and_park_nothing_twice() {
    for death in DEATHS {
        let world = World::with(&[]).await;
        world.deliver(&bad()).await;
        assert!(world.aws.kill_connections(death) > 0);
        world.deliver_over_dead(&bad(), death).await;
        assert_eq!(world.parked(), 160);
    }
}

#[tokio::test]
async fn dead_connections_to_secrets_manager_cost_no_delivery() {
    for death in DEATHS {
        let world = World::with(&[]).await;
        let good = world.stage.tpns.apps_document();
        world.aws.put_secret(ID, good.replace(SECRETS[0], "the-old-key").as_str()).unwrap();
        assert_eq!(world.stage.batch(&logins(1, 40)).await.len(), 40, "the fetched key is wrong, too");
        world.aws.put_secret(ID, good.as_str()).unwrap();
        assert!(world.aws.kill_connections(death) > 0);
        world.deliver_over_dead(&logins(1, 40), death).await;
        assert_eq!(world.stage.bound("android", "t39"), ["a/0"]);
    }
}

#[tokio::test]
async fn when_every_connection_is_dead_the_function_waits_for_silence_only_once() {
    for death in DEATHS {
        let world = World::with_ledger().await;
        world.deliver(&[logins(1, 64), bad()].concat()).await;
        world.kill(death);
        world.deliver_over_dead(&[logins(2, 64), bad()].concat(), death).await;
        assert_eq!((world.parked(), world.stage.bound("android", "t63")), (160, vec!["a/0".to_owned()]));
    }
}

/// A server may close a connection at any time, also within an invocation.
#[tokio::test]
async fn a_connection_that_dies_between_two_calls_is_no_failed_attempt() {
    let world = World::with(&[("TPNS_CONCURRENCY", "1")]).await;
    let killed = async {
        while world.stage.tpns.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.stage.tpns.kill_connections(Death::Reset);
    };
    let bodies = logins(1, 200);
    tokio::join!(world.deliver(&bodies), killed);
    assert_eq!(world.dead().len(), 1);
    let connections: BTreeSet<_> = world.stage.tpns.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1, 2].into(), "one died, and one took over");
}

#[tokio::test]
async fn no_connection_is_used_again_after_a_pause_of_some_seconds() {
    let world = World::with_ledger().await;
    world.deliver(&logins(1, 1)).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    world.kill(Death::Silence);
    world.deliver(&logins(2, 1)).await;
    assert_eq!(world.dead(), [false; 0], "none of them was used");
}

/// Failures over a new connection still count.
#[tokio::test]
async fn a_service_that_breaks_new_connections_is_down() {
    let world = World::with(&[("TPNS_CONCURRENCY", "1")]).await;
    world.deliver(&logins(1, 1)).await;
    let before = world.stage.calls().len();
    world.stage.tpns.fault(Fault::disconnect().forever());
    assert_eq!(world.stage.batch(&logins(2, 200)).await.len(), 200);
    let calls = world.stage.calls().len() - before;
    assert_eq!(calls - world.dead().len(), 3, "ten calls of one attempt each, and three failures are enough");
    let line = &world.stage.lines("event failed")[0];
    assert_eq!((&line["outcome"], &line["reason"]), (&json!("retry"), &json!("tpns_broken_answer")));
    assert_eq!(line["detail"], "the connection broke before the answer was complete");
}

/// If nothing could be sent, `detail` names the cause, without quoting anything.
#[tokio::test]
async fn the_cause_of_a_failed_connection_is_named() {
    let plain = Stage::new().await;
    let plain = plain.tpns.url().replace("http://", "https://");
    let refused = "the connection was refused";
    let (unresolved, slow) = ("the host name could not be resolved", "timed out while connecting");
    for (url, details) in [
        ("http://127.0.0.1:1", [refused; 2]),
        ("https://127.0.0.1:1", [refused; 2]),
        // A resolver may be slow.
        ("https://tpns.invalid", [unresolved, slow]),
        (&plain, ["TLS failed: the server does not speak TLS"; 2]),
        (&Listener::Impostor.listen().0, ["TLS failed: the certificate is not trusted"; 2]),
        (&Listener::SpeaksHttp.listen().0, ["TLS failed: the server does not speak TLS"; 2]),
        (&Listener::RefusesTls.listen().0, ["TLS failed: the server refused the handshake"; 2]),
        (&Listener::ClosesAtOnce.listen().0, ["TLS failed: the connection was closed during the handshake"; 2]),
        (&Listener::Silent.listen().0, [slow; 2]),
    ] {
        let apps = json!({"android": {"access_id": 1, "secret_key": "k", "endpoint": url}}).to_string();
        let timeout = if details.contains(&slow) { "500" } else { "15000" };
        let settings = [("TPNS_TIMEOUT_MS", timeout), ("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_CONCURRENCY", "1")];
        let stage = Stage { function: function(&apps, &settings), tpns: Stage::new().await.tpns };
        assert_eq!(stage.batch(&logins(1, 200)).await.len(), 200, "{url}");
        // Also events for which no further call was made.
        for line in stage.lines("event failed") {
            assert_eq!(line["reason"], "tpns_unreachable", "{url}: {line}");
            assert!(details.contains(&line["detail"].as_str().unwrap()), "{url}: {line}");
        }
        // The same for AWS's services, in their own log lines.
        let own = [("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", url)];
        let stage = Stage::with(&[&settings[..], &own].concat()).await;
        assert_eq!(stage.batch(&logins(1, 1)).await, ["m0"], "{url}");
        let printed = stage.printed();
        // Init has a line of its own. On a busy machine it may not wait for the cause.
        let mut lines = printed.lines().filter(|line| line.contains("LEDGER_TABLE: "));
        assert!(lines.any(|line| details.iter().any(|detail| line.contains(detail))), "{url}: {printed}");
    }
}
