//! Sends checks of devices to the check queue: the function repairs them.

use std::collections::{HashMap, HashSet};

use aws_sdk_sqs::Client;
use contract::{
    apps::AppNames,
    check::{self, CheckKey, MOST_KEYS},
    event::Device,
};

use crate::{
    batch::{Batcher, MOST_ENTRIES},
    entry::Outgoing,
    interrupt::Interrupt,
    lane::Lane,
    problem::Problem,
    sqs::{Outcome, Sender},
};

/// Sends checks of these devices. Returns how many devices SQS has confirmed.
///
/// # Errors
/// A failure of the queue; what was sent before stays sent.
pub(crate) async fn send(
    client: Client,
    queue_url: &str,
    apps: &AppNames,
    devices: &HashSet<Device>,
    interrupt: &Interrupt,
) -> Result<usize, Problem> {
    let sender = Sender::new(client, queue_url.to_owned(), "--repair", interrupt.clone());
    let mut batcher = Batcher::new();
    messages(apps, devices).into_iter().for_each(|message| batcher.push(message));
    let mut sent = 0;
    while batcher.len() > 0 && !interrupt.is_requested() {
        let call = batcher.take(MOST_ENTRIES);
        let all: Vec<usize> = (0..call.len()).collect();
        let (outcomes, failure) = sender.send(&call, &all).await;
        for (message, outcome) in call.iter().zip(outcomes) {
            match outcome {
                Outcome::Accepted => sent += message.context,
                Outcome::Refused(code) => {
                    let problem = format!("--repair: SQS refused a check ({code}); checks of {sent} devices were sent");
                    return Err(Problem::Stopped(problem));
                }
                Outcome::Unconfirmed => {}
            }
        }
        if let Some(failure) = failure {
            return Err(failure.into());
        }
    }
    Ok(sent)
}

/// Messages of as many devices as a check may name, each with their number.
fn messages(apps: &AppNames, devices: &HashSet<Device>) -> Vec<Outgoing<usize>> {
    let mut keys: Vec<_> = devices
        .iter()
        .map(|Device { app, token }| CheckKey::Device { app: apps.name(*app), token: token.clone() })
        .collect();
    keys.sort_unstable();
    let message = |keys: &[CheckKey<&str>]| {
        let body = check::write(keys).ok()?;
        let attributes = HashMap::new();
        Some(Outgoing { body, lane: Lane::Main, fifo: None, trace: None, attributes, context: keys.len() })
    };
    keys.chunks(MOST_KEYS).filter_map(message).collect()
}

#[cfg(test)]
mod tests {
    use contract::{apps::AppId, event::Token};

    use super::*;

    #[test]
    fn each_device_is_in_one_check_that_the_function_can_read() {
        let apps = AppNames::new(["android", "ios"]);
        let device = |n: u16| Device { app: AppId(n % 2), token: Token::new(&format!("t{n}")).unwrap() };
        let devices: HashSet<Device> = (0..250).map(device).collect();
        let messages = messages(&apps, &devices);
        assert_eq!(messages.iter().map(|message| message.context).collect::<Vec<_>>(), [100, 100, 50]);
        let keys = messages.iter().flat_map(|message| check::read(&message.body, &apps).unwrap());
        let named: HashSet<Device> = keys
            .map(|key| match key.unwrap() {
                CheckKey::Device { app, token } => Device { app, token },
                CheckKey::Account { .. } => panic!("an account"),
            })
            .collect();
        assert_eq!(named, devices);
    }
}
