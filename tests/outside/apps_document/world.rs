//! The environment of these tests, and helpers.

use std::sync::Arc;

use lambda_sim::{AwsApi, Function, Operation, RunningAwsApi};
use serde_json::{Value, json};
use tpns_sim::{RunningSim, Sim};

use crate::stage::{failures, function, numbered};

pub(super) const ID: &str = "tpns/apps";
pub(super) const TABLE: &str = "ledger";
pub(super) const NONE: [&str; 0] = [];

/// Two access points of TPNS with the same three apps, and AWS with the secret and the table.
pub(super) struct World {
    pub(super) aws: RunningAwsApi,
    pub(super) tpns: [RunningSim; 2],
}

/// An app of the document: its name in the document, its name at TPNS, and its access point.
pub(super) type App = (&'static str, &'static str, usize);

pub(super) const ANDROID: App = ("android", "android", 0);
pub(super) const IOS: App = ("ios", "ios", 0);

impl World {
    pub(super) async fn new() -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        aws.stale_reads(true);
        Self { aws, tpns: [access_point().await, access_point().await] }
    }

    pub(super) fn document(&self, apps: &[App]) -> Value {
        let app = |&(name, at_tpns, place): &App| {
            let entry = serde_json::from_str::<Value>(&self.tpns[place].apps_document()).unwrap()[at_tpns].clone();
            (name.to_owned(), entry)
        };
        apps.iter().map(app).collect()
    }

    /// Puts a document with these apps into the secret.
    pub(super) fn put(&self, apps: &[App]) {
        self.aws.put_secret(ID, self.document(apps).to_string()).unwrap();
    }

    /// A sandbox that reads its apps from the secret.
    pub(super) fn sandbox(&self, settings: &[(&str, &str)]) -> Arc<Function> {
        let endpoint = self.aws.url();
        let own = [("TPNS_APPS_SECRET_ID", ID), ("AWS_ENDPOINT_URL", &endpoint), ("TPNS_MAX_ATTEMPTS", "1")];
        function("", &[&own, settings].concat())
    }

    pub(super) fn with_ledger(&self) -> Arc<Function> {
        self.sandbox(&[("LEDGER_TABLE", TABLE)])
    }

    /// Binds an account by a separate process with this app and without a ledger.
    pub(super) async fn bind(&self, app: App, second: u32, token: &str, account: &str) {
        let binder = function(&self.document(&[app]).to_string(), &[]);
        assert_eq!(deliver(&binder, &[login(app.0, second, token, account)]).await, NONE);
        assert_eq!(self.bound(app, token), [account]);
    }

    /// The accounts a token is bound to at TPNS.
    pub(super) fn bound(&self, (_, at_tpns, place): App, token: &str) -> Vec<String> {
        let mut bindings = self.tpns[place].bindings();
        let accounts = bindings.remove(at_tpns).unwrap_or_default().remove(token).unwrap_or_default();
        accounts.iter().map(|account| account.account.clone()).collect()
    }

    /// The calls of this operator_type to an app.
    pub(super) fn calls(&self, (_, at_tpns, place): App, operator_type: i64) -> usize {
        let calls = self.tpns[place].calls();
        let of = |call: &&tpns_sim::Call| call.app.as_deref() == Some(at_tpns);
        calls.iter().filter(of).filter(|call| call.operator_type == Some(operator_type)).count()
    }

    pub(super) fn requests(&self, operation: Operation) -> usize {
        self.aws.requests().iter().filter(|request| request.operation == Some(operation)).count()
    }

    /// How often the secret was read.
    pub(super) fn reads(&self) -> usize {
        self.requests(Operation::GetSecretValue)
    }
}

async fn access_point() -> RunningSim {
    Sim::builder()
        .app("android", 1_500_001_048_u64, "android-secret-1452fcebae9f3115")
        .app("ios", 1_600_001_048_u64, "ios-secret-ba794fb0fff2fd73")
        .app("pad", 1_700_001_048_u64, "pad-secret-0a5c1f77d3e2b994")
        .start()
        .await
        .unwrap()
}

/// The message ids that are reported.
pub(super) async fn deliver(function: &Function, bodies: &[String]) -> Vec<String> {
    let outcome = function.invoke(numbered(bodies)).await.unwrap().outcome;
    let Some(body) = outcome.response() else { panic!("{outcome:?}\n{}", printed(function)) };
    failures(&serde_json::from_slice::<Value>(body).unwrap())
}

fn printed(function: &Function) -> String {
    String::from_utf8_lossy(&function.output().unwrap()).into_owned()
}

/// The number of log lines with this level that contain this text.
pub(super) fn lines(function: &Function, level: &str, text: &str) -> usize {
    let level = format!("\"level\":\"{level}\"");
    printed(function).lines().filter(|line| line.contains(&level) && line.contains(text)).count()
}

/// The reasons of the events that failed.
pub(super) fn reasons(function: &Function) -> Vec<String> {
    let printed = printed(function);
    let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failed = lines.filter(|line| line["message"] == "event failed");
    failed.map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn login(app: &str, second: u32, token: &str, account: &str) -> String {
    json!({"type": "user.login", "occurred_at": crate::stage::at(second), "app": app, "token": token,
           "account_list": [{"account": account}]})
    .to_string()
}

pub(super) fn logout(app: &str, second: u32, token: &str) -> String {
    json!({"type": "user.logout", "occurred_at": crate::stage::at(second), "app": app, "token": token}).to_string()
}

/// For one app, or for all.
pub(super) fn deletion(app: Option<&str>, second: u32, account: &str) -> String {
    let mut body = json!({"type": "account.deleted", "id": format!("deletion-{second}"),
                          "occurred_at": crate::stage::at(second), "account_list": [{"account": account}]});
    if let Some(app) = app {
        body["app"] = app.into();
    }
    body.to_string()
}
