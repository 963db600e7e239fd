//! The apps document, from a file or from its secret, as the function reads it.

use std::{error::Error, fs, time::Duration};

use aws_config::SdkConfig;
use tpns_account_sync::{
    tpns::{Apps, AppsFrom, AppsInForce},
    transport::Transport,
};

use crate::{cli::AppsArgs, problem::Problem};

/// How long a call to TPNS may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Reads the document that the command line names.
///
/// # Errors
/// What to correct, in words that hold nothing of the document.
pub(crate) async fn read(args: &AppsArgs, sdk: &SdkConfig, transport: &Transport) -> Result<AppsInForce, Problem> {
    let from = match (&args.document, &args.secret) {
        (Some(path), _) => {
            let usage = |what: String| Problem::Usage(format!("--apps {}: {what}", path.display()));
            let document = fs::read_to_string(path).map_err(|error| usage(format!("{error}; name a readable file")))?;
            AppsFrom::Environment(Apps::parse(&document).map_err(|error| usage(error.to_string()))?)
        }
        (None, secret) => AppsFrom::Secret(secret.clone().unwrap_or_default()),
    };
    // It is read again only if TPNS refuses a key.
    AppsInForce::read(from, Duration::MAX, Some(sdk), transport).await.map_err(|error| {
        // The error itself begins with the function's variable.
        let what = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Problem::Stopped(format!("--secret: {what}"))
    })
}
