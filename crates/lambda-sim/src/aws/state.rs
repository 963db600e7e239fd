//! What the API holds, and what it makes of a request.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::http::request::Parts;
use serde_json::Value;

use super::dynamodb::{self, DynamoDb};
use super::error::{CommonError, ErrorAnswer};
use super::fault::{Fault, Plan, What};
use super::garble::Garbled;
use super::gate::{Hold, Stage};
use super::operation::{ApiRequest, Operation, Service};
use super::secrets::Secrets;
use super::signature::{self, Credentials};
use super::sqs::{self, Queues};
use crate::clock::Clock;

#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) queues: Queues,
    pub(super) secrets: Secrets,
    pub(super) dynamodb: DynamoDb,
    pub(super) accepted: Vec<Credentials>,
    pub(super) plan: Plan,
    pub(super) latencies: HashMap<Service, Duration>,
    pub(super) latencies_of: HashMap<Operation, Duration>,
    pub(super) holds: Vec<Hold>,
    pub(super) requests: Vec<ApiRequest>,
}

/// What a request waits for around being carried out.
#[derive(Debug)]
pub(super) struct Delays {
    pub(super) latency: Duration,
    pub(super) before: Vec<Hold>,
    pub(super) after: Vec<Hold>,
}

impl Delays {
    pub(super) fn are_none(&self) -> bool {
        self.latency.is_zero() && self.before.is_empty() && self.after.is_empty()
    }
}

/// What is to be done on a connection.
#[derive(Debug)]
pub(super) enum Reaction {
    Answer(Service, Result<Value, ErrorAnswer>),
    Garbled(Garbled),
    Hang,
    Close,
}

impl State {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            queues: Queues::new(),
            secrets: Secrets::default(),
            dynamodb: DynamoDb::default(),
            accepted: vec![Credentials::of_the_sandbox()],
            plan: Plan::default(),
            latencies: HashMap::new(),
            latencies_of: HashMap::new(),
            holds: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Counts a request in, in the order of arrival.
    pub(super) fn arrive(&mut self, head: &Parts) -> Delays {
        let target = target(head);
        let operation = Operation::of_target(target);
        let of_service = Service::of_target(target).and_then(|service| self.latencies.get(&service));
        let of_operation = operation.and_then(|operation| self.latencies_of.get(&operation));
        let latency = [of_service, of_operation].into_iter().flatten().sum();
        let mut due = Vec::new();
        for hold in std::mem::take(&mut self.holds) {
            match hold.count(operation) {
                Ok(reached) => due.push(reached),
                Err(waiting) => self.holds.push(waiting),
            }
        }
        let (before, after) = due.into_iter().partition(|hold| hold.stage == Stage::Before);
        Delays { latency, before, after }
    }

    /// Carries a request out and writes it down.
    pub(super) fn react(&mut self, head: &Parts, body: &[u8], arrived: Instant) -> Reaction {
        let target = target(head);
        let operation = Operation::of_target(target);
        let entries = match operation {
            Some(
                Operation::SendMessageBatch | Operation::DeleteMessageBatch | Operation::ChangeMessageVisibilityBatch,
            ) => sqs::batch_len(body),
            Some(Operation::BatchGetItem) => dynamodb::batch_len(body),
            Some(Operation::GetSecretValue | Operation::ReceiveMessage | Operation::GetQueueAttributes) | None => 0,
            Some(_) => 1,
        };
        let reaction = match operation {
            Some(operation) => self.carry_out(operation, head, body),
            None => {
                // Some service has to answer, and SQS does so as most do.
                let service = Service::of_target(target).unwrap_or(Service::Sqs);
                Reaction::Answer(service, Err(CommonError::UnknownOperation.answer(service)))
            }
        };
        let (status, error) = match &reaction {
            Reaction::Answer(_, Ok(_)) => (Some(200), None),
            Reaction::Answer(Service::Sqs, Err(error)) => (Some(error.status), Some(error.code.to_owned())),
            Reaction::Answer(_, Err(error)) => (Some(error.status), Some(error.kind.to_owned())),
            Reaction::Garbled(garbled) => (Some(garbled.status), garbled.code.map(str::to_owned)),
            Reaction::Hang | Reaction::Close => (None, None),
        };
        self.requests.push(ApiRequest { operation, target: target.to_owned(), arrived, entries, status, error });
        reaction
    }

    fn carry_out(&mut self, operation: Operation, head: &Parts, body: &[u8]) -> Reaction {
        let service = operation.service();
        let planned = self.plan.next(operation);
        match &planned {
            Some(What::Request(Fault::Hang)) => return Reaction::Hang,
            Some(What::Request(Fault::Close)) => return Reaction::Close,
            Some(What::Request(fault)) => {
                if let Some(error) = fault.answer() {
                    return Reaction::Answer(service, Err(error.answer(service)));
                }
            }
            Some(What::Entries(_) | What::Unprocessed(_)) | None => {}
        }
        let result = match self.admit(service, head, body) {
            Ok(()) => self.perform(operation, body, planned.as_ref()),
            Err(error) => Err(error.answer(service)),
        };
        match planned {
            Some(What::Request(Fault::CloseAfterwards)) => Reaction::Close,
            Some(What::Request(Fault::Garbled(garbling))) => {
                let answer = result.unwrap_or_else(|error| error.body(service));
                Reaction::Garbled(garbling.spoil(operation, head, body, answer))
            }
            _ => Reaction::Answer(service, result),
        }
    }

    fn admit(&self, service: Service, head: &Parts, body: &[u8]) -> Result<(), CommonError> {
        let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
        let root = head.method == Method::POST && head.uri.path() == "/";
        if !root || content_type != Some(service.content_type()) {
            return Err(CommonError::UnknownOperation);
        }
        signature::verify(head, body, service.signing_name(), &self.accepted)
    }

    fn perform(&mut self, operation: Operation, body: &[u8], planned: Option<&What>) -> Result<Value, ErrorAnswer> {
        let faults = match planned {
            Some(What::Entries(faults)) => faults.as_slice(),
            _ => &[],
        };
        let unprocessed = match planned {
            Some(What::Unprocessed(count)) => *count,
            _ => 0,
        };
        let now = self.clock.now();
        match operation {
            Operation::SendMessage => sqs::send_message(&mut self.queues, body, now),
            Operation::SendMessageBatch => sqs::send_message_batch(&mut self.queues, body, faults, now),
            Operation::ReceiveMessage => sqs::receive_message(&mut self.queues, body, now),
            Operation::DeleteMessageBatch => sqs::delete_message_batch(&mut self.queues, body, now),
            Operation::ChangeMessageVisibilityBatch => {
                sqs::change_message_visibility_batch(&mut self.queues, body, now)
            }
            Operation::GetQueueAttributes => sqs::get_queue_attributes(&mut self.queues, body, now),
            Operation::GetSecretValue => self.secrets.get(body),
            Operation::UpdateItem => self.dynamodb.update_item(body),
            Operation::PutItem => self.dynamodb.put_item(body),
            Operation::DeleteItem => self.dynamodb.delete_item(body),
            Operation::GetItem => self.dynamodb.get_item(body),
            Operation::BatchGetItem => self.dynamodb.batch_get_item(body, unprocessed),
        }
    }
}

fn target(head: &Parts) -> &str {
    head.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default()
}
