//! `replay redrive`: sends parked or dead-lettered messages back to the queue.

mod sweep;

use std::{
    collections::HashSet,
    io::{self, Write},
};

use self::sweep::{Done, Sweep};
use crate::{
    choose::Choice,
    cli::RedriveArgs,
    clock, confirm,
    ending::Ending,
    entry,
    interrupt::Interrupt,
    lanes::{LaneUrls, Lanes},
    list::inspect,
    listing,
    message::Summary,
    problem::Problem,
    show::{self, count},
    sqs,
};

/// Sends back the messages chosen on the command line.
pub(crate) async fn run(args: RedriveArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let urls = LaneUrls::new(args.to, "--to", args.unbinds_to)?;
    if urls.contain(&args.from) {
        let what = if args.from == urls.main() { "--to" } else { "--unbinds-to" };
        let problem = format!("{what}: is the same queue as --from; name the queue that the function reads");
        return Err(Problem::Usage(problem));
    }
    let asks = !args.yes && !args.dry_run;
    if asks {
        confirm::possible("use --dry-run")?;
    }
    let (client, contract, choice) = (sqs::client().await, args.contract.contract(), Choice::from(args.choice));
    let depth = sqs::depth(&client, &args.from, "--from").await?;
    let limit = args.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    // Choose before sending, also without confirmation: otherwise messages that the function parks again would be sent
    // again without end.
    let found = inspect(&client, &args.from, "--from", &contract, usize::MAX, &interrupt).await?;
    if interrupt.is_requested() {
        return Ok(Ending::Interrupted);
    }
    found.report_the_rest(depth);
    let unmatched = choice.unmatched(&found.messages);
    let chosen: Vec<Summary> =
        found.messages.into_iter().filter(|message| choice.matches(message)).take(limit).collect();
    let refused = if args.stamp { 0 } else { chosen.iter().filter(|message| message.timeless).count() as u64 };
    if !args.yes {
        show_chosen(&chosen, refused, &urls)?;
    }
    warn(&chosen, args.stamp, entry::is_fifo(&args.from));
    let ids: HashSet<String> = chosen.into_iter().map(|message| message.message_id).collect();
    unmatched.iter().for_each(|line| eprintln!("{line}"));
    let missing = missing(&choice, &ids) || !unmatched.is_empty();
    if args.dry_run {
        writeln!(io::stdout(), "nothing was sent")?;
        return Ok(if refused > 0 || missing { Ending::SomeRefused } else { Ending::Done });
    }
    let to_be_sent = ids.len() as u64 - refused;
    if asks && to_be_sent > 0 {
        let question = format!("send {} back?", count(to_be_sent, "message"));
        match confirm::ask(&question, &interrupt).await {
            Some(true) => {}
            Some(false) => {
                writeln!(io::stdout(), "nothing was sent")?;
                return Ok(Ending::Done);
            }
            None => return Ok(Ending::Interrupted),
        }
    }
    let lanes = Lanes::new(&client, &urls, "--to", &interrupt);
    let (done, swept) =
        Sweep { ids, stamp: args.stamp, contract: &contract }.run(&client, &args.from, &lanes, &interrupt).await;
    print_result(&done, &args.from, &urls)?;
    swept?;
    Ok(match () {
        () if interrupt.is_requested() => Ending::Interrupted,
        () if done.refused > 0 || missing => Ending::SomeRefused,
        () => Ending::Done,
    })
}

/// Shows what would be sent.
fn show_chosen(chosen: &[Summary], refused: u64, to: &LaneUrls) -> io::Result<()> {
    let mut out = io::stdout().lock();
    listing::messages(&mut out, chosen, clock::now())?;
    listing::reasons(&mut out, chosen)?;
    writeln!(out, "{} chosen for {to}", count(chosen.len() as u64, "message"))?;
    if refused > 0 {
        writeln!(out, "{} of them refused: {TIMELESS}", count(refused, "message"))?;
    }
    Ok(())
}

/// Warns of consequences before anything is sent. SQS keeps the time at which a message was first sent when it moves
/// the message to a standard dead-letter queue; the parking queue, a FIFO queue and Lambda give it a new time.
fn warn(chosen: &[Summary], stamp: bool, from_fifo: bool) {
    let late_time = chosen.iter().filter(|one| stamp && one.timeless && (one.sent_late || from_fifo)).count() as u64;
    if late_time > 0 {
        let messages = count(late_time, "message");
        eprintln!(
            "warning: {messages} would get the time at which they entered this queue, later than they happened: a login \
             could then outrank a logout that followed it"
        );
    }
    let again = [
        (chosen.iter().filter(|message| message.out_of_time).count(), "too old, or too far in the future"),
        (chosen.iter().filter(|message| message.breaks_contract).count(), "the event still breaks the contract"),
    ];
    for (messages, why) in again.into_iter().filter(|(messages, _)| *messages > 0) {
        eprintln!("warning: {} will be parked again by the function: {why}", count(messages as u64, "message"));
    }
}

const TIMELESS: &str = "no time of their own, and SQS would give them a new one; use --stamp to give them the time at \
    which their message was sent";

/// Reports ids given with `--id` that were not found, which are most likely mistyped. Returns whether there are any.
fn missing(choice: &Choice, found: &HashSet<String>) -> bool {
    let mut ids: Vec<&String> = choice.ids().difference(found).collect();
    ids.sort();
    for id in &ids {
        eprintln!("--id {}: no such message among those chosen", show::printable(id));
    }
    !ids.is_empty()
}

fn print_result(done: &Done, from: &str, to: &LaneUrls) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{} sent to {to}", count(done.sent, "message"))?;
    if done.stamped > 0 {
        writeln!(out, "{} of them got the time at which their message was sent as occurred_at", done.stamped)?;
    }
    if done.timeless > 0 {
        writeln!(out, "{} refused: {TIMELESS}", count(done.timeless, "message"))?;
    }
    if done.not_deleted > 0 {
        let messages = count(done.not_deleted, "message");
        writeln!(
            out,
            "{messages} sent but still in {from}, since SQS did not delete them; sending them again is harmless"
        )?;
    }
    Ok(())
}
