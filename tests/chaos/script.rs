//! The events of a run, in version order, and the TPNS that receives them.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fastrand::Rng;
use serde_json::json;
use tpns_sim::{
    Sim, SimBuilder,
    model::{Account, OverrideMode, Settings, TokenCap},
};

use crate::{
    contract_event::{Change, ContractEvent, sns},
    records::APPS,
    secrets::{account, token},
    stage::SECRETS,
};

/// One event, as its producer sends it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its time.
    pub(crate) at: i64,
    pub(crate) id: String,
    /// `None` means every app, for deletions.
    pub(crate) app: Option<&'static str>,
    pub(crate) change: Change,
    pub(crate) body: String,
    /// The FIFO message group.
    pub(crate) group: String,
    /// The accounts whose deletions may not be overtaken (see [`crate::producer`]).
    pub(crate) shared: Vec<Account>,
    pub(crate) end: End,
}

impl Event {
    pub(crate) fn apps(&self) -> impl Iterator<Item = &'static str> {
        APPS.into_iter().filter(|app| self.app.is_none_or(|own| own == *app))
    }
}

/// How an event may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Applied, or superseded by a newer one.
    InEffect,
    /// TPNS never accepts its token, or the deletion of its account: a dead letter, unless a newer event of the device
    /// supersedes it in its batch.
    Refused,
    /// A gateway answers every call that contains its token or account with a bare status. It is a dead letter as well,
    /// but need not be reported as rejected: if no other call of its app is accepted at the same time, the app may be
    /// at fault.
    Blocked,
    /// TPNS would refuse its account if it were sent: a dead letter, unless a login in its batch makes sending
    /// unnecessary.
    Moot,
    /// It can't be read: a dead letter.
    Unreadable,
}

/// A device and what its producer knows about it.
struct Device {
    app: &'static str,
    token: String,
    /// The account types of its logins. Always the same where TPNS overrides per type: the promise then
    /// (docs/guarantees.md) holds only for producers that always use the same types.
    types: Vec<u32>,
    /// Accounts that are used on this device only.
    own: Vec<Account>,
    last_login: Vec<Account>,
    end: End,
}

/// The settings of TPNS, and the tokens and accounts that it does not accept.
pub(crate) struct World {
    pub(crate) settings: Settings,
    /// Any call that contains it is rejected as a whole.
    pub(crate) poison_token: String,
    /// Any call that contains it is answered with a `result` of another length.
    pub(crate) garbled_token: String,
    /// Any deletion of it is rejected as a whole.
    pub(crate) poison_account: String,
    /// Any call that contains it is answered with a bare status.
    pub(crate) blocked_token: String,
    /// Any deletion of it is answered with a bare status.
    pub(crate) blocked_account: String,
}

impl World {
    /// This world's TPNS, with the two apps.
    pub(crate) fn tpns(&self) -> SimBuilder {
        let sim = Sim::builder().settings(self.settings.clone());
        sim.app("android", 1_500_001_048_u64, SECRETS[0]).app("ios", 1_600_001_048_u64, SECRETS[1])
    }
}

pub(crate) struct Script {
    pub(crate) world: World,
    pub(crate) events: Vec<Event>,
}

const TYPES: [u32; 3] = [0, 1005, 3];

/// Writes a script. The same seed writes the same script, except for the date.
pub(crate) fn write(seed: u64, count: usize, mode: OverrideMode) -> Script {
    write_of(seed, count, mode, 14)
}

/// The same with this number of devices that TPNS accepts.
pub(crate) fn write_of(seed: u64, count: usize, mode: OverrideMode, accepted: usize) -> Script {
    let mut rng = Rng::with_seed(seed);
    let mut devices = devices(&mut rng, mode, accepted);
    let known = devices.iter().map(|device| device.token.clone()).filter(|token| !token.contains("stranger")).collect();
    let world = World {
        settings: Settings {
            override_mode: mode,
            // A cap would make bindings depend on the order in which accounts of different devices were bound.
            token_cap: TokenCap::Off,
            min_account_length: 2,
            known_tokens: Some(Arc::new(HashSet::from_iter::<Vec<String>>(known))),
            ..Settings::default()
        },
        poison_token: token("poison"),
        garbled_token: token("garbled"),
        poison_account: account("poison"),
        blocked_token: token("blocked"),
        blocked_account: account("blocked"),
    };
    let mut now =
        i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap() - 86_400_000;
    let mut events: Vec<_> = (0..count)
        .map(|n| {
            // With ties, so that rank and id matter.
            now += i64::from(rng.u8(0..4));
            event(&mut rng, n, now, &mut devices, mode, &world)
        })
        .collect();
    events.sort_by(|a, b| (a.at, rank(&a.change), &a.id).cmp(&(b.at, rank(&b.change), &b.id)));
    Script { world, events }
}

fn rank(change: &Change) -> u8 {
    match change {
        Change::Login(..) => 0,
        Change::Logout(..) | Change::LogoutAll(_) => 1,
        Change::Deletion(_) => 2,
    }
}

const REFUSED: [&str; 4] = ["stranger", "poison", "garbled", "blocked"];

fn devices(rng: &mut Rng, mode: OverrideMode, accepted: usize) -> Vec<Device> {
    let names = (0..accepted).map(|n| format!("{n}")).chain(REFUSED.map(str::to_owned));
    let device = |name: String| {
        let mut types = TYPES.to_vec();
        rng.shuffle(&mut types);
        types.truncate(rng.usize(1..=2));
        let own = TYPES.map(|kind| Account::new(account(&format!("own{name}")), kind)).to_vec();
        let own = if mode == OverrideMode::Replace {
            own
        } else {
            own.into_iter().filter(|own| types.contains(&own.account_type)).collect()
        };
        let app = if rng.bool() { "android" } else { "ios" };
        let end = match name.as_str() {
            "blocked" => End::Blocked,
            _ if name.parse::<u32>().is_ok() => End::InEffect,
            _ => End::Refused,
        };
        Device { app, token: token(&name), types, own, last_login: Vec::new(), end }
    };
    names.map(device).collect()
}

fn event(rng: &mut Rng, n: usize, at: i64, devices: &mut [Device], mode: OverrideMode, world: &World) -> Event {
    let accepted = devices.len() - REFUSED.len();
    let pick = if rng.u8(0..20) == 0 { rng.usize(accepted..devices.len()) } else { rng.usize(0..accepted) };
    let device = &mut devices[pick];
    let mut app = Some(device.app);
    let mut group = device.token.clone();
    let mut end = device.end;
    let change = match rng.u8(0..100) {
        0..50 => {
            // As with an app that reports each start.
            let repeats = !device.last_login.is_empty() && rng.u8(0..5) < 2;
            let list = if repeats { device.last_login.clone() } else { accounts_of_login(rng, device, mode) };
            device.last_login.clone_from(&list);
            Change::Login(device.token.clone(), list)
        }
        50..68 => Change::Logout(device.token.clone(), accounts_of_logout(rng, device)),
        68..72 => {
            // Too short for this TPNS, if it is ever sent.
            end = if end == End::InEffect { End::Moot } else { end };
            Change::Logout(device.token.clone(), vec![Account::new("é", 0)])
        }
        72..86 => Change::LogoutAll(device.token.clone()),
        86..94 if device.end == End::InEffect => {
            // An account of this device only: its group keeps the deletion in order among the other events, so that a
            // batch can contain older and newer logins.
            app = app.filter(|_| rng.bool());
            Change::Deletion(vec![rng.choice(&device.own).unwrap().clone()])
        }
        _ => {
            app = app.filter(|_| rng.bool());
            group = format!("deletion-{n}");
            let any = |rng: &mut Rng| Account::new(shared_name(rng), *rng.choice(&TYPES).unwrap());
            let (list, ending) = match rng.u8(0..12) {
                0 => (vec![Account::new(world.poison_account.clone(), 0)], End::Refused),
                1 => (vec![Account::new(world.blocked_account.clone(), 0)], End::Blocked),
                _ => ((0..rng.usize(1..=3)).map(|_| any(rng)).collect(), End::InEffect),
            };
            end = ending;
            Change::Deletion(list)
        }
    };
    let id = id(rng);
    let mut body = body(rng, &id, at, app, &change);
    if rng.u8(0..50) == 0 {
        end = End::Unreadable;
        body.truncate(body.floor_char_boundary(body.len() / 2));
        // Sometimes in a group of its own, so that it does not always block other events.
        if rng.bool() {
            group = format!("noise-{n}");
        }
    }
    let is_shared =
        |account: &&Account| [".shared", ".poison", ".blocked"].into_iter().any(|kind| account.account.contains(kind));
    let shared = change.accounts().iter().filter(is_shared).cloned().collect();
    Event { at, id, app, change, body, group, shared, end }
}

fn shared_name(rng: &mut Rng) -> String {
    account(&format!("shared{}", rng.u8(0..8)))
}

/// An id of random form: the ledger keeps such a one as it is, and it decides between two events of one time.
fn id(rng: &mut Rng) -> String {
    loop {
        let hex = format!("{:032x}", rng.u128(..));
        let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        if contract::opaque::is_opaque(&id) {
            return id;
        }
    }
}

fn accounts_of_login(rng: &mut Rng, device: &Device, mode: OverrideMode) -> Vec<Account> {
    let mut types = if mode == OverrideMode::Replace { TYPES.to_vec() } else { device.types.clone() };
    rng.shuffle(&mut types);
    if mode == OverrideMode::Replace {
        types.truncate(rng.usize(1..=3));
    }
    // Of two accounts of one type the later one counts.
    if rng.u8(0..8) == 0 {
        types.push(types[0]);
    }
    let one = |kind: u32| {
        let own = device.own.iter().find(|own| own.account_type == kind).filter(|_| rng.bool());
        own.cloned().unwrap_or_else(|| Account::new(shared_name(rng), kind))
    };
    types.into_iter().map(one).collect()
}

/// Mostly accounts that are signed in, since for others there is nothing to do.
fn accounts_of_logout(rng: &mut Rng, device: &Device) -> Vec<Account> {
    let mut list: Vec<_> = device.last_login.iter().filter(|_| rng.bool()).cloned().collect();
    if list.is_empty() || rng.u8(0..4) == 0 {
        list.push(Account::new(shared_name(rng), *rng.choice(&device.types).unwrap()));
    }
    list
}

fn body(rng: &mut Rng, id: &str, at: i64, app: Option<&str>, change: &Change) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap());
    // EventBridge truncates its time to whole seconds.
    let second = humantime::format_rfc3339_seconds(time).to_string();
    let event = ContractEvent { id, occurred_at: &second, app, change };
    let mut bare = event.bare();
    bare["occurred_at"] = json!(at);
    let mut bridge = event.bridge();
    bridge["detail"]["occurred_at"] = json!(at);
    let notification = |message| {
        let mut notification = sns(message);
        notification["Timestamp"] = json!(humantime::format_rfc3339_millis(time).to_string());
        notification
    };
    match rng.u8(0..4) {
        0 => bare,
        1 => bridge,
        2 => notification(&bare),
        _ => notification(&bridge),
    }
    .to_string()
}

#[test]
fn a_seed_always_writes_the_same_script_and_another_seed_a_different_one() {
    let ids =
        |seed| write(seed, 50, OverrideMode::Replace).events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1), ids(2));
}
