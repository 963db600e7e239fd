//! `replay redrive`: parked or dead-lettered messages back to the queue.

mod sweep;

use std::{
    collections::HashSet,
    io::{self, IsTerminal, Write, stdin},
    thread,
};

use tokio::sync::oneshot;

use self::sweep::{Done, Sweep};
use crate::{
    choose::Choice,
    cli::RedriveArgs,
    clock, entry,
    interrupt::Interrupt,
    list::look,
    message::Told,
    problem::{Ending, Problem},
    show::{self, count},
    sqs::{self, Sender},
};

/// Sends back what the command line says.
pub(crate) async fn run(args: RedriveArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    if args.from == args.to {
        return Err(Problem::Usage("--to: is the queue of --from; name the queue that the function reads".into()));
    }
    let asks = !args.yes && !args.dry_run;
    if asks && !stdin().is_terminal() {
        return Err(Problem::Usage(
            "--yes: is missing, and there is no terminal to ask on; add it, or use --dry-run".into(),
        ));
    }
    let (client, contract, choice) = (sqs::client().await, args.contract.contract(), Choice::from(args.choice));
    let depot = sqs::depot(&client, &args.from, "--from").await?;
    let limit = args.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    // Always a look first, also when nobody is asked: what the function parks again would else come again, without end.
    let look = look(&client, &args.from, "--from", &contract, usize::MAX, &interrupt).await?;
    if interrupt.came() {
        return Ok(Ending::Interrupted);
    }
    look.note_the_rest(depot.messages);
    let chosen: Vec<Told> = look.told.into_iter().filter(|told| choice.takes(told)).take(limit).collect();
    let refused = if args.stamp { 0 } else { chosen.iter().filter(|told| told.timeless).count() as u64 };
    if !args.yes {
        show_chosen(&chosen, refused, &args.to)?;
    }
    warn(&chosen, args.stamp, entry::is_fifo(&args.from));
    let ids: HashSet<String> = chosen.into_iter().map(|told| told.message_id).collect();
    missing(&choice, &ids);
    if args.dry_run {
        writeln!(io::stdout(), "nothing was sent")?;
        return Ok(if refused > 0 { Ending::SomeRefused } else { Ending::Done });
    }
    let to_be_sent = ids.len() as u64 - refused;
    if asks && to_be_sent > 0 {
        match ask(to_be_sent, &interrupt).await {
            Some(true) => {}
            Some(false) => {
                writeln!(io::stdout(), "nothing was sent")?;
                return Ok(Ending::Done);
            }
            None => return Ok(Ending::Interrupted),
        }
    }
    let sender = Sender::new(client.clone(), args.to.clone(), "--to", interrupt.clone());
    let (done, swept) =
        Sweep { ids, stamp: args.stamp, contract: &contract }.run(&client, &args.from, &sender, &interrupt).await;
    tell(&done, &args.to)?;
    swept?;
    Ok(match () {
        () if interrupt.came() => Ending::Interrupted,
        () if done.refused > 0 => Ending::SomeRefused,
        () => Ending::Done,
    })
}

/// Shows what would be sent.
fn show_chosen(chosen: &[Told], refused: u64, to: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    show::messages(&mut out, chosen, clock::now())?;
    show::reasons(&mut out, chosen)?;
    writeln!(out, "{} chosen for {to}", count(chosen.len() as u64, "message"))?;
    if refused > 0 {
        writeln!(out, "{} of them refused: {TIMELESS}", count(refused, "message"))?;
    }
    Ok(())
}

/// What is better known before it is sent. SQS keeps the time a message was first sent at when it moves it to a standard
/// dead-letter queue; the parking queue and a FIFO queue give it a new one.
fn warn(chosen: &[Told], stamp: bool, from_fifo: bool) {
    let late_time = chosen.iter().filter(|told| stamp && told.timeless && (told.parked || from_fifo)).count() as u64;
    if late_time > 0 {
        let messages = count(late_time, "message");
        eprintln!(
            "warning: {messages} would get the time they came into this queue, later than they happened: a login can then outrank a logout that followed it"
        );
    }
    let late = chosen.iter().filter(|told| told.out_of_time).count() as u64;
    if late > 0 {
        eprintln!("warning: {} too old or too far ahead: the function will park them again", count(late, "message"));
    }
}

const TIMELESS: &str =
    "no time of their own, and SQS would give them a new one; --stamp gives them the time their message was sent at";

/// An id that was asked for and is not there is most likely mistyped.
fn missing(choice: &Choice, found: &HashSet<String>) {
    let mut ids: Vec<&String> = choice.ids().difference(found).collect();
    ids.sort();
    for id in ids {
        eprintln!("--id {}: no such message among those chosen", show::printable(id));
    }
}

/// Asks on the terminal; `None` when it was interrupted.
async fn ask(messages: u64, interrupt: &Interrupt) -> Option<bool> {
    eprint!("send {} back? [y/N] ", count(messages, "message"));
    let (tell, told) = oneshot::channel();
    // In a thread, so that Ctrl-C is heard.
    thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().read_line(&mut line);
        let _ = tell.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    tokio::select! {
        yes = told => Some(yes.unwrap_or(false)),
        () = interrupt.wait() => {
            eprintln!();
            None
        }
    }
}

fn tell(done: &Done, to: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{} sent to {to}", count(done.sent, "message"))?;
    if done.stamped > 0 {
        writeln!(out, "{} of them got the time their message was sent at as occurred_at", done.stamped)?;
    }
    if done.timeless > 0 {
        writeln!(out, "{} refused: {TIMELESS}", count(done.timeless, "message"))?;
    }
    if done.not_deleted > 0 {
        let messages = count(done.not_deleted, "message");
        writeln!(out, "{messages} sent and still here, for SQS did not delete them: sending them again is harmless")?;
    }
    Ok(())
}
