//! A queue in the local AWS in front of the function, so that the function can set when its messages are delivered
//! again. Waiting times are skipped.

use std::sync::Arc;

use lambda_sim::{
    Function, ManualClock, Message, Outcome, Queue, RunningAwsApi, SendMessage, Timestamp, event_of, interpret,
};

/// A queue in the local AWS, and the function that it triggers.
pub struct TriggerQueue {
    /// The local AWS.
    pub aws: Arc<RunningAwsApi>,
    /// The queue's clock.
    pub clock: ManualClock,
    name: String,
    function: Arc<Function>,
}

/// One delivery: the messages, and what became of them. Without an answer all of them failed.
pub struct Delivered {
    /// As delivered.
    pub messages: Vec<Message>,
    /// The bodies of those that were acknowledged, and so deleted.
    pub acknowledged: Vec<String>,
    /// The outcome of the invocation.
    pub outcome: Outcome,
}

impl TriggerQueue {
    /// Puts this queue into the local AWS. The function must have its address as `AWS_ENDPOINT_URL`.
    pub fn new(aws: Arc<RunningAwsApi>, queue: Queue, function: Arc<Function>) -> Self {
        let (clock, name) = (ManualClock::starting_now(), queue.name().to_owned());
        aws.set_clock(clock.clone());
        aws.create_queue(queue);
        Self { aws, clock, name, function }
    }

    /// Uses the queue.
    pub fn with<T>(&self, use_queue: impl FnOnce(&mut Queue) -> T) -> T {
        self.aws.with_queue(&self.name, use_queue).unwrap()
    }

    /// Sends a message of this body now.
    pub fn send(&self, body: impl Into<Arc<str>>) {
        self.send_message(SendMessage::new(body));
    }

    /// Sends a message now.
    pub fn send_message(&self, message: SendMessage) {
        self.with(|queue| queue.send(message, self.clock.now())).unwrap();
    }

    /// Receives up to ten messages. Their times are as long ago by this machine's clock, which is the function's, as
    /// they are by the queue's.
    pub fn receive(&self) -> Vec<Message> {
        let (now, here) = (self.clock.now(), Timestamp::now());
        let mut messages = self.with(|queue| queue.receive(10, queue.visibility_timeout(), now));
        for message in &mut messages {
            for time in [&mut message.sent, &mut message.first_received] {
                *time = Timestamp::from_millis(here.as_millis() - (now.as_millis() - time.as_millis()));
            }
        }
        messages
    }

    /// Invokes the function with messages and deletes what it acknowledges.
    pub async fn deliver(&self, messages: Vec<Message>) -> Delivered {
        let arn = self.with(|queue| queue.arn().to_owned());
        let outcome = self.function.invoke(event_of(&arn, &messages)).await.unwrap().outcome;
        let ids: Vec<_> = messages.iter().map(|message| message.message_id.clone()).collect();
        let deletes = match &outcome {
            Outcome::Response { body } => interpret(body, &ids).deletes,
            _ => Vec::new(),
        };
        let is_deleted = |message: &&Message| deletes.contains(&message.message_id);
        let mut acknowledged = Vec::new();
        for message in messages.iter().filter(is_deleted) {
            self.with(|queue| queue.delete(&message.receipt_handle, self.clock.now())).unwrap();
            acknowledged.push(message.body.to_string());
        }
        Delivered { messages, acknowledged, outcome }
    }

    /// If no message is visible, moves the clock to the time at which one is.
    pub fn skip(&self) {
        let now = self.clock.now();
        let hidden_until = |queue: &mut Queue| match queue.depth(now).visible {
            0 => queue.next_visible_at(now),
            _ => None,
        };
        if let Some(moment) = self.with(hidden_until) {
            self.clock.advance_to(moment);
        }
    }

    /// Delivers what is visible, or will be next. `None` if the queue is empty.
    pub async fn next(&self) -> Option<Delivered> {
        loop {
            self.skip();
            let messages = self.receive();
            if !messages.is_empty() {
                return Some(self.deliver(messages).await);
            }
            // What was visible has gone to the dead-letter queue, or waits for its group.
            let moment = self.with(|queue| queue.next_visible_at(self.clock.now()))?;
            self.clock.advance_to(moment);
        }
    }

    /// The seconds that SQS was asked to hide messages for, by their bodies, in the order of the requests.
    pub fn delays(&self, messages: &[Message]) -> Vec<(String, u64)> {
        let body = |handle: &String| {
            let of_handle = |message: &&Message| message.receipt_handle == *handle;
            messages.iter().find(of_handle).map(|message| message.body.to_string())
        };
        let requests = self.aws.requests();
        let entries = requests.iter().flat_map(|request| &request.timeouts);
        entries.filter_map(|(handle, seconds)| Some((body(handle)?, *seconds))).collect()
    }
}
