//! The events all contenders get, and what must be bound when they are applied.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use lambda_sim::{Message, event::EXAMPLE_QUEUE_ARN, event_of};
use serde_json::json;

/// Of ten devices eight sign in, one signs out of one account, one of all. Each device has one event, since the peers
/// know no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Login,
    Logout,
    LogoutAll,
}

/// Nobody reads it. SQS's are longer; with those 10,000 messages would not fit into the 6 MB that Lambda takes.
const RECEIPT_HANDLE: &str = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a==";

/// A batch of so many messages.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    bodies: Vec<Arc<str>>,
}

/// Token and account, for everything that is bound.
pub(crate) type Bound = BTreeSet<(String, String)>;

impl Events {
    /// Made now, for events have an age.
    pub(crate) fn of(messages: usize) -> anyhow::Result<Self> {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        Ok(Self { bodies: (0..messages).map(|n| body(n, now).into()).collect() })
    }

    /// As Lambda brings them.
    pub(crate) fn payload(&self) -> Bytes {
        self.payload_of(self.places())
    }

    /// The places of all messages.
    pub(crate) fn places(&self) -> std::ops::Range<usize> {
        0..self.bodies.len()
    }

    /// Those of these places.
    pub(crate) fn payload_of(&self, places: impl IntoIterator<Item = usize>) -> Bytes {
        let message = |n: usize| {
            let mut message = Message::new(message_id(n), self.bodies[n].clone());
            message.receipt_handle = RECEIPT_HANDLE.into();
            message
        };
        event_of(EXAMPLE_QUEUE_ARN, &places.into_iter().map(message).collect::<Vec<_>>())
    }

    /// The fewest calls TPNS allows: twenty items each, of one operator_type.
    pub(crate) fn fewest_calls(&self) -> usize {
        let of = |kind| (0..self.bodies.len()).filter(|&n| what(n) == kind).count().div_ceil(20);
        of(What::Login) + of(What::Logout) + of(What::LogoutAll)
    }

    /// What is bound before: two accounts of each device that signs out, so that it shows whether it did.
    /// As the `token_accounts` of operator_type 2.
    pub(crate) fn bound_before(&self) -> Vec<serde_json::Value> {
        let out = (0..self.bodies.len()).filter(|&n| what(n) != What::Login);
        out.map(|n| {
            let accounts = json!([{ "account": account(n) }, { "account": other(n), "account_type": 1 }]);
            json!({ "token": token(n), "account_list": accounts })
        })
        .collect()
    }

    /// What must be bound in the end.
    pub(crate) fn bound_after(&self) -> Bound {
        let bound = |n| match what(n) {
            What::Login => Some((token(n), account(n))),
            What::Logout => Some((token(n), other(n))),
            What::LogoutAll => None,
        };
        (0..self.bodies.len()).filter_map(bound).collect()
    }
}

/// The place of the message with this id.
pub(crate) fn place_of(message_id: &str) -> Option<usize> {
    message_id.rsplit('-').next()?.parse().ok()
}

fn what(n: usize) -> What {
    match n % 10 {
        8 => What::Logout,
        9 => What::LogoutAll,
        _ => What::Login,
    }
}

/// As long as SQS's.
fn message_id(n: usize) -> String {
    format!("4f1c8a52-7d3e-4b6a-9c21-{n:012}")
}

/// As long as TPNS's.
fn token(n: usize) -> String {
    format!("05da87c0ae5973bd2dfa9e08d884{n:08}")
}

fn account(n: usize) -> String {
    format!("1527{n:06}")
}

fn other(n: usize) -> String {
    format!("1528{n:06}")
}

fn body(n: usize, now: u64) -> String {
    let (token, account) = (token(n), account(n));
    match what(n) {
        What::Login => {
            format!(
                r#"{{"type":"user.login","occurred_at":{now},"token":"{token}","account_list":[{{"account":"{account}"}}]}}"#
            )
        }
        What::Logout => format!(
            r#"{{"type":"user.logout","occurred_at":{now},"token":"{token}","account_list":[{{"account":"{account}"}}]}}"#
        ),
        What::LogoutAll => format!(r#"{{"type":"user.logout","occurred_at":{now},"token":"{token}"}}"#),
    }
}
