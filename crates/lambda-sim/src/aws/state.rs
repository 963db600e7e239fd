//! What the API holds, and how it reacts to a request.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use hyper::{Method, http::request::Parts};
use serde_json::{Map, Value};

use super::{
    credentials,
    dynamodb::DynamoDb,
    error::{ErrorAnswer, NOT_MODELLED},
    fault::{Fault, Plan, PlannedFailure},
    garble::Garbled,
    gate::{Hold, Stage},
    operation::{ApiRequest, Operation, Service},
    secrets::Secrets,
    sqs::Queues,
};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queues: Queues,
    pub(super) secrets: Secrets,
    pub(super) dynamodb: DynamoDb,
    pub(super) plan: Plan,
    pub(super) latencies: HashMap<Service, Duration>,
    pub(super) latencies_of: HashMap<Operation, Duration>,
    pub(super) holds: Vec<Hold>,
    pub(super) requests: Vec<ApiRequest>,
    pub(super) not_modelled: Vec<String>,
}

/// What a request waits for before and after it is carried out.
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
    /// Counts a request in the order of arrival.
    pub(super) fn arrive(&mut self, head: &Parts) -> Delays {
        let operation = Operation::of_target(target(head));
        let of_service = operation.and_then(|operation| self.latencies.get(&operation.service()));
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

    /// Carries a request out and records it.
    pub(super) fn react(&mut self, head: &Parts, body: &[u8], arrived: Instant) -> Reaction {
        let operation = Operation::of_target(target(head));
        let reaction = match operation {
            Some(operation) => self.carry_out(operation, head, body),
            // Some service has to answer.
            None => Reaction::Answer(Service::Sqs, self.noted(Err(ErrorAnswer::not_modelled(target(head))))),
        };
        let (status, error) = match &reaction {
            Reaction::Answer(_, Ok(_)) => (Some(200), None),
            Reaction::Answer(_, Err(error)) => (Some(error.status), Some(error.code.to_owned())),
            Reaction::Garbled(garbled) => (Some(garbled.status), garbled.code.map(str::to_owned)),
            Reaction::Hang | Reaction::Close => (None, None),
        };
        let entries = operation.map_or(0, |operation| entries(operation, body));
        let timeouts = timeouts(operation, body);
        self.requests.push(ApiRequest { operation, arrived, entries, timeouts, status, error });
        reaction
    }

    fn carry_out(&mut self, operation: Operation, head: &Parts, body: &[u8]) -> Reaction {
        let service = operation.service();
        let planned = self.plan.next(operation);
        if let Some(PlannedFailure::Request(fault)) = &planned {
            match (fault, fault.answer(service)) {
                (Fault::Hang, _) => return Reaction::Hang,
                (Fault::Close, _) => return Reaction::Close,
                (_, Some(error)) => return Reaction::Answer(service, Err(error)),
                (_, None) => {}
            }
        }
        let result = self.perform(operation, head, body, planned.as_ref());
        let result = self.noted(result);
        match planned {
            Some(PlannedFailure::Request(Fault::CloseAfterwards)) => Reaction::Close,
            Some(PlannedFailure::Request(Fault::Garbled(garbling))) => {
                let answer = result.unwrap_or_else(|error| error.body(service));
                Reaction::Garbled(garbling.spoil(operation, head, body, answer))
            }
            _ => Reaction::Answer(service, result),
        }
    }

    /// Records a request that is not modelled, so that it fails the test whatever the client makes of the answer.
    fn noted(&mut self, result: Result<Value, ErrorAnswer>) -> Result<Value, ErrorAnswer> {
        if let Err(error) = &result
            && error.code == NOT_MODELLED
        {
            self.not_modelled.push(error.message.clone());
        }
        result
    }

    fn perform(
        &mut self,
        operation: Operation,
        head: &Parts,
        body: &[u8],
        planned: Option<&PlannedFailure>,
    ) -> Result<Value, ErrorAnswer> {
        let service = operation.service();
        let content_type = head.headers.get("content-type").map(|value| value.as_bytes());
        let is_of_sdk = head.method == Method::POST && head.uri.path() == "/";
        if !is_of_sdk || content_type != Some(service.content_type().as_bytes()) {
            return Err(ErrorAnswer::not_modelled(format_args!("{operation} by another protocol than the SDK's")));
        }
        if !credentials::signs(head, service) {
            let what = "that is not signed with the sandbox's credentials";
            return Err(ErrorAnswer::not_modelled(format_args!("{operation} {what}")));
        }
        let (faults, unprocessed): (&[_], _) = match planned {
            Some(PlannedFailure::Entries(faults)) => (faults, 0),
            Some(PlannedFailure::Unprocessed(count)) => (&[], *count),
            _ => (&[], 0),
        };
        match operation {
            Operation::SendMessageBatch => self.queues.send_message_batch(body, faults),
            Operation::ReceiveMessage => self.queues.receive_message(body),
            Operation::DeleteMessageBatch => self.queues.delete_message_batch(body),
            Operation::ChangeMessageVisibilityBatch => self.queues.change_message_visibility_batch(body),
            Operation::GetQueueAttributes => self.queues.get_queue_attributes(body),
            Operation::GetSecretValue => self.secrets.get(body),
            Operation::GetParameter => self.secrets.parameter(body),
            Operation::UpdateItem => self.dynamodb.update_item(body),
            Operation::BatchGetItem => self.dynamodb.batch_get_item(body, unprocessed),
        }
    }
}

fn target(head: &Parts) -> &str {
    head.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn timeouts(operation: Option<Operation>, body: &[u8]) -> Vec<(String, u64)> {
    if operation != Some(Operation::ChangeMessageVisibilityBatch) {
        return Vec::new();
    }
    let request = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let timeout =
        |entry: &Value| Some((entry["ReceiptHandle"].as_str()?.to_owned(), entry["VisibilityTimeout"].as_u64()?));
    request["Entries"].as_array().into_iter().flatten().filter_map(timeout).collect()
}

/// The messages, keys or items that a request is about.
fn entries(operation: Operation, body: &[u8]) -> usize {
    let request = || serde_json::from_slice::<Value>(body).unwrap_or_default();
    let len = |list: &Value| list.as_array().map_or(0, Vec::len);
    match operation {
        Operation::UpdateItem => 1,
        Operation::BatchGetItem => request()["RequestItems"]
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .map(|table| len(&table["Keys"]))
            .sum(),
        _ => len(&request()["Entries"]),
    }
}
