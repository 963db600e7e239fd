//! Calls that TPNS has received and not applied yet, in any order and each as often as it was received.

use crate::steps::Item;

/// The maximum number of calls under way at a time. More fail the search instead of being omitted from it.
const CALLS: usize = 8;

/// When TPNS applies what it has received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Landing {
    /// At once, whether its answer arrives or not.
    #[default]
    AtOnce,
    /// At once, but a call whose answer did not arrive may still be under way: it is applied at any later time.
    LateUnanswered,
    /// Each call at any later time, so in any order: TPNS's API is asynchronous.
    Late,
    /// The same, but before the next invocation begins: only the calls of one invocation swap.
    LateInOne,
}

impl Landing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "",
            Self::LateUnanswered => ", unanswered calls land late",
            Self::Late => ", calls land late",
            Self::LateInOne => ", calls of one invocation swap",
        }
    }
}

/// An item under way, and the checks that wait for it, as bits.
type Call = (Item, u8);

/// The items under way, in a fixed order, so that states that differ in nothing else are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls([Option<Call>; CALLS]);

impl Calls {
    pub(crate) fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    pub(crate) fn add(&mut self, item: Item, marks: u8) {
        let free = self.0.iter_mut().find(|place| place.is_none());
        *free.unwrap_or_else(|| panic!("more than {CALLS} calls under way")) = Some((item, marks));
        self.sort();
    }

    fn sort(&mut self) {
        // Without the empty places, which are at the end.
        let used = self.iter().count();
        self.0[..used].sort_unstable();
    }

    pub(crate) fn change_marks(&mut self, change: impl Fn(u8) -> u8) {
        self.0.iter_mut().flatten().for_each(|(_, marks)| *marks = change(*marks));
        self.sort();
    }

    pub(crate) fn mark(&mut self, mark: u8) {
        self.change_marks(|marks| marks | mark);
    }

    pub(crate) fn clear(&mut self, mark: u8) {
        self.change_marks(|marks| marks & !mark);
    }

    /// The marks of all calls.
    pub(crate) fn marks(&self) -> u8 {
        self.iter().fold(0, |all, (_, marks)| all | marks)
    }

    /// The items with this mark.
    pub(crate) fn marked(&self, mark: u8) -> impl Iterator<Item = Item> {
        self.iter().filter(move |(_, marks)| marks & mark != 0).map(|(item, _)| item)
    }

    pub(crate) fn remove(&mut self, index: usize) -> Item {
        let (item, _) = self.0[index].take().expect("a call under way");
        self.0[index..].rotate_left(1);
        item
    }

    pub(crate) fn at(&self, index: usize) -> Item {
        self.0[index].expect("a call under way").0
    }

    fn iter(&self) -> impl Iterator<Item = Call> {
        self.0.iter().map_while(|call| *call)
    }

    /// One of each kind: equal calls are interchangeable.
    pub(crate) fn different(&self) -> impl Iterator<Item = usize> {
        let is_first = |&index: &usize| index == 0 || self.0[index] != self.0[index - 1];
        (0..CALLS).take_while(|&index| self.0[index].is_some()).filter(is_first)
    }

    /// As few words as there are calls, for a hash.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        self.iter().map(|(item, marks)| match item {
            Item::Bind { device, accounts, by } => u64::from_le_bytes([1, device, accounts, by, marks, 0, 0, 0]),
            Item::Unbind { device, accounts } => u64::from_le_bytes([2, device, accounts, 0, marks, 0, 0, 0]),
            Item::UnbindAll { device } => u64::from_le_bytes([3, device, 0, 0, marks, 0, 0, 0]),
            Item::UnbindEverywhere { account } => u64::from_le_bytes([4, 0, account, 0, marks, 0, 0, 0]),
        })
    }
}
