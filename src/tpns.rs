//! Tencent Push Notification Service: how its API is called, and what its answers mean.

mod answer;
mod apps;
mod breaker;
mod calls;
mod client;
mod codes;
mod push;
mod query;
mod region;
mod request;
mod secret;
mod signature;

pub use answer::{HttpAnswer, Judgement, judge};
pub use apps::{App, Apps, AppsError, DATA_KEY_LEN, EntryError, LedgerKey, LedgerKeys, LedgerKeysError};
pub use calls::{Call, ITEMS_PER_CALL, Operation, OperatorType, QueryBy, calls};
pub use client::Client;
pub use codes::{Signal, classify};
pub use push::{CallMade, CallSettings, Deadline, Tpns, Verdicts};
pub use query::BoundAccount;
pub use region::{Endpoint, EndpointError};
pub use request::body;
pub use secret::{AppsFrom, AppsInForce, Needs, NotRead, SecretError};
pub use signature::SigningKey;
