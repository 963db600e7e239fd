//! The events for all contenders, and what must be bound when they are applied.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use lambda_sim::{Message, event::EXAMPLE_QUEUE_ARN, event_of};
use serde_json::json;

/// Of ten devices eight sign in, one signs out of one account, one of all. Each device has one event, since the peers
/// without a table do not keep any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Login,
    Logout,
    LogoutAll,
}

/// Not read by any contender. SQS's are longer; with those, 10,000 messages would not fit into Lambda's 6 MB.
const RECEIPT_HANDLE: &str = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a==";

/// A batch of messages, about devices and accounts that no other batch is about: a contender with a table may skip what
/// it has applied before.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    created_at: u64,
    bodies: Vec<Arc<str>>,
}

/// Token and account, for everything that is bound.
pub(crate) type Bound = BTreeSet<(String, String)>;

impl Events {
    /// Created now, since the age of events is checked.
    pub(crate) fn of(messages: usize) -> anyhow::Result<Self> {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        Ok(Self::created_at(now, messages))
    }

    fn created_at(now: u64, messages: usize) -> Self {
        Self { created_at: now, bodies: (0..messages).map(|n| body(n, now).into()).collect() }
    }

    /// As delivered by Lambda.
    pub(crate) fn payload(&self) -> Bytes {
        self.payload_of(self.places())
    }

    /// The indices of all messages.
    pub(crate) fn places(&self) -> std::ops::Range<usize> {
        0..self.bodies.len()
    }

    /// The payload with the messages at these indices.
    pub(crate) fn payload_of(&self, places: impl IntoIterator<Item = usize>) -> Bytes {
        let message = |n: usize| {
            let mut message = Message::new(message_id(n), self.bodies[n].clone());
            message.receipt_handle = RECEIPT_HANDLE.into();
            message
        };
        event_of(EXAMPLE_QUEUE_ARN, &places.into_iter().map(message).collect::<Vec<_>>())
    }

    /// The smallest possible number of calls: twenty items each, of one operator_type.
    pub(crate) fn fewest_calls(&self) -> usize {
        let of = |kind| (0..self.bodies.len()).filter(|&n| what(n) == kind).count().div_ceil(20);
        of(What::Login) + of(What::Logout) + of(What::LogoutAll)
    }

    /// What is bound before: two accounts of each device that signs out, so that the effect is visible.
    /// As the `token_accounts` of operator_type 2.
    pub(crate) fn bound_before(&self) -> Vec<serde_json::Value> {
        let out = (0..self.bodies.len()).filter(|&n| what(n) != What::Login);
        out.map(|n| {
            let accounts = [account(n, self.created_at), other(n, self.created_at)];
            let accounts = json!([{ "account": accounts[0] }, { "account": accounts[1], "account_type": 1 }]);
            json!({ "token": token(n, self.created_at), "account_list": accounts })
        })
        .collect()
    }

    /// What must be bound in the end.
    pub(crate) fn bound_after(&self) -> Bound {
        let bound = |n| match what(n) {
            What::Login => Some((token(n, self.created_at), account(n, self.created_at))),
            What::Logout => Some((token(n, self.created_at), other(n, self.created_at))),
            What::LogoutAll => None,
        };
        (0..self.bodies.len()).filter_map(bound).collect()
    }
}

/// The index of the message with this id.
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

/// Has the length of SQS's ids.
fn message_id(n: usize) -> String {
    format!("4f1c8a52-7d3e-4b6a-9c21-{n:012}")
}

/// Has the length of TPNS's tokens.
fn token(n: usize, created_at: u64) -> String {
    format!("05da87c0ae5973bd{created_at:012x}{n:08}")
}

fn account(n: usize, created_at: u64) -> String {
    nth_account(2 * n, created_at)
}

fn other(n: usize, created_at: u64) -> String {
    nth_account(2 * n + 1, created_at)
}

/// Ten characters, without which 10,000 messages would have another size, and those of one hour all different.
fn nth_account(n: usize, created_at: u64) -> String {
    const A_MILLISECOND: u64 = 20_000;
    format!("{:010x}", (created_at * A_MILLISECOND + n as u64) & 0xff_ffff_ffff)
}

fn body(n: usize, now: u64) -> String {
    let (token, account) = (token(n, now), account(n, now));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_different_times_share_no_device_and_no_account() {
        let bound = |created_at| Events::created_at(created_at, 10_000).bound_after();
        let (one, next) = (bound(1_795_737_600_000), bound(1_795_737_600_001));
        let tokens = |bound: &Bound| bound.iter().map(|(token, _)| token.clone()).collect::<BTreeSet<_>>();
        let accounts = |bound: &Bound| bound.iter().map(|(_, account)| account.clone()).collect::<BTreeSet<_>>();
        assert_eq!((one.len(), tokens(&one).len(), accounts(&one).len()), (9_000, 9_000, 9_000));
        assert!(tokens(&one).is_disjoint(&tokens(&next)));
        assert!(accounts(&one).is_disjoint(&accounts(&next)));
    }

    #[test]
    fn batches_of_different_times_have_the_same_size() {
        let len = |created_at| Events::created_at(created_at, 100).payload().len();
        assert_eq!(len(1_795_737_600_000), len(1_795_741_199_999));
    }
}
