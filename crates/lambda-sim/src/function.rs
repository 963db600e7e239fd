//! A Lambda function: a binary, its configuration, and at most one execution environment at a time.

mod builder;
mod outcome;
mod output;
mod process;
mod sandbox;
mod stats;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;

pub use builder::{FunctionBuilder, FunctionConfigError};
pub use outcome::{InitFailure, Invocation, Outcome};
use output::Output;
use process::Process;
use sandbox::Sandbox;

use crate::clock::Timestamp;
use crate::ids;
use crate::runtime_api::{MAX_PAYLOAD_LEN, Offer, Violation, Violations};

/// A function as Lambda runs it, in one execution environment: invocations wait for each other. Several `Function`s are several
/// environments and run side by side.
///
/// The process starts with the first invocation, is killed when the `Function` is dropped, and needs the tokio runtime of the invocation
/// that started it for as long as it is to be invoked.
#[derive(Debug)]
pub struct Function {
    config: FunctionBuilder,
    arn: String,
    output: Output,
    violations: Violations,
    sandbox: Mutex<Option<Sandbox>>,
    /// The process of the environment, reachable while an invocation holds `sandbox`.
    process: SyncMutex<Weak<Process>>,
    cold_starts: AtomicU64,
}

/// An invocation that didn't take place.
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
            arn: config.arn(),
            config,
            output: Output::new()?,
            violations: Violations::default(),
            sandbox: Mutex::default(),
            process: SyncMutex::default(),
            cold_starts: AtomicU64::new(0),
        })
    }

    /// Invokes it with `payload` and waits for the outcome, behind invocations under way.
    ///
    /// The payload is neither copied nor looked at; JSON it should be. Dropping the future kills the process.
    ///
    /// # Errors
    /// [`InvokeError`] when there was no invocation; everything a function can do wrong is an [`Outcome`].
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<Invocation, InvokeError> {
        self.invoke_as(ids::request_id(), payload.into()).await
    }

    pub(crate) async fn invoke_as(&self, request_id: String, payload: Bytes) -> Result<Invocation, InvokeError> {
        if payload.len() > MAX_PAYLOAD_LEN {
            return Err(InvokeError::PayloadTooLarge(payload.len()));
        }
        let mut place = self.sandbox.lock().await;
        // Taken out for the time of the invocation: should this future be dropped half-way, the environment goes with it.
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
            // A process may go away between asking and getting; the next one gets the invocation then, as Lambda would have it.
            let Ok(ended) = sandbox.invoke(offer, self.config.timeout).await else { continue };
            if ended.reusable {
                if self.config.freeze {
                    sandbox.freeze(self.config.timeout.saturating_sub(ended.duration)).await;
                }
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
            function_arn: self.arn.clone(),
            trace_id: ids::trace_id(now.as_millis() / 1_000),
            payload: payload.clone(),
        }
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Its ARN, without a version.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Its configured timeout.
    pub fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// The id of its process; `None` while there is none.
    pub fn pid(&self) -> Option<u32> {
        self.process()?.id()
    }

    /// Kills the process (SIGKILL), in mid-invocation or between two. An invocation under way ends as [`Outcome::Exited`].
    pub fn kill(&self) {
        if let Some(process) = self.process() {
            process.kill();
        }
    }

    /// How many processes have been started so far.
    pub fn cold_starts(&self) -> u64 {
        self.cold_starts.load(Ordering::Relaxed)
    }

    /// What its processes did against the Runtime API's rules, over all of them, in order.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations.all()
    }

    /// Everything its processes printed so far to stdout and stderr, in the order of writing.
    ///
    /// # Errors
    /// The file that keeps the output couldn't be read.
    pub fn output(&self) -> io::Result<Vec<u8>> {
        self.output.since(0)
    }

    /// How many bytes they printed so far: a mark for [`output_since`](Self::output_since).
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn output_len(&self) -> io::Result<u64> {
        self.output.len()
    }

    /// What they printed after the first `mark` bytes.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn output_since(&self, mark: u64) -> io::Result<Vec<u8>> {
        self.output.since(mark)
    }

    /// The lines they printed after the first `mark` bytes; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`output`](Self::output).
    pub fn lines_since(&self, mark: u64) -> io::Result<Vec<String>> {
        let bytes = self.output.since(mark)?;
        Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect())
    }

    /// The most memory the current process has had resident, in bytes (`VmHWM`); `None` while there is none.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        stats::peak_rss_bytes(self.pid()?)
    }

    /// The processor time the current process has used; where threads of it have ended, in steps of 10 ms. `None` while there is none.
    pub fn cpu_time(&self) -> Option<Duration> {
        stats::cpu_time(self.pid()?)
    }
}
