//! query -> look -> compare -> push, for the devices and deleted accounts of some checks.
//!
//! TPNS is asked before the rows are read: if an event slips in between, the newer state is pushed, which is harmless.
//! What was pushed is not looked at again here. A check is completed only when TPNS is seen to agree, so one that has
//! pushed something is redelivered.

use std::collections::{HashMap, HashSet};

use contract::check::CheckKey;
use futures_util::future::join;
use indexmap::IndexSet;

use super::compare;
use crate::{
    apply::Push,
    apps::AppId,
    config::UnknownBindings,
    event::{Account, Device, Millis},
    ledger::{AccountKey, CONFIRMED_FOR, Confirmation, DeviceState, KnownState, Ledger, Owner, Rows},
    outcome::Outcome,
    plan::{Item, ItemIndex, Plan, Verdict, Work, desired},
    tpns::{BoundAccount, Deadline, Verdicts},
};

/// If more than half of at least this number of devices of an app have strange accounts at a second look, TPNS writes
/// accounts in another way than the events do, and repairing would never end. Devices that have too few accounts, or those
/// of an earlier login, show nothing of the kind: an outage leaves many of them.
const ENOUGH_TO_JUDGE: usize = 20;

/// A key to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is to be checked.
    pub key: CheckKey,
    /// Whether it was checked before, in an earlier delivery of its message.
    pub again: bool,
}

/// What was found of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether TPNS has what it should.
    pub agreement: Agreement,
    /// When the device's row last changed, in milliseconds since 1970, where that is known.
    pub changed: Option<Millis>,
    /// When the row of a deletion last changed, in milliseconds since 1970, that is older than the device's login and names
    /// one of its accounts: its operator_type 5 may be under way for some time, and unbinds the account all the same.
    pub deleted: Option<Millis>,
    /// Bindings that nothing known of the device names.
    pub unknown: usize,
}

/// Whether TPNS has what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It has.
    Agrees,
    /// It has not, and TPNS has accepted a repair.
    Repaired(Drift),
    /// It has not, and TPNS rejects the repair: a login with an account that it does not take, for example.
    Refused(Drift),
    /// It has not, and nothing was sent, since TPNS writes the app's accounts in another way.
    Left(Drift),
    /// It could not be found out or not be repaired. The outcome is one that is redelivered.
    Failed(Outcome),
}

/// How TPNS differs. Both may be the case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Someone is bound who is out.
    pub shown: bool,
    /// Someone is not bound who is in.
    pub missing: bool,
}

/// What was found of some keys, in their order.
#[derive(Debug, Default)]
pub struct Findings {
    /// One for each key.
    pub each: Vec<Finding>,
    /// Apps whose accounts TPNS writes in another way.
    pub foreign: HashSet<AppId>,
    /// What their rows may record of devices that agree, each once.
    pub confirmations: Vec<Confirmation>,
}

/// Checks these keys, and repairs what differs.
pub async fn check<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    keys: &[Asked],
    unknown: UnknownBindings,
    deadline: Option<Deadline>,
) -> Findings {
    let (mut devices, mut accounts) = (IndexSet::new(), IndexSet::new());
    for Asked { key, .. } in keys {
        match key.clone() {
            CheckKey::Device { app, token } => _ = devices.insert(Device { app, token }),
            CheckKey::Account { app, account } => _ = accounts.insert(AccountKey { app, account }),
        }
    }
    let (asked, accounts): (Vec<_>, Vec<_>) = (devices.iter().cloned().collect(), accounts.into_iter().collect());
    let (bound, holders) = join(tpns.accounts_of(&asked, deadline), tpns.devices_of(&accounts, deadline)).await;
    devices.extend(holders.values().flatten().flatten().cloned());
    let (known, changed) = ledger.look(&devices.into_iter().collect::<Vec<_>>(), &accounts).await;
    let scene = Scene { bound, holders, known, changed, unknown };
    let mut looks: Vec<Look> = keys.iter().map(|asked| scene.look(&asked.key)).collect();
    let foreign = foreign(keys, &looks);
    let mut items = Vec::new();
    for (Asked { key, .. }, look) in keys.iter().zip(&mut looks) {
        if let Ok(look) = &mut look.0
            && !foreign.contains(key.app())
        {
            look.items = look.repair.drain(..).map(|item| place(&mut items, item)).collect();
        }
    }
    let plan = Plan::of_items(items);
    let verdicts = Verdicts::new(plan.items.len());
    if !plan.items.is_empty() {
        tpns.push(&plan, &verdicts, deadline).await;
    }
    let verdicts = verdicts.all();
    let mut findings = Findings { foreign, ..Findings::default() };
    for look in looks {
        if let Ok(Seen { confirmation: Some(confirmation), .. }) = &look.0
            && !findings.confirmations.contains(confirmation)
        {
            findings.confirmations.push(confirmation.clone());
        }
        findings.each.push(look.finding(&verdicts));
    }
    findings
}

/// The item's place among these; the same key may be asked twice.
fn place(items: &mut Vec<Item>, item: Item) -> ItemIndex {
    let place = items.iter().position(|other| *other == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    });
    ItemIndex(place)
}

/// What TPNS and the rows say.
struct Scene {
    bound: HashMap<Device, Result<Vec<BoundAccount>, Verdict>>,
    holders: HashMap<AccountKey, Result<Vec<Device>, Verdict>>,
    known: KnownState,
    changed: HashMap<Device, Millis>,
    unknown: UnknownBindings,
}

/// What a look at a key showed, or the outcome of a look in vain.
struct Look(Result<Seen, Outcome>);

#[derive(Default)]
struct Seen {
    drift: Drift,
    is_strange: bool,
    repair: Vec<Item>,
    /// Where the repair is among the items that are sent.
    items: Vec<ItemIndex>,
    changed: Option<Millis>,
    deleted: Option<Millis>,
    unknown: usize,
    confirmation: Option<Confirmation>,
}

impl Scene {
    fn look(&self, key: &CheckKey) -> Look {
        Look(match key.clone() {
            CheckKey::Device { app, token } => self.look_at_device(&Device { app, token }),
            CheckKey::Account { app, account } => self.look_at_account(&AccountKey { app, account }),
        })
    }

    fn look_at_device(&self, device: &Device) -> Result<Seen, Outcome> {
        let bound = answer(self.bound.get(device))?;
        let Some(row) = self.known.state.devices.get(device) else { return Err(self.failed_row(device)) };
        let mut comparison = compare(device, row, &self.known.state, bound);
        let unknown = comparison.unknown.len();
        if self.unknown == UnknownBindings::Remove {
            comparison.remove_unknown();
        }
        let changed = self.changed.get(device).copied();
        let confirmation = comparison.agrees().then(|| self.confirmation(device, changed, unknown == 0)).flatten();
        let drift = Drift { shown: comparison.is_shown(), missing: comparison.missing.is_some() };
        let (repair, is_strange) = (comparison.repair(device), comparison.is_strange);
        let deleted = self.deleted(device, row);
        Ok(Seen { drift, is_strange, repair, items: Vec::new(), changed, deleted, unknown, confirmation })
    }

    /// When a deletion of an account that the device is to have was last delivered.
    fn deleted(&self, device: &Device, row: &DeviceState) -> Option<Millis> {
        let state = &self.known.state;
        let owner = row.owner().filter(|_| !state.deleted.is_empty())?;
        let desired = desired(device.app, row, owner, state).into_iter();
        let deletions = desired.filter_map(|account| state.deleted.get(&AccountKey { app: device.app, account }));
        deletions.filter_map(|deletion| deletion.changed).max()
    }

    /// A deleted account may be bound again by a newer login. Every other device loses it.
    fn look_at_account(&self, key: &AccountKey) -> Result<Seen, Outcome> {
        let holders = answer(self.holders.get(key))?;
        if let Some(&row_error) = self.known.failed.deletion(key) {
            return Err(Outcome::Retry(row_error.into()));
        }
        let mut seen = Seen::default();
        // The row of a deletion may have expired.
        if !self.known.state.deleted.contains_key(key) {
            return Ok(seen);
        }
        for device in holders {
            let Some(row) = self.known.state.devices.get(device) else { return Err(self.failed_row(device)) };
            let wanted = row.owner().map(|owner| desired(device.app, row, owner, &self.known.state));
            if !wanted.is_some_and(|wanted| wanted.contains(&key.account)) {
                let work = Work::Unbind(device.token.clone(), vec![key.account.clone()]);
                seen.repair.push(Item { app: device.app, work, after: Vec::new(), alone: None });
                seen.drift.shown = true;
            }
        }
        Ok(seen)
    }

    fn failed_row(&self, device: &Device) -> Outcome {
        let row_error = self.known.failed.device(device).copied();
        row_error.map_or(Outcome::UNTOUCHED, |row_error| Outcome::Retry(row_error.into()))
    }

    /// What the row of a device that agrees may record: that its owner is confirmed, and which accounts of earlier owners
    /// TPNS is without. If the owner can't be confirmed, only accounts under types that it does not name: each push of
    /// the device unbinds them.
    fn confirmation(&self, device: &Device, changed: Option<Millis>, all_is_known: bool) -> Option<Confirmation> {
        let row = self.known.state.devices.get(device)?;
        let owner = row.owner()?;
        let desired = desired(device.app, row, owner, &self.known.state);
        if desired.is_empty() {
            return None;
        }
        let is_confirmable =
            all_is_known && row.unbound().is_empty() && !self.known.state.knows_a_deletion(device, owner);
        let is_named = |account: &&Account| desired.iter().any(|other| other.account_type == account.account_type);
        let without = row.may_have().iter().filter(|account| is_confirmable || !is_named(account));
        let without: Vec<_> = without.cloned().collect();
        let owner = (is_confirmable && is_worth_confirming(row, owner)).then(|| owner.version.clone());
        let is_new = owner.is_some() || !without.is_empty();
        is_new.then_some(Confirmation { device: device.clone(), changed: changed?, owner, without })
    }
}

/// Whether the owner has no confirmation, or one that is about to be too old: repeated logins cost no write.
fn is_worth_confirming(row: &DeviceState, owner: &Owner) -> bool {
    row.confirmed().is_none_or(|confirmed| owner.version.at.saturating_sub(confirmed.at) > CONFIRMED_FOR / 2)
}

fn answer<T>(answer: Option<&Result<Vec<T>, Verdict>>) -> Result<&[T], Outcome> {
    match answer {
        Some(Ok(found)) => Ok(found),
        None | Some(Err(Verdict::Accepted)) => Err(Outcome::UNTOUCHED),
        Some(Err(Verdict::Misconfigured(failure))) => Err(Outcome::Misconfigured(failure.clone())),
        Some(Err(Verdict::Retry(failure, _) | Verdict::Rejected(failure))) => Err(Outcome::Retry(failure.clone())),
    }
}

fn foreign(keys: &[Asked], looks: &[Look]) -> HashSet<AppId> {
    let mut apps: HashMap<AppId, (usize, usize)> = HashMap::new();
    // Each device once, however many checks name it.
    let mut devices = HashSet::new();
    for (Asked { key, again }, look) in keys.iter().zip(looks) {
        if let (true, CheckKey::Device { app, .. }, Ok(seen)) = (again, key, &look.0)
            && devices.insert(key)
        {
            let (all, strange) = apps.entry(*app).or_default();
            *all += 1;
            *strange += usize::from(seen.is_strange);
        }
    }
    let is_foreign = |&(all, strange): &(usize, usize)| all >= ENOUGH_TO_JUDGE && 2 * strange > all;
    apps.into_iter().filter(|(_, counts)| is_foreign(counts)).map(|(app, _)| app).collect()
}

impl Look {
    fn finding(self, verdicts: &[Verdict]) -> Finding {
        let seen = match self.0 {
            Ok(seen) => seen,
            Err(outcome) => {
                let agreement = Agreement::Failed(outcome);
                return Finding { agreement, changed: None, deleted: None, unknown: 0 };
            }
        };
        let Seen { drift, items, changed, deleted, unknown, .. } = seen;
        let agreement = if drift == Drift::default() {
            Agreement::Agrees
        } else if items.is_empty() {
            Agreement::Left(drift)
        } else {
            of_repair(drift, items.iter().filter_map(|item| verdicts.get(item.0)))
        };
        Finding { agreement, changed, deleted, unknown }
    }
}

fn of_repair<'v>(drift: Drift, verdicts: impl Iterator<Item = &'v Verdict>) -> Agreement {
    let mut agreement = Agreement::Refused(drift);
    for verdict in verdicts {
        match verdict {
            Verdict::Retry(failure, _) => return Agreement::Failed(Outcome::Retry(failure.clone())),
            Verdict::Misconfigured(failure) => return Agreement::Failed(Outcome::Misconfigured(failure.clone())),
            Verdict::Accepted => agreement = Agreement::Repaired(drift),
            Verdict::Rejected(_) => {}
        }
    }
    agreement
}
