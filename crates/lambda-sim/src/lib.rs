//! A strict local AWS Lambda for tests, chaos runs and benchmarks of a function's real binary.
//!
//! ```text
//! Queue -> EventSource -> Function -> Runtime API over loopback -> the function's process
//!              ^                                                          |
//!              '---------------- answer: what is deleted -----------------'
//! ```
//!
//! [`queue`], [`event`] and [`answer`] know neither network nor process. The README lists what it enforces and omits.

pub mod answer;
pub mod async_invoke;
pub mod aws;
pub mod clock;
pub mod event;
pub mod event_source;
pub mod function;
mod ids;
pub mod message;
pub mod queue;
pub mod runtime_api;

pub use answer::{FifoOrderBreak, Malformation, Verdict, Why, fifo_order_breaks, interpret};
pub use async_invoke::{AsyncInvocation, AsyncInvoker, FailureRecord};
pub use aws::{ApiRequest, AwsApi, Credentials, EntryFault, Fault, Garbling, Gate, Operation, RunningAwsApi, Service};
pub use clock::{ManualClock, Timestamp};
pub use event::{SqsEvent, event_of};
pub use event_source::{Batch, EventSource, Run};
pub use function::{Function, FunctionBuilder, InitFailure, Invocation, InvokeError, Outcome};
pub use message::Message;
pub use queue::{Depth, Queue, SendMessage};
pub use runtime_api::{ErrorReport, MAX_PAYLOAD_LEN, Violation};
pub use sim_connections::Death;
