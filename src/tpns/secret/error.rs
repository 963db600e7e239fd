//! Why there is no apps document, and what to do.

use super::super::AppsError;
use crate::aws::AwsError;

/// There is no apps document: names the variable and what to do about it, and holds nothing of the document.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", .kind.variable())]
pub struct SecretError {
    kind: Kind,
    #[source]
    error: FetchError,
}

/// What the document is kept in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A secret of Secrets Manager.
    Secret,
    /// A parameter of Systems Manager.
    Parameter,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(
        "was not answered in time; check the network (a function in a VPC needs a NAT gateway, or an endpoint for {0}) and \
         where its credentials come from"
    )]
    Timeout(&'static str),
    #[error("could not be fetched ({error}); check {needs}, and the network")]
    Failed {
        #[source]
        error: AwsError,
        needs: &'static str,
    },
    #[error("has no SecretString; store the apps document as text, not as binary")]
    NoText,
    #[error("is not a SecureString; store the apps document encrypted")]
    NotEncrypted,
    #[error("the {0}'s document {1}")]
    Document(&'static str, #[source] AppsError),
    #[error("needs AWS credentials and a region")]
    NoClient,
}

impl Kind {
    const fn variable(self) -> &'static str {
        match self {
            Self::Secret => "TPNS_APPS_SECRET_ID",
            Self::Parameter => "TPNS_APPS_SSM_PARAMETER",
        }
    }

    pub(super) fn error(self, error: FetchError) -> SecretError {
        SecretError { kind: self, error }
    }

    pub(super) fn failed(self, error: AppsError) -> SecretError {
        let place = match self {
            Self::Secret => "secret",
            Self::Parameter => "parameter",
        };
        self.error(FetchError::Document(place, error))
    }

    pub(super) fn refused(self, error: AwsError) -> SecretError {
        let (service, needs) = match self {
            Self::Secret => ("Secrets Manager", "the id, the role's secretsmanager:GetSecretValue"),
            Self::Parameter => ("Systems Manager", "the name, the role's ssm:GetParameter"),
        };
        self.error(match error {
            AwsError::Timeout => FetchError::Timeout(service),
            error => FetchError::Failed { error, needs },
        })
    }
}
