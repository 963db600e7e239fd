//! An event of the contract, and the envelopes of a single one.

use serde_json::{Value, json};
use tpns_sim::model::{Account, BatchOperate, TokenAccounts};

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A token and its accounts.
    Login(String, Vec<Account>),
    /// A token and the accounts that leave it.
    Logout(String, Vec<Account>),
    /// A token.
    LogoutAll(String),
    /// Accounts.
    Deletion(Vec<Account>),
}

impl What {
    /// The name in the contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Login(..) => "user.login",
            Self::Logout(..) | Self::LogoutAll(_) => "user.logout",
            Self::Deletion(_) => "account.deleted",
        }
    }

    /// The device, if the event names one.
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Login(token, _) | Self::Logout(token, _) | Self::LogoutAll(token) => Some(token),
            Self::Deletion(_) => None,
        }
    }

    /// The accounts that the event names.
    pub fn accounts(&self) -> &[Account] {
        match self {
            Self::Login(_, accounts) | Self::Logout(_, accounts) | Self::Deletion(accounts) => accounts,
            Self::LogoutAll(_) => &[],
        }
    }

    /// The event as TPNS's own operation: what a single call for it alone would be.
    pub fn operation(&self) -> BatchOperate {
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

    /// The contract's fields but `type`, `id` and `occurred_at`, which an envelope may say in its own way.
    pub fn fields(&self, app: Option<&str>) -> Value {
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

/// An event to be put into an envelope.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    /// The event's id.
    pub id: &'a str,
    /// ISO 8601.
    pub occurred_at: &'a str,
    /// The app, unless the event is for all.
    pub app: Option<&'a str>,
    /// What happened.
    pub what: &'a What,
}

impl Saying<'_> {
    /// The event without an envelope.
    pub fn bare(self) -> Value {
        let mut body = self.what.fields(self.app);
        body["type"] = json!(self.what.kind());
        body["id"] = json!(self.id);
        body["occurred_at"] = json!(self.occurred_at);
        body
    }

    /// As an EventBridge event whose `id` and `time` stand in for the event's own.
    pub fn bridge(self) -> Value {
        json!({"version": "0", "id": self.id, "detail-type": self.what.kind(), "source": "com.example.accounts",
               "account": "123456789012", "time": self.occurred_at, "region": "us-east-2", "resources": [],
               "detail": self.what.fields(self.app)})
    }
}

/// An SNS notification around it.
pub fn sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf320",
           "TopicArn": "arn:aws:sns:us-east-2:123456789012:accounts", "Message": message.to_string(),
           "Timestamp": "2026-11-22T10:30:01.250Z"})
}
