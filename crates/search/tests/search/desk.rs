//! The table and TPNS as an invocation uses them: the traits that `apply` needs, with every atomic step open until the
//! search answers it.

mod push;

use std::{
    cell::{Ref, RefCell},
    collections::{BTreeMap, HashMap},
    future::poll_fn,
    task::Poll,
};

use futures_util::future::{join, join_all};
use tpns_account_sync::{
    event::{Account, Device, Version},
    ledger::{AccountKey, Confirmation, DeletionRow, DeviceState, Read, RowError, Rows, Unchecked},
    plan::Work,
    tpns::BoundAccount,
};

use crate::{
    checked::Form,
    events::{ACCOUNTS, Book, By, DEVICES, NOT_BOUND, device},
    steps::{Answer, Asked, Item, Key, NO_ROW, Op, RowId, Values},
};

/// The desk of one invocation.
pub(crate) struct Desk<'a> {
    book: &'a Book,
    values: &'a RefCell<Values>,
    /// The login among the invocation's own events that it pushes, for protocols that do not push rows.
    own: Option<By>,
    /// How checks are sent, if they are.
    form: Option<Form>,
    /// Whether the invocation handles a check.
    is_check: bool,
    /// Whether a check may confirm rows: they are old enough.
    may_confirm: bool,
    now: RefCell<Now>,
}

#[derive(Default)]
struct Now {
    times: HashMap<Op, u8>,
    /// Open steps, and answers that have not been fetched yet.
    open: BTreeMap<Asked, Option<Answer>>,
    /// The devices' rows as the invocation last saw them.
    seen: [RowId; DEVICES],
    /// The accounts whose deletion TPNS has accepted, as known to the invocation when it wrote its own deletion into
    /// the row.
    accepted: [bool; ACCOUNTS],
}

impl<'a> Desk<'a> {
    pub(crate) fn new(
        book: &'a Book,
        values: &'a RefCell<Values>,
        own: Option<By>,
        form: Option<Form>,
        is_check: bool,
        may_confirm: bool,
    ) -> Self {
        let now = Now { seen: [NO_ROW; DEVICES], ..Now::default() };
        Self { book, values, own, form, is_check, may_confirm, now: RefCell::new(now) }
    }

    /// The steps that wait for an answer, in an order that does not depend on which was first.
    pub(crate) fn open(&self) -> Vec<Asked> {
        self.now.borrow().open.keys().copied().collect()
    }

    pub(crate) fn answer(&self, asked: Asked, answer: Answer) {
        let mut now = self.now.borrow_mut();
        if let ((Op::RaiseDevice(device, _) | Op::ReadDevice(device), _), Answer::Device(row)) = (asked, answer) {
            now.seen[usize::from(device)] = row;
        }
        if let ((Op::RaiseDeletion(account, _), _), Answer::Deletion(row)) = (asked, answer) {
            now.accepted[usize::from(account)] = self.values().deletion(row).is_some_and(|row| row.accepted);
        }
        let entry = now.open.get_mut(&asked).expect("only an open step is answered");
        assert_eq!(entry.replace(answer), None, "answered twice");
    }

    async fn ask(&self, op: Op) -> Answer {
        let asked = {
            let mut now = self.now.borrow_mut();
            let times = now.times.entry(op).or_default();
            *times += 1;
            let asked = (op, *times);
            now.open.insert(asked, None);
            asked
        };
        poll_fn(|context| {
            let mut now = self.now.borrow_mut();
            let answer = now.open[&asked];
            let Some(answer) = answer else {
                // Nothing else wakes this task: it is polled again each time its parent is polled.
                context.waker().wake_by_ref();
                return Poll::Pending;
            };
            now.open.remove(&asked);
            Poll::Ready(answer)
        })
        .await
    }

    fn values(&self) -> Ref<'_, Values> {
        self.values.borrow()
    }

    fn account(&self, account: &Account) -> u8 {
        let index = (0..ACCOUNTS).find(|&index| self.book.tpns.account(index) == *account);
        u8::try_from(index.expect("an account of the search")).unwrap()
    }

    pub(crate) fn key_of(device: &Device) -> Key {
        Key::Device(index_of(|each| each == device))
    }

    pub(crate) fn key_of_account(&self, account: &Account) -> Key {
        Key::Account(self.account(account))
    }

    pub(crate) fn account_of(&self, index: u8) -> Account {
        self.book.tpns.account(index.into())
    }

    /// Sends a check. Returns whether its queue has it.
    pub(crate) async fn send(&self, key: Key) -> bool {
        self.ask(Op::Send(key)).await == Answer::Done
    }

    async fn is_accepted(&self, account: &Account) -> bool {
        match self.ask(Op::ReadDeletion(self.account(account))).await {
            Answer::Deletion(row) => self.values().deletion(row).is_some_and(|row| row.accepted),
            _ => false,
        }
    }

    fn bound_account(&self, index: usize) -> BoundAccount {
        let Account { account, account_type } = self.book.tpns.account(index);
        BoundAccount { account, account_type: Some(account_type) }
    }

    fn item(&self, work: &Work) -> Item {
        let bits = |accounts: &[Account]| accounts.iter().fold(0, |bits, each| bits | 1 << self.account(each));
        let device = |token: &_| index_of(|each| each.token == *token);
        match work {
            Work::Bind(token, accounts) => {
                let device = device(token);
                let by = self.own.unwrap_or_else(|| self.owner_seen(device));
                Item::Bind { device, accounts: bits(accounts), by }
            }
            Work::Unbind(token, accounts) => Item::Unbind { device: device(token), accounts: bits(accounts) },
            Work::UnbindAll(token) => Item::UnbindAll { device: device(token) },
            Work::UnbindEverywhere(account) => {
                let account = self.account(account);
                let is_accepted = self.now.borrow().accepted[usize::from(account)];
                assert!(
                    !is_accepted,
                    "a second operator_type 5, although the row says that TPNS has accepted the first"
                );
                Item::UnbindEverywhere { account }
            }
        }
    }

    fn owner_seen(&self, device: u8) -> By {
        let row = self.now.borrow().seen[usize::from(device)];
        let values = self.values();
        values.device(row).owner().map_or(NOT_BOUND, |owner| self.book.event_at(&owner.version) + 1)
    }
}

fn index_of(is: impl Fn(&Device) -> bool) -> u8 {
    let index = (0..DEVICES).find(|&index| is(&device(index)));
    u8::try_from(index.expect("a device of the search")).unwrap()
}

impl Rows for &Desk<'_> {
    async fn raise_device(&self, device: &Device, change: &DeviceState) -> Result<DeviceState, RowError> {
        let change = self.values.borrow_mut().device_id(change.clone());
        match self.ask(Op::RaiseDevice(index_of(|each| each == device), change)).await {
            Answer::Device(row) => Ok(self.values().device(row).clone()),
            _ => Err(RowError::Unreachable),
        }
    }

    async fn raise_deletion(&self, key: &AccountKey, version: &Version) -> Result<DeletionRow, RowError> {
        match self.ask(Op::RaiseDeletion(self.account(&key.account), self.book.event_at(version))).await {
            Answer::Deletion(row) => Ok(self.values().deletion(row).unwrap().clone()),
            _ => Err(RowError::Unreachable),
        }
    }

    async fn accept_deletion(&self, key: &AccountKey, version: &Version) -> Result<(), RowError> {
        match self.ask(Op::Accept(self.account(&key.account), self.book.event_at(version))).await {
            Answer::Done => Ok(()),
            _ => Err(RowError::Unreachable),
        }
    }

    async fn confirm(&self, seen: &Confirmation) -> Result<(), RowError> {
        let Confirmation { device, owner, without, .. } = seen;
        let device = index_of(|each| each == device);
        let seen = self.now.borrow().seen[usize::from(device)];
        let mut row = self.values().device(seen).clone();
        row.forget(without);
        owner.iter().for_each(|owner| row.confirm(owner.clone()));
        let confirmed = self.values.borrow_mut().device_id(row);
        match self.ask(Op::Confirm(device, seen, confirmed)).await {
            Answer::Done => Ok(()),
            _ => Err(RowError::Unreachable),
        }
    }

    fn are_checked(&self) -> bool {
        self.form.is_some_and(|form| form.sends_first)
    }

    async fn send_checks(&self, devices: &[Device], accounts: &[AccountKey]) -> Unchecked {
        let form = self.form.expect("only a protocol with checks sends some");
        let devices = devices.iter().map(async |device| (device, self.send(Desk::key_of(device)).await));
        let accounts = accounts.iter().filter(|_| form.checks_accounts).map(async |key| {
            let is_omitted = !form.checks_accepted && self.is_accepted(&key.account).await;
            (key, is_omitted || self.send(self.key_of_account(&key.account)).await)
        });
        let (devices, accounts) = join(join_all(devices), join_all(accounts)).await;
        Unchecked {
            devices: devices.into_iter().filter(|(_, sent)| !sent).map(|(device, _)| device.clone()).collect(),
            deletions: accounts.into_iter().filter(|(_, sent)| !sent).map(|(key, _)| key.clone()).collect(),
        }
    }

    /// One step per row: BatchGetItem is no snapshot.
    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read {
        let devices = devices.iter().map(async |device| {
            let row = match self.ask(Op::ReadDevice(index_of(|each| each == device))).await {
                Answer::Device(row) => Ok(self.values().device(row).clone()),
                _ => Err(RowError::Unreachable),
            };
            (device.clone(), row)
        });
        let is_hidden = self.form.is_some_and(|form| !form.knows_deletions);
        let deletions = accounts.iter().map(async |key| {
            if is_hidden {
                return (key.clone(), Ok(None));
            }
            let row = match self.ask(Op::ReadDeletion(self.account(&key.account))).await {
                Answer::Deletion(row) => Ok(self.values().deletion(row).cloned()),
                // Rows have no times here: that it is there says that the row is young.
                Answer::Young(row) => {
                    let row = self.values().deletion(row).cloned();
                    Ok(row.map(|row| DeletionRow { changed: Some(0), ..row }))
                }
                _ => Err(RowError::Unreachable),
            };
            (key.clone(), row)
        });
        let (devices, deletions) = join(join_all(devices), join_all(deletions)).await;
        // Rows have no times here: whether they are old enough was decided when the check was delivered.
        let changed = devices.iter().filter(|_| self.may_confirm).map(|(device, _)| (device.clone(), 0)).collect();
        Read { changed, devices: devices.into_iter().collect(), deletions: deletions.into_iter().collect() }
    }
}
