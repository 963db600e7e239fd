//! The contract of `tpns-account-sync`: which events there are, how they are wrapped, and the outcomes they can have.
//!
//! Used by the function, by `replay` and by backends that write events. Pure: no clock, no network, no environment.
//! docs/producers.md describes the same in words.

pub mod apps;
pub mod check;
pub mod event;
pub mod fingerprint;
pub mod ingress;
pub mod json;
pub mod opaque;
pub mod outcome;
pub mod preview;
pub mod warning;
pub mod write;
