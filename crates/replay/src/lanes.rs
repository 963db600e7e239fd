//! The queues that the function reads: the main one and, where the stack has the unbind lane, one for logouts and
//! deletions. The function applies an event from either; in the lane an unbind does not wait behind logins.

use aws_sdk_sqs::Client;

use crate::{
    entry::{Outgoing, is_fifo},
    interrupt::Interrupt,
    lane::Lane,
    problem::Problem,
    sqs::{Outcome, Sender, SqsFailure},
};

/// The queues as named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaneUrls {
    main: String,
    unbinds: Option<String>,
}

impl LaneUrls {
    /// Checks the two queues; `option` is the one that names the main queue.
    ///
    /// # Errors
    /// [`Problem::Usage`] if they can't be the two lanes of a stack.
    pub(crate) fn new(main: String, option: &str, unbinds: Option<String>) -> Result<Self, Problem> {
        if let Some(unbinds) = &unbinds {
            if *unbinds == main {
                return Err(Problem::Usage(format!(
                    "--unbinds-to: is the same queue as {option}; name the stack's output UnbindQueueUrl, or omit it"
                )));
            }
            if is_fifo(unbinds) || is_fifo(&main) {
                return Err(Problem::Usage(
                    "--unbinds-to: a FIFO queue has no unbind lane; omit it, and send everything to the FIFO queue"
                        .into(),
                ));
            }
        }
        Ok(Self { main, unbinds })
    }

    /// The main queue.
    pub(crate) fn main(&self) -> &str {
        &self.main
    }

    /// Whether one of the two is the queue of this URL.
    pub(crate) fn contain(&self, url: &str) -> bool {
        self.main == url || self.unbinds.as_deref() == Some(url)
    }
}

impl std::fmt::Display for LaneUrls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.main)?;
        self.unbinds.as_ref().map_or(Ok(()), |url| write!(f, " and {url}"))
    }
}

/// Sends each message to the queue of its lane.
#[derive(Debug)]
pub(crate) struct Lanes {
    main: Sender,
    unbinds: Option<Sender>,
}

impl Lanes {
    pub(crate) fn new(client: &Client, urls: &LaneUrls, option: &'static str, interrupt: &Interrupt) -> Self {
        let sender = |url: &String, option| Sender::new(client.clone(), url.clone(), option, interrupt.clone());
        Self { main: sender(&urls.main, option), unbinds: urls.unbinds.as_ref().map(|url| sender(url, "--unbinds-to")) }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.main.is_fifo()
    }

    /// As [`Sender::send`]; the messages of the two lanes travel side by side.
    pub(crate) async fn send<T>(&self, call: &[Outgoing<T>]) -> (Vec<Outcome>, Option<SqsFailure>) {
        let Some(unbinds) = &self.unbinds else {
            let all: Vec<usize> = (0..call.len()).collect();
            return self.main.send(call, &all).await;
        };
        let (lane, others): (Vec<usize>, Vec<usize>) =
            (0..call.len()).partition(|&index| call[index].lane == Lane::Unbinds);
        let ((mut outcomes, failure), (of_lane, lane_failure)) =
            tokio::join!(self.main.send(call, &others), unbinds.send(call, &lane));
        for (index, outcome) in of_lane.into_iter().enumerate().filter(|(index, _)| lane.contains(index)) {
            outcomes[index] = outcome;
        }
        (outcomes, failure.or(lane_failure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "https://sqs/1/events";
    const LANE: &str = "https://sqs/1/unbinds";

    fn urls(main: &str, unbinds: Option<&str>) -> Result<LaneUrls, String> {
        LaneUrls::new(main.into(), "--to", unbinds.map(str::to_owned)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn logouts_and_deletions_are_of_the_lane_and_everything_else_is_of_the_main_queue() {
        for unbind in ["user.logout", "account.deleted"] {
            assert_eq!(Lane::of(Some(unbind)), Lane::Unbinds);
        }
        for other in [Some("user.login"), Some("user.renamed"), None] {
            assert_eq!(Lane::of(other), Lane::Main);
        }
    }

    #[test]
    fn two_queues_that_can_not_be_the_lanes_of_a_stack_are_refused() {
        assert!(urls(MAIN, Some(MAIN)).unwrap_err().contains("the same queue as --to"));
        for (main, unbinds) in [("https://sqs/1/e.fifo", LANE), (MAIN, "https://sqs/1/u.fifo")] {
            assert!(urls(main, Some(unbinds)).unwrap_err().contains("no unbind lane"));
        }
        assert!(urls("https://sqs/1/e.fifo", None).is_ok());
    }

    #[test]
    fn what_is_printed_names_both_queues() {
        assert_eq!(urls(MAIN, None).unwrap().to_string(), MAIN);
        let both = urls(MAIN, Some(LANE)).unwrap();
        assert_eq!(both.to_string(), format!("{MAIN} and {LANE}"));
        assert!(both.contain(MAIN) && both.contain(LANE) && !both.contain("https://sqs/1/dead"));
    }
}
