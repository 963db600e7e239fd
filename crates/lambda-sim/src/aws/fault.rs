//! What may go wrong with a request, as tests want it.

use super::error::CommonError;
use super::garble::Garbling;
use super::operation::Operation;

/// How a whole request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    InternalError,
    /// Status 503.
    ServiceUnavailable,
    /// `ThrottlingException`.
    Throttling,
    /// DynamoDB's `ProvisionedThroughputExceededException`; from the other services the same as [`Throttling`](Self::Throttling).
    ProvisionedThroughputExceeded,
    /// What a role without the permission gets.
    AccessDenied,
    /// No answer, on an open connection.
    Hang,
    /// The connection is closed, the request not carried out.
    Close,
    /// The connection is closed after the request was carried out: what a client retries happens twice.
    CloseAfterwards,
    /// An answer that is not what AWS sends, after the request was carried out.
    Garbled(Garbling),
}

impl Fault {
    /// The error answer it is, if it is one.
    pub(super) fn answer(self) -> Option<CommonError> {
        match self {
            Self::InternalError => Some(CommonError::InternalFailure),
            Self::ServiceUnavailable => Some(CommonError::ServiceUnavailable),
            Self::Throttling => Some(CommonError::Throttling),
            Self::ProvisionedThroughputExceeded => Some(CommonError::ThroughputExceeded),
            Self::AccessDenied => Some(CommonError::AccessDenied),
            Self::Hang | Self::Close | Self::CloseAfterwards | Self::Garbled(_) => None,
        }
    }
}

/// How one entry of a `SendMessageBatch` fails while others succeed. Unless told otherwise with the code `InternalError`, by SQS's fault.
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

    /// SQS refuses the whole call for it, with `InvalidMessageContents`, and takes none of the entries.
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
    what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Request(Fault),
    Entries(Vec<EntryFault>),
    /// So many keys of a `BatchGetItem` are left over.
    Unprocessed(usize),
}

impl Plan {
    pub(super) fn add(&mut self, operation: Operation, times: usize, what: What) {
        self.0.push(Planned { operation, times, what });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What goes wrong with the `operation` asked for now, used up by asking.
    pub(super) fn next(&mut self, operation: Operation) -> Option<What> {
        self.0.retain(|planned| planned.times > 0);
        let planned = self.0.iter_mut().find(|planned| planned.operation == operation)?;
        // usize::MAX is as good as always.
        planned.times -= 1;
        Some(planned.what.clone())
    }
}
