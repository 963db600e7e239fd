//! A faithful local Tencent Push Notification Service (TPNS): the account API, as a server and as
//! a library, with faults on request.
//!
//! * [`model`] is the binding model, pure and synchronous, for property tests.
//! * [`server`] is the HTTP service around it, for tests of complete clients.
//! * The binary `tpns-sim` is that server with a command line.
//!
//! Everything the simulator does comes from the provider's documents or is marked as inferred; the
//! README lists both.
//!
//! ```
//! # async fn example() -> Result<(), tpns_sim::StartError> {
//! use tpns_sim::{Fault, Sim};
//!
//! let sim = Sim::builder().app("android", 1_500_001_048, "secret").start().await?;
//! sim.fault(Fault::status(503).times(2));
//! let _apps = sim.apps_document(); // point the client under test here
//! // … run the client, then check what it did:
//! assert!(sim.calls().iter().all(|call| call.app.as_deref() == Some("android")));
//! assert!(sim.bindings()["android"].is_empty());
//! # Ok(())
//! # }
//! ```

pub mod apps;
mod auth;
mod calls;
pub mod codes;
mod effects;
mod fault;
pub mod model;
pub mod server;
pub mod signature;
mod timeline;

pub use self::{
    apps::{App, Apps, AppsError},
    calls::Call,
    codes::RetCode,
    effects::Effects,
    fault::{Api, Chance, Fault, FaultError, FaultKind, Scope},
    server::{AuthFailureStatus, RunningSim, Sim, SimBuilder, StartError},
};
pub use sim_connections::Death;
