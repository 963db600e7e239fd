//! Tencent Push Notification Service: how its API is called, and what its answers mean.

mod answer;
mod client;
mod codes;
mod push;
mod region;
mod request;
mod signature;

pub use answer::{HttpAnswer, Judgement, judge};
pub use client::Client;
pub use codes::{Signal, Verdict, classify};
pub use push::{CallMade, Deadline, Settings, Tpns, Verdicts};
pub use region::{Endpoint, EndpointError};
pub use request::body;
pub use signature::SigningKey;
