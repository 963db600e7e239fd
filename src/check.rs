//! The check: TPNS only accepts calls, so some minutes after each delivery it is asked what it has, and what differs
//! from the ledger is repaired (ARCHITECTURE.md, "The check").

mod batch;
mod compare;
mod inspect;
mod run;

pub(crate) use batch::Checked;
pub use compare::{Comparison, compare};
pub use inspect::{Inspection, NotInspected, inspect};
pub use run::{Agreement, Asked, Drift, Finding, Findings, check};
