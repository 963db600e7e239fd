//! One execution environment: a process and its Runtime API, from Init through invocations to its end.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot::error::TryRecvError, time::sleep};

use super::{
    builder::FunctionBuilder,
    outcome::{InitFailure, Outcome},
    output::Output,
    process::Process,
};
use crate::runtime_api::{Answer, ErrorReport, Offer, Ready, RuntimeApi, Violation, Violations};

/// How long reading the last requests of an ended process may take. They are already in this machine's memory.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) process: Arc<Process>,
    api: RuntimeApi,
}

/// How an invocation ended, how long it took, and whether the environment can be used again.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) duration: Duration,
    pub(super) reusable: bool,
}

impl Sandbox {
    /// Starts a process, without waiting for its Init.
    pub(super) async fn start(
        function: &FunctionBuilder,
        output: &Output,
        violations: &Violations,
    ) -> io::Result<Self> {
        let api = RuntimeApi::start(violations.clone()).await?;
        let process = Arc::new(Process::start(function, api.address(), output)?);
        Ok(Self { process, api })
    }

    /// Waits for the end of Init and returns how long it took.
    pub(super) async fn init(&self, limit: Duration) -> Result<Duration, InitFailure> {
        tokio::select! {
            biased;
            ready = self.api.ready() => match ready {
                Ready::Waiting => Ok(self.process.started.elapsed()),
                Ready::InitError(report) => Err(InitFailure::Reported(report)),
            },
            status = self.process.exited() => Err(self.init_exit(status).await),
            () = sleep(limit) => Err(InitFailure::TimedOut { after: limit }),
        }
    }

    async fn init_exit(&self, status: io::Result<std::process::ExitStatus>) -> InitFailure {
        self.api.drained(LAST_REQUESTS).await;
        match self.api.init_error() {
            Some(report) => InitFailure::Reported(report),
            None => InitFailure::Exited { status: status.unwrap_or_default() },
        }
    }

    /// Waits until a warm process asks for the next invocation. `false` when it ended or let `limit` pass.
    pub(super) async fn ready_again(&self, limit: Duration, violations: &Violations) -> bool {
        // Checked first: the long poll of a process that has just ended looks alive until its connection closes.
        if !self.process.is_usable() {
            return false;
        }
        tokio::select! {
            biased;
            ready = self.api.ready() => matches!(ready, Ready::Waiting),
            _ = self.process.exited() => false,
            () = sleep(limit) => {
                violations.record(Violation::NeverAskedForNext);
                false
            }
        }
    }

    /// Passes `offer` to the waiting process and waits for the end. `Err` returns it when the process didn't wait.
    pub(super) async fn invoke(&self, offer: Offer, limit: Duration) -> Result<Ended, Offer> {
        let begun = Instant::now();
        let mut answer = self.api.deliver(offer)?;
        let (outcome, reusable) = tokio::select! {
            biased;
            answered = &mut answer => match answered {
                Ok(answer) => (outcome_of(answer), true),
                // Unreachable: the exchange lives as long as this sandbox and drops no open invocation.
                Err(_) => (Outcome::TimedOut { after: limit }, false),
            },
            status = self.process.exited() => {
                self.api.drained(LAST_REQUESTS).await;
                let outcome = match answer.try_recv() {
                    Ok(answer) => outcome_of(answer),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => {
                        Outcome::Exited { status: status.unwrap_or_default() }
                    }
                };
                (outcome, false)
            }
            () = sleep(limit) => {
                self.process.end();
                (Outcome::TimedOut { after: limit }, false)
            }
        };
        Ok(Ended { outcome, duration: begun.elapsed(), reusable })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.process.end();
    }
}

fn outcome_of(answer: Answer) -> Outcome {
    match answer {
        Answer::Response(body) => Outcome::Response { body },
        Answer::Error(ErrorReport { error_type, message, body }) => {
            Outcome::FunctionError { error_type, message, body }
        }
        Answer::Refused(violation) => {
            let error_type = match violation {
                Violation::ResponseTooLarge { .. } => "Function.ResponseSizeTooLarge",
                Violation::TruncatedResponse { .. } => "Runtime.TruncatedResponse",
                _ => "Runtime.InvalidResponse",
            };
            let message = violation.to_string();
            let body = serde_json::json!({ "errorType": error_type, "errorMessage": message });
            Outcome::FunctionError { error_type: error_type.to_owned(), message, body: body.to_string().into() }
        }
    }
}
