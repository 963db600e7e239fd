//! The operating system's side of a function process: start it, kill it, and never leave one behind.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::pin,
    process::{ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::{builder::FunctionBuilder, output::Output};
use crate::aws::Credentials;

/// A running process, or one that has ended. Killed on drop.
#[derive(Debug)]
pub(super) struct Process {
    /// Signals are sent only under this lock and before the process is reaped: until then its id can't belong to
    /// another one.
    child: Mutex<Child>,
    /// SIGKILL has been sent. Until the kernel delivers it, the process looks alive.
    killed: AtomicBool,
    pub(super) started: Instant,
}

impl Process {
    pub(super) fn start(function: &FunctionBuilder, api: SocketAddr, output: &Output) -> io::Result<Self> {
        let task_root = function.binary.parent().filter(|parent| !parent.as_os_str().is_empty());
        let task_root = std::path::absolute(task_root.unwrap_or(std::path::Path::new(".")))?;
        let started = Instant::now();
        let child = Command::new(std::path::absolute(&function.binary)?)
            .env_clear()
            .envs(lambda_environment(function, api))
            .env("LAMBDA_TASK_ROOT", &task_root)
            .envs(&function.env)
            .current_dir(&task_root)
            .stdin(Stdio::null())
            .stdout(output.writer()?)
            .stderr(output.writer()?)
            // In its own group, so that children of the function die with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child: Mutex::new(child), killed: AtomicBool::new(false), started })
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child().id()
    }

    /// Whether it can still take an invocation, as far as can be seen at this moment.
    pub(super) fn is_usable(&self) -> bool {
        !self.killed.load(Ordering::SeqCst) && self.is_running()
    }

    fn is_running(&self) -> bool {
        matches!(self.child().try_wait(), Ok(None))
    }

    /// Returns when it has ended. One caller at a time.
    pub(super) async fn exited(&self) -> io::Result<ExitStatus> {
        poll_fn(|context| pin!(self.child().wait()).poll(context)).await
    }

    /// SIGKILL.
    pub(super) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        let child = self.child();
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // Fails only when the whole group has ended in the meantime.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    /// Kills it and waits until it has ended, without a tokio runtime, so that it also works while a test panics.
    pub(super) fn end(&self) {
        self.kill();
        let patience = Instant::now() + Duration::from_secs(30);
        while self.is_running() && Instant::now() < patience {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// What Lambda sets for an OS-only runtime (Lambda developer guide, "Defined runtime environment variables").
fn lambda_environment(function: &FunctionBuilder, api: SocketAddr) -> [(&'static str, String); 17] {
    let credentials = Credentials::of_the_sandbox();
    [
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "function".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function".into()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("2026/01/01/[$LATEST]{:032x}", fastrand::u128(..))),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_REGION", "us-east-2".into()),
        ("AWS_DEFAULT_REGION", "us-east-2".into()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default()),
        ("_HANDLER", function.handler.clone()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".into()),
        ("TZ", ":UTC".into()),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".into()),
    ]
}
