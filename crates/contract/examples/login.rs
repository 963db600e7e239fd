//! Writes the event of a login, as docs/producers.md shows.
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::{SystemTime, UNIX_EPOCH};

use contract::{
    event::AccountType,
    write::{NewAccount, NewEvent},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    // In a backend: a UUID, or the id of the session's row.
    let id = format!("login-{now}");
    let accounts = [NewAccount::from("kim"), NewAccount::of_type("kim@example.com", AccountType(1))];
    let login = NewEvent::login(id, now, "token-of-kim", accounts).app("android");
    // A bus takes this as Detail with login.detail_type() as DetailType, a queue as the message's body.
    println!("{}", login.to_json()?);
    Ok(())
}
