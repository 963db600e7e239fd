//! A Lambda function: a binary, its configuration, and at most one execution environment at a time.

mod builder;
mod outcome;
mod output;
mod process;
mod sandbox;
mod stats;

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::Mutex;

pub use builder::{FunctionBuilder, FunctionConfigError};
pub use outcome::{InitFailure, Invocation, Outcome};
use output::Output;
use process::Process;
use sandbox::Sandbox;

use crate::{
    clock::Timestamp,
    ids,
    runtime_api::{MAX_PAYLOAD_LEN, Offer, Violation, Violations},
};

/// The unqualified ARN of every function.
const ARN: &str = "arn:aws:lambda:us-east-2:123456789012:function:function";

/// A function as Lambda runs it, in one execution environment: invocations wait for each other. Several `Function`s are
/// several environments and run side by side.
///
/// The process starts with the first invocation and is killed when the `Function` is dropped. It can be invoked as long
/// as the tokio runtime of the invocation that started it lives.
#[derive(Debug)]
pub struct Function {
    config: FunctionBuilder,
    output: Output,
    violations: Violations,
    sandbox: Mutex<Option<Sandbox>>,
    /// The process of the environment, reachable while an invocation holds `sandbox`.
    process: SyncMutex<Weak<Process>>,
    cold_starts: AtomicU64,
}

/// An invocation that Lambda refused, or that couldn't be started.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// More than 6 MB.
    #[error("the payload has {0} bytes, more than the {MAX_PAYLOAD_LEN} Lambda takes")]
    PayloadTooLarge(usize),
    /// No process could be started, or no port opened for it.
    #[error("the function's process didn't start: {0}")]
    Start(#[from] io::Error),
}

impl Function {
    /// Starts configuring the function whose `bootstrap` is `binary`.
    pub fn builder(binary: impl AsRef<Path>) -> FunctionBuilder {
        FunctionBuilder::new(binary.as_ref())
    }

    fn with(config: FunctionBuilder) -> io::Result<Self> {
        Ok(Self {
            config,
            output: Output::new()?,
            violations: Violations::default(),
            sandbox: Mutex::default(),
            process: SyncMutex::default(),
            cold_starts: AtomicU64::new(0),
        })
    }

    /// Invokes it with `payload`, after invocations under way, and waits for the outcome.
    ///
    /// The payload is neither copied nor checked; it should be JSON. Dropping the future kills the process.
    ///
    /// # Errors
    /// [`InvokeError`] when there was no invocation; everything that a function can do wrong is an [`Outcome`].
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<Invocation, InvokeError> {
        self.invoke_as(ids::request_id(), payload.into()).await
    }

    pub(crate) async fn invoke_as(&self, request_id: String, payload: Bytes) -> Result<Invocation, InvokeError> {
        if payload.len() > MAX_PAYLOAD_LEN {
            return Err(InvokeError::PayloadTooLarge(payload.len()));
        }
        let mut place = self.sandbox.lock().await;
        // Taken out for the time of the invocation: if this future is dropped half-way, the environment is, too.
        let mut warm = place.take();
        loop {
            let (sandbox, init) = match warm.take() {
                Some(sandbox) if sandbox.ready_again(self.config.timeout, &self.violations).await => (sandbox, None),
                _ => {
                    let sandbox = self.cold_start().await?;
                    match sandbox.init(self.config.init_timeout).await {
                        Ok(init) => (sandbox, Some(init)),
                        Err(failure) => {
                            let outcome = Outcome::InitFailed(failure);
                            return Ok(Invocation { request_id, duration: Duration::ZERO, init: None, outcome });
                        }
                    }
                }
            };
            let offer = self.offer(&request_id, &payload);
            // A process may end between asking for an invocation and receiving it; the next one receives it then.
            let Ok(ended) = sandbox.invoke(offer, self.config.timeout).await else { continue };
            if ended.reusable {
                *place = Some(sandbox);
            }
            return Ok(Invocation { request_id, duration: ended.duration, init, outcome: ended.outcome });
        }
    }

    async fn cold_start(&self) -> io::Result<Sandbox> {
        let sandbox = Sandbox::start(&self.config, &self.output, &self.violations).await?;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&sandbox.process);
        self.cold_starts.fetch_add(1, Ordering::Relaxed);
        Ok(sandbox)
    }

    fn offer(&self, request_id: &str, payload: &Bytes) -> Offer {
        let now = Timestamp::now();
        Offer {
            request_id: request_id.to_owned(),
            deadline: now.plus(self.config.timeout),
            function_arn: ARN.to_owned(),
            trace_id: ids::trace_id(now.as_millis() / 1_000),
            payload: payload.clone(),
        }
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Its ARN, without a version.
    pub(crate) fn arn(&self) -> &'static str {
        ARN
    }

    /// Its configured timeout.
    pub fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// The id of its process; `None` while there is none.
    pub fn pid(&self) -> Option<u32> {
        self.process()?.id()
    }

    /// Kills the process (SIGKILL), during an invocation or between two. An invocation under way ends as
    /// [`Outcome::Exited`].
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// The number of processes started so far.
    pub fn cold_starts(&self) -> u64 {
        self.cold_starts.load(Ordering::Relaxed)
    }

    /// How its processes broke the Runtime API's rules, all of them together, in order.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations.all()
    }

    /// Everything its processes printed so far to stdout and stderr, in the order of writing.
    ///
    /// # Errors
    /// The file with the output couldn't be read.
    pub fn output(&self) -> io::Result<Vec<u8>> {
        self.output.since(0)
    }

    /// The number of bytes they printed so far: a mark for [`lines_since`](Self::lines_since).
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn output_len(&self) -> io::Result<u64> {
        self.output.len()
    }

    /// The lines they printed after the first `mark` bytes; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn lines_since(&self, mark: u64) -> io::Result<Vec<String>> {
        let bytes = self.output.since(mark)?;
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }

    /// The peak resident memory of the current process, in bytes (`VmHWM`); `None` while there is no process.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        stats::peak_rss_bytes(self.pid()?)
    }
}
