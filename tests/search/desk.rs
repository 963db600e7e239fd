//! Where an invocation asks for its steps: the traits by which `apply` knows the world, with every atomic step open until
//! somebody answers it.

use std::{
    cell::{Ref, RefCell},
    collections::{BTreeMap, HashMap},
    future::poll_fn,
    task::Poll,
};

use futures_util::future::{join, join_all};
use tpns_account_sync::{
    apply::Push,
    config::AppId,
    event::{Account, Device, Version},
    ledger::{AccountKey, DeletionRow, DeviceState, Read, RowError, Rows},
    outcome::{Failure, Reason},
    plan::{Gate, ItemIndex, Plan, Work},
    tpns::{Deadline, Verdict, Verdicts},
};

use crate::{
    events::{ACCOUNTS, Book, By, DEVICES, NOT_BOUND, device},
    steps::{Answer, Asked, Item, NO_ROW, Op, RowId, Values},
};

/// The desk of one invocation.
pub(crate) struct Desk<'a> {
    book: &'a Book,
    values: &'a RefCell<Values>,
    /// The login among the invocation's own events that it pushes, where what it pushes is not a row.
    own: Option<By>,
    now: RefCell<Now>,
}

#[derive(Default)]
struct Now {
    times: HashMap<Op, u8>,
    /// Steps that nobody has answered, and answers that nobody has fetched.
    open: BTreeMap<Asked, Option<Answer>>,
    /// The devices' rows as the invocation last saw them.
    seen: [RowId; DEVICES],
    /// The accounts whose deletion TPNS has accepted, as the invocation was told when it wrote its own into the row.
    accepted: [bool; ACCOUNTS],
}

impl<'a> Desk<'a> {
    pub(crate) fn new(book: &'a Book, values: &'a RefCell<Values>, own: Option<By>) -> Self {
        let now = Now { seen: [NO_ROW; DEVICES], ..Now::default() };
        Self { book, values, own, now: RefCell::new(now) }
    }

    /// The steps that wait for an answer, in an order that does not depend on who came first.
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
        let place = now.open.get_mut(&asked).expect("only an open step is answered");
        assert_eq!(place.replace(answer), None, "answered twice");
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
                // Whoever polls this looks again each time it is polled itself: nobody else wakes it.
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
        u8::try_from(index.expect("an account the search made")).unwrap()
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
                let is_known = self.now.borrow().accepted[usize::from(account)];
                assert!(!is_known, "a second operator_type 5, though the row says that TPNS has accepted the first");
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
    u8::try_from(index.expect("a device the search made")).unwrap()
}

impl Rows for &Desk<'_> {
    async fn raise_device(&self, device: &Device, said: &DeviceState) -> Result<DeviceState, RowError> {
        let said = self.values.borrow_mut().device_id(said.clone());
        match self.ask(Op::RaiseDevice(index_of(|each| each == device), said)).await {
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

    /// A step a row: BatchGetItem is no snapshot.
    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read {
        let devices = devices.iter().map(async |device| {
            let row = match self.ask(Op::ReadDevice(index_of(|each| each == device))).await {
                Answer::Device(row) => Ok(self.values().device(row).clone()),
                _ => Err(RowError::Unreachable),
            };
            (device.clone(), row)
        });
        let deletions = accounts.iter().map(async |key| {
            let row = match self.ask(Op::ReadDeletion(self.account(&key.account))).await {
                Answer::Deletion(row) => Ok(self.values().deletion(row).cloned()),
                _ => Err(RowError::Unreachable),
            };
            (key.clone(), row)
        });
        let (devices, deletions) = join(join_all(devices), join_all(deletions)).await;
        Read { devices: devices.into_iter().collect(), deletions: deletions.into_iter().collect() }
    }
}

/// As `tpns::push` does it: all items go side by side, but one with a gate waits until it is known whether that is open, and
/// is not sent if it is shut. A failure here is that of the last try in the invocation: what an earlier try did, a later
/// one does again.
impl Push for Desk<'_> {
    async fn push(&self, plan: &Plan, verdicts: &Verdicts, _: Option<Deadline>) {
        const FAILED: Verdict = Verdict::Retry(Failure::of(Reason::TpnsTimeout), None);
        join_all(plan.items.iter().enumerate().map(async |(index, item)| {
            let index = ItemIndex(index);
            for gate in &item.after {
                let (Gate::Cleared(first) | Gate::Deleted(first) | Gate::Tried(first)) = *gate;
                let is_open = poll_fn(|context| match verdicts.get(first) {
                    Some(verdict) => Poll::Ready(verdict == Verdict::Accepted),
                    None => {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                });
                if !is_open.await {
                    return verdicts.set(index, FAILED);
                }
            }
            let answer = self.ask(Op::Item(self.item(&item.work))).await;
            verdicts.set(index, if answer == Answer::Done { Verdict::Accepted } else { FAILED });
        }))
        .await;
    }

    /// Whatever hangs is answered in the end, or its worker has died.
    async fn quiet(&self, _: &Verdicts) {
        std::future::pending().await
    }

    fn end(&self, _: AppId) {}
}
