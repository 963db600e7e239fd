//! The events, as message bodies.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_sim::SendMessage;

/// Where the events of a run go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Each has another device and another account.
    ManyDevices,
    /// One device that signs in and out.
    OneDevice,
    /// Logins of one account, each on another device.
    OneAccount,
}

/// A message, and when it is sent.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) after: Duration,
    pub(super) message: SendMessage,
}

/// Login and logout in turn, and a login at the end. `interval` is between two of them; all of them are sent at once
/// if it is zero.
pub(super) fn events(count: usize, spread: Spread, interval: Duration, fifo: bool) -> anyhow::Result<Vec<Sending>> {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let sending = |n: usize| {
        // In the order of sending, and none of them in the future.
        let at = now + u64::try_from(n)? - u64::try_from(count)?;
        let message = SendMessage::new(body(n, spread, at));
        let message = if fifo { message.group(token(n, spread)).deduplication_id(format!("{n}")) } else { message };
        Ok(Sending { after: interval * u32::try_from(n)?, message })
    };
    (0..count).map(sending).collect()
}

fn body(n: usize, spread: Spread, at: u64) -> String {
    let (token, account) = (token(n, spread), account(n, spread));
    // The last one, whose number is odd, is a login.
    let signs_in = n % 2 == 1 || spread == Spread::OneAccount;
    if signs_in {
        let accounts = format!(r#"[{{"account":"{account}"}}]"#);
        format!(r#"{{"type":"user.login","id":"e{n}","occurred_at":{at},"token":"{token}","account_list":{accounts}}}"#)
    } else {
        format!(r#"{{"type":"user.logout","id":"e{n}","occurred_at":{at},"token":"{token}"}}"#)
    }
}

/// The deletion of the account of [`Spread::OneAccount`].
pub(super) fn deletion() -> anyhow::Result<SendMessage> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let account = account(0, Spread::OneAccount);
    Ok(SendMessage::new(format!(
        r#"{{"type":"account.deleted","id":"gone","occurred_at":{now},"account_list":[{{"account":"{account}"}}]}}"#
    )))
}

/// The checks of the devices of [`Spread::ManyDevices`], by messages.
pub(super) fn checks(devices: usize, a_message: usize) -> Vec<SendMessage> {
    let of = |devices: &[usize]| {
        let keys: Vec<_> = devices
            .iter()
            .map(|n| serde_json::json!({"app": super::stage::APP, "token": token(*n, Spread::ManyDevices)}))
            .collect();
        SendMessage::new(serde_json::json!({ "checks": keys }).to_string())
    };
    (0..devices).collect::<Vec<_>>().chunks(a_message).map(of).collect()
}

/// Has the length of TPNS's tokens.
pub(super) fn token(n: usize, spread: Spread) -> String {
    let device = if spread == Spread::OneDevice { 0 } else { n };
    format!("05da87c0ae5973bd2dfa9e08d884{device:08}")
}

pub(super) fn account(n: usize, spread: Spread) -> String {
    let account = if spread == Spread::ManyDevices { n } else { 0 };
    format!("1527{account:06}")
}

#[cfg(test)]
mod tests;
