//! One batch, to one process.

use super::*;

pub(crate) struct Delivered {
    pub(crate) messages: Vec<Message>,
    pub(crate) acknowledged: Vec<String>,
    /// How many of these are superseded according to the log.
    pub(super) superseded: usize,
    pub(crate) killed: bool,
}

/// Invokes a process with a batch; it may be killed after a while.
pub(crate) async fn deliver(
    process: &Function,
    arn: &str,
    messages: Vec<Message>,
    kill: Option<Duration>,
) -> Result<Delivered, String> {
    let mark = process.output_len().unwrap();
    let invocation = process.invoke(event_of(arn, &messages));
    tokio::pin!(invocation);
    let mut killed = false;
    let invocation = match kill {
        None => invocation.await,
        Some(after) => tokio::select! {
            invocation = &mut invocation => invocation,
            () = tokio::time::sleep(after) => {
                process.kill();
                killed = true;
                invocation.await
            }
        },
    };
    let ids: Vec<_> = messages.iter().map(|message| message.message_id.clone()).collect();
    match invocation.unwrap().outcome {
        // It may still have been in its init phase.
        Outcome::Exited { .. } | Outcome::InitFailed(_) if killed => {
            Ok(Delivered { messages, acknowledged: Vec::new(), superseded: 0, killed })
        }
        // On a machine that stood still: Lambda kills it, too.
        Outcome::TimedOut { .. } => Ok(Delivered { messages, acknowledged: Vec::new(), superseded: 0, killed: true }),
        Outcome::Response { body } => {
            if let Some(found) = secret_in(&body) {
                return Err(format!("the response: {found}"));
            }
            let verdict = interpret(&body, &ids);
            match verdict.why {
                Why::Partial | Why::EmptyList => {
                    let lines = process.lines_since(mark).unwrap();
                    let superseded =
                        lines.iter().filter(|line| line.contains(r#""message":"event superseded""#)).count();
                    Ok(Delivered { messages, acknowledged: verdict.deletes, superseded, killed: false })
                }
                why => Err(format!("not a valid partial batch response: {why:?}")),
            }
        }
        other => Err(format!("neither answered nor killed: {other:?}")),
    }
}
