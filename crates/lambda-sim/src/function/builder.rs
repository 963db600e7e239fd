//! How a function is configured, and what Lambda refuses of that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use super::Function;

/// Variables that Lambda sets and a function's configuration must not (Lambda developer guide, "Defined runtime
/// environment variables"). `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` belong to them, too;
/// but a test may need other values than the sandbox's.
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

/// A function that Lambda refuses to create.
#[derive(Debug, thiserror::Error)]
pub enum FunctionConfigError {
    /// No file to run.
    #[error("{0} is not a file")]
    NoBinary(PathBuf),
    /// Lambda sets it.
    #[error("Lambda sets {0} itself")]
    ReservedVariable(String),
    /// Names start with a letter and have letters, digits and underscores; values have no NUL.
    #[error("{0:?} is not a variable that Lambda takes")]
    InvalidVariable(String),
    /// More than 4 KB.
    #[error("the environment has {0} bytes, more than 4 KB")]
    EnvironmentTooLarge(usize),
    /// More than 0 s, at most 15 minutes.
    #[error("a timeout is more than 0 s and at most 15 minutes")]
    Timeout,
    /// The file for the output couldn't be created.
    #[error("no file for the function's output: {0}")]
    Output(#[source] std::io::Error),
}

/// Makes a [`Function`]; see [`Function::builder`].
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    pub(super) binary: PathBuf,
    pub(super) handler: String,
    pub(super) env: BTreeMap<String, String>,
    pub(super) timeout: Duration,
    pub(super) init_timeout: Duration,
}

impl FunctionBuilder {
    pub(super) fn new(binary: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            handler: "bootstrap".into(),
            env: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
        }
    }

    /// `_HANDLER`, from which a runtime's interface client takes what to call; `bootstrap` by default. For a function
    /// in Python or Node.js `binary` is a script that starts the client: `exec python -m awslambdaric "$_HANDLER"`.
    #[must_use]
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = handler.into();
        self
    }

    /// Sets an environment variable of the function's configuration, or AWS credentials in place of those of
    /// [`Credentials::of_the_sandbox`](crate::aws::Credentials::of_the_sandbox).
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// The function's timeout; 3 s by default. Lambda has whole seconds; a test may use less.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long an Init may take; 10 s by default, as in Lambda.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
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
        if self.timeout.is_zero() || self.timeout > Duration::from_mins(15) || self.init_timeout.is_zero() {
            return Err(FunctionConfigError::Timeout);
        }
        for (name, value) in &self.env {
            if RESERVED.contains(&name.as_str()) {
                return Err(FunctionConfigError::ReservedVariable(name.clone()));
            }
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
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
}
