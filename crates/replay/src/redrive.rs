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
    clock,
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
    let mut confirmed = None;
    if !args.yes {
        let look = look(&client, &args.from, "--from", &contract, usize::MAX, &interrupt).await?;
        if interrupt.came() {
            return Ok(Ending::Interrupted);
        }
        look.note_the_rest(depot.messages);
        let chosen: Vec<Told> = look.told.into_iter().filter(|told| choice.takes(told)).take(limit).collect();
        let refused = show_chosen(&chosen, args.stamp, &args.to)?;
        let ids: HashSet<String> = chosen.into_iter().map(|told| told.message_id).collect();
        missing(&choice, &ids);
        if args.dry_run {
            writeln!(io::stdout(), "nothing was sent")?;
            return Ok(if refused > 0 { Ending::SomeRefused } else { Ending::Done });
        }
        if ids.len() as u64 == refused {
            return Ok(if refused > 0 { Ending::SomeRefused } else { Ending::Done });
        }
        match ask(ids.len() as u64 - refused, &interrupt).await {
            Some(true) => confirmed = Some(ids),
            Some(false) => {
                writeln!(io::stdout(), "nothing was sent")?;
                return Ok(Ending::Done);
            }
            None => return Ok(Ending::Interrupted),
        }
    }
    let sender = Sender::new(client.clone(), args.to.clone(), "--to", interrupt.clone());
    let sweep = Sweep { choice: &choice, confirmed, limit, stamp: args.stamp, contract: &contract };
    let (done, swept) = sweep.run(&client, &args.from, &sender, &interrupt).await;
    if args.yes {
        missing(&choice, &done.chosen);
    }
    tell(&done, &args.to)?;
    swept?;
    Ok(match () {
        () if interrupt.came() => Ending::Interrupted,
        () if done.refused > 0 => Ending::SomeRefused,
        () => Ending::Done,
    })
}

/// Shows what would be sent, and gives how many of it would be refused.
fn show_chosen(chosen: &[Told], stamp: bool, to: &str) -> io::Result<u64> {
    let mut out = io::stdout().lock();
    show::messages(&mut out, chosen, clock::now())?;
    show::reasons(&mut out, chosen)?;
    let timeless = chosen.iter().filter(|told| told.timeless);
    let refused = if stamp { 0 } else { timeless.clone().count() as u64 };
    writeln!(out, "{} chosen for {to}", count(chosen.len() as u64, "message"))?;
    if refused > 0 {
        writeln!(out, "{} of them refused: {TIMELESS}", count(refused, "message"))?;
    }
    let parked = timeless.filter(|told| stamp && told.parked).count() as u64;
    if parked > 0 {
        writeln!(
            out,
            "warning: {} get the time of parking, which is later than the event: a logout in between is overtaken by its login",
            count(parked, "message")
        )?;
    }
    let late = chosen.iter().filter(|told| told.out_of_time).count() as u64;
    if late > 0 {
        writeln!(
            out,
            "warning: {} too old or too far ahead: the function will park them again",
            count(late, "message")
        )?;
    }
    Ok(refused)
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
