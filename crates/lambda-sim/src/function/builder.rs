//! How a function is configured, and which of that Lambda would refuse.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Function;

/// Set by Lambda itself and not to be set by a function's configuration (Lambda developer guide, "Defined runtime environment
/// variables"). So are `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; but a test may want others than the sandbox's.
const RESERVED: [&str; 14] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// All variables of a function's configuration together, names and values, in bytes (Lambda quotas).
const MAX_ENVIRONMENT_LEN: usize = 4096;

/// A function that can't be made as asked.
#[derive(Debug, thiserror::Error)]
pub enum FunctionConfigError {
    /// No file to run.
    #[error("{0} is not a file")]
    NoBinary(PathBuf),
    /// Lambda sets it.
    #[error("Lambda sets {0} itself")]
    ReservedVariable(String),
    /// Names start with a letter and have letters, digits and underscores; values have no NUL.
    #[error("{0:?} is not a variable Lambda takes")]
    InvalidVariable(String),
    /// More than 4 KB.
    #[error("the environment has {0} bytes, more than 4 KB")]
    EnvironmentTooLarge(usize),
    /// Names have 1 to 64 letters, digits, `-` and `_`.
    #[error("{0:?} is no function name: 1 to 64 letters, digits, hyphens and underscores")]
    Name(String),
    /// 128 MB to 10,240 MB.
    #[error("a function has 128 to 10240 MB of memory, not {0}")]
    Memory(u32),
    /// Nothing would ever finish.
    #[error("a timeout is more than nothing and at most 15 minutes")]
    Timeout,
    /// The file that keeps the output couldn't be made.
    #[error("no file for the function's output: {0}")]
    Output(#[source] std::io::Error),
}

/// Makes a [`Function`]; see [`Function::builder`].
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    pub(super) binary: PathBuf,
    pub(super) name: String,
    pub(super) handler: String,
    pub(super) region: String,
    pub(super) env: BTreeMap<String, String>,
    pub(super) memory_mb: u32,
    pub(super) timeout: Duration,
    pub(super) init_timeout: Duration,
    pub(super) freeze: bool,
}

impl FunctionBuilder {
    pub(super) fn new(binary: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            name: "function".into(),
            handler: "bootstrap".into(),
            region: "us-east-2".into(),
            env: BTreeMap::new(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            freeze: false,
        }
    }

    /// The function's name; `function` unless told.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// `_HANDLER`, which tells a runtime's interface client what to call; `bootstrap` unless told. For a function in Python or
    /// Node.js `binary` is a script that starts the client: `exec python -m awslambdaric "$_HANDLER"`.
    #[must_use]
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = handler.into();
        self
    }

    /// `AWS_REGION`; `us-east-2` unless told.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets an environment variable of the function's configuration; also other AWS credentials than those of
    /// [`Credentials::of_the_sandbox`](crate::aws::Credentials::of_the_sandbox), which are in the environment anyway.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Sets several of them.
    #[must_use]
    pub fn envs<K: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self {
        self.env.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// What the function is told about its memory, in MB; 128 unless told. Not enforced: see [`Function::peak_rss_bytes`].
    #[must_use]
    pub fn memory(mut self, megabytes: u32) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// The function's timeout; 3 s unless told. Lambda has whole seconds, tests may want less.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long an Init may take; 10 s unless told, as in Lambda.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// Whether the process is stopped between invocations, as Lambda does; not unless told.
    #[must_use]
    pub fn freeze(mut self, freeze: bool) -> Self {
        self.freeze = freeze;
        self
    }

    /// The function. Its process starts with the first invocation.
    ///
    /// # Errors
    /// [`FunctionConfigError`] for what Lambda refuses.
    pub fn build(self) -> Result<Function, FunctionConfigError> {
        if !self.binary.is_file() {
            return Err(FunctionConfigError::NoBinary(self.binary));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(|c| word(c) || c == '-') {
            return Err(FunctionConfigError::Name(self.name));
        }
        if !(128..=10_240).contains(&self.memory_mb) {
            return Err(FunctionConfigError::Memory(self.memory_mb));
        }
        if self.timeout.is_zero() || self.timeout > Duration::from_mins(15) || self.init_timeout.is_zero() {
            return Err(FunctionConfigError::Timeout);
        }
        for (name, value) in &self.env {
            if RESERVED.contains(&name.as_str()) {
                return Err(FunctionConfigError::ReservedVariable(name.clone()));
            }
            let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if !starts_well || !name.chars().all(word) || value.contains('\0') {
                return Err(FunctionConfigError::InvalidVariable(name.clone()));
            }
        }
        let len = self.env.iter().map(|(name, value)| name.len() + value.len()).sum();
        if len > MAX_ENVIRONMENT_LEN {
            return Err(FunctionConfigError::EnvironmentTooLarge(len));
        }
        Function::with(self).map_err(FunctionConfigError::Output)
    }

    /// The unqualified ARN.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:123456789012:function:{}", self.region, self.name)
    }
}
