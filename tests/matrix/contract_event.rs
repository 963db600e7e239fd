//! An event of the contract, and the envelopes of a single event.

use serde_json::{Value, json};
use tpns_sim::model::{Account, BatchOperate, TokenAccounts};

/// Change an event changes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Login(String, Vec<Account>),
    Logout(String, Vec<Account>),
    LogoutAll(String),
    Deletion(Vec<Account>),
}

impl Change {
    /// The name in the contract.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Login(..) => "user.login",
            Self::Logout(..) | Self::LogoutAll(_) => "user.logout",
            Self::Deletion(_) => "account.deleted",
        }
    }

    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Login(token, _) | Self::Logout(token, _) | Self::LogoutAll(token) => Some(token),
            Self::Deletion(_) => None,
        }
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        match self {
            Self::Login(_, accounts) | Self::Logout(_, accounts) | Self::Deletion(accounts) => accounts,
            Self::LogoutAll(_) => &[],
        }
    }

    /// The event as an operation of TPNS, as if it were sent alone.
    pub(crate) fn operation(&self) -> BatchOperate {
        let entry = |token: &String, accounts: &[Account]| {
            vec![TokenAccounts { token: token.clone(), account_list: accounts.to_vec() }]
        };
        match self {
            Self::Login(token, accounts) => BatchOperate::Override(entry(token, accounts)),
            Self::Logout(token, accounts) => BatchOperate::Unbind(entry(token, accounts)),
            Self::LogoutAll(token) => BatchOperate::UnbindTokens(vec![token.clone()]),
            Self::Deletion(accounts) => BatchOperate::UnbindAccounts(accounts.clone()),
        }
    }

    /// The contract's fields except `type`, `id` and `occurred_at`, for which an envelope may have fields of its own.
    pub(crate) fn fields(&self, app: Option<&str>) -> Value {
        let mut fields = json!({});
        if let Some(app) = app {
            fields["app"] = json!(app);
        }
        if let Some(token) = self.token() {
            fields["token"] = json!(token);
        }
        if !self.accounts().is_empty() {
            fields["account_list"] = json!(self.accounts());
        }
        fields
    }
}

/// The event inside an envelope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContractEvent<'a> {
    pub(crate) id: &'a str,
    pub(crate) occurred_at: &'a str,
    pub(crate) app: Option<&'a str>,
    pub(crate) change: &'a Change,
}

impl ContractEvent<'_> {
    pub(crate) fn bare(self) -> Value {
        let mut body = self.change.fields(self.app);
        body["type"] = json!(self.change.kind());
        body["id"] = json!(self.id);
        body["occurred_at"] = json!(self.occurred_at);
        body
    }

    /// As an EventBridge event, whose `id` and `time` replace the event's own.
    pub(crate) fn bridge(self) -> Value {
        json!({"version": "0", "id": self.id, "detail-type": self.change.kind(), "source": "com.example.accounts",
               "account": "123456789012", "time": self.occurred_at, "region": "us-east-2", "resources": [],
               "detail": self.change.fields(self.app)})
    }
}

/// An SNS notification of it.
pub(crate) fn sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf320",
           "TopicArn": "arn:aws:sns:us-east-2:123456789012:accounts", "Message": message.to_string(),
           "Timestamp": "2026-11-22T10:30:01.250Z"})
}
