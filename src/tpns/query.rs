//! TPNS's query API (facts.md, section 5): what is asked, and what an answer says of each device or account.

mod answer;
mod request;

use std::hash::Hash;

use super::{HttpAnswer, Judgement, QueryBy, answer::Judged};
use crate::{
    apps::AppId,
    event::{AccountName, AccountType, Device},
    ledger::AccountKey,
    outcome::{Failure, Reason},
    plan::Verdict,
};

/// An account as TPNS's query shows it; not every answer has the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BoundAccount {
    /// The name, as TPNS has it: it may break the rules that events keep.
    pub account: AccountName,
    /// The type under which it is bound, if the answer says so.
    pub account_type: Option<AccountType>,
}

/// What an answer says of one device or account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding<Bound> {
    /// What is bound to it.
    Bound(Vec<Bound>),
    /// Nothing, although TPNS says that it succeeded.
    Unanswered,
    /// Not accepted.
    Failed(Verdict),
}

pub(super) static UNANSWERED: Failure =
    Failure::new(Reason::TpnsBrokenAnswer, "the answer of TPNS to a query does not list the item");

impl<Bound> Judged for Finding<Bound> {
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Bound(_) => None,
            Self::Unanswered => Some(&UNANSWERED),
            Self::Failed(verdict) => verdict.failure(),
        }
    }
}

/// What a query can be about. The keys of one query are of one app and differ from each other.
pub(super) trait Key: Clone + Eq + Hash {
    /// What TPNS binds to it.
    type Bound;
    const BY: QueryBy;

    fn app(&self) -> AppId;

    /// The bytes to sign and to send.
    fn body(keys: &[Self]) -> serde_json::Result<Vec<u8>>;

    /// Reads an answer to the query of these keys. A whole verdict is never [`Verdict::Accepted`].
    fn judge(answer: &HttpAnswer, keys: &[Self]) -> Judgement<Finding<Self::Bound>>;
}

impl Key for Device {
    type Bound = BoundAccount;
    const BY: QueryBy = QueryBy::Token;

    fn app(&self) -> AppId {
        self.app
    }

    fn body(keys: &[Self]) -> serde_json::Result<Vec<u8>> {
        request::by_token(keys)
    }

    fn judge(answer: &HttpAnswer, keys: &[Self]) -> Judgement<Finding<BoundAccount>> {
        answer::by_token(answer, keys)
    }
}

impl Key for AccountKey {
    type Bound = Device;
    const BY: QueryBy = QueryBy::Account;

    fn app(&self) -> AppId {
        self.app
    }

    fn body(keys: &[Self]) -> serde_json::Result<Vec<u8>> {
        request::by_account(keys)
    }

    fn judge(answer: &HttpAnswer, keys: &[Self]) -> Judgement<Finding<Device>> {
        answer::by_account(answer, keys)
    }
}
