//! Faults that a test plans for coming requests.

use super::{
    error::ErrorAnswer,
    garble::Garbling,
    operation::{Operation, Service},
};

/// How a whole request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    InternalError,
    /// Status 503.
    ServiceUnavailable,
    /// `ThrottlingException`.
    Throttling,
    /// DynamoDB's `ProvisionedThroughputExceededException`; from the other services the same as
    /// [`Throttling`](Self::Throttling).
    ProvisionedThroughputExceeded,
    /// The answer to a role without the permission.
    AccessDenied,
    /// No answer, on an open connection.
    Hang,
    /// The connection is closed; the request is not carried out.
    Close,
    /// The connection is closed after the request was carried out: what a client retries happens twice.
    CloseAfterwards,
    /// An answer that AWS does not send, after the request was carried out.
    Garbled(Garbling),
}

impl Fault {
    /// Its error answer, if it is one (API references of the services, "Common Errors").
    pub(super) fn answer(self, service: Service) -> Option<ErrorAnswer> {
        let (status, [sqs, secrets_manager, dynamodb]) = match self {
            Self::InternalError => (500, ["InternalFailure", "InternalServiceError", "InternalServerError"]),
            Self::ServiceUnavailable => {
                (503, ["ServiceUnavailable", "ServiceUnavailableException", "ServiceUnavailable"])
            }
            Self::Throttling => (400, ["ThrottlingException"; 3]),
            Self::ProvisionedThroughputExceeded => {
                (400, ["ThrottlingException", "ThrottlingException", "ProvisionedThroughputExceededException"])
            }
            Self::AccessDenied if service == Service::Sqs => (403, ["AccessDenied"; 3]),
            Self::AccessDenied => (400, ["AccessDeniedException"; 3]),
            Self::Hang | Self::Close | Self::CloseAfterwards | Self::Garbled(_) => return None,
        };
        let code = match service {
            Service::Sqs => sqs,
            Service::SecretsManager | Service::SystemsManager => secrets_manager,
            Service::DynamoDb => dynamodb,
        };
        Some(ErrorAnswer::new(status, code, "as planned by the test"))
    }
}

/// How one entry of a `SendMessageBatch` fails while others succeed: with the code `InternalError` and by SQS's fault,
/// unless set otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFault {
    chosen: Chosen,
    pub(super) code: String,
    pub(super) sender_fault: bool,
    pub(super) fails_the_call: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    Position(usize),
    BodyContains(String),
}

impl EntryFault {
    /// Of the entry at `position`, counted from 0.
    pub fn at(position: usize) -> Self {
        Self::new(Chosen::Position(position))
    }

    /// Of every entry with `text` in its body.
    pub fn body_containing(text: impl Into<String>) -> Self {
        Self::new(Chosen::BodyContains(text.into()))
    }

    fn new(chosen: Chosen) -> Self {
        Self { chosen, code: "InternalError".into(), sender_fault: false, fails_the_call: false }
    }

    /// With this `Code`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// With this `SenderFault`.
    #[must_use]
    pub fn sender_fault(mut self, sender_fault: bool) -> Self {
        self.sender_fault = sender_fault;
        self
    }

    /// SQS refuses the whole call because of it, with `InvalidMessageContents`, and takes none of the entries.
    #[must_use]
    pub fn fails_the_call(mut self) -> Self {
        self.fails_the_call = true;
        self
    }

    pub(super) fn hits(&self, position: usize, body: &str) -> bool {
        match &self.chosen {
            Chosen::Position(chosen) => *chosen == position,
            Chosen::BodyContains(text) => body.contains(text),
        }
    }
}

/// The faults still to come, in the order they were planned.
#[derive(Debug, Default)]
pub(super) struct Plan(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    operation: Operation,
    times: usize,
    failure: PlannedFailure,
}

#[derive(Clone, Debug)]
pub(super) enum PlannedFailure {
    Request(Fault),
    Entries(Vec<EntryFault>),
    /// This number of keys of a `BatchGetItem` is left unprocessed.
    Unprocessed(usize),
}

impl Plan {
    pub(super) fn add(&mut self, operation: Operation, times: usize, failure: PlannedFailure) {
        self.0.push(Planned { operation, times, failure });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How the present request for `operation` fails; uses up one of the times.
    pub(super) fn next(&mut self, operation: Operation) -> Option<PlannedFailure> {
        self.0.retain(|planned| planned.times > 0);
        let planned = self.0.iter_mut().find(|planned| planned.operation == operation)?;
        // usize::MAX is as good as always.
        planned.times -= 1;
        Some(planned.failure.clone())
    }
}
