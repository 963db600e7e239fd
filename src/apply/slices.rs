//! A large part of a batch, cut so that each slice can be merged, pushed and verified before the next one is begun.
//! Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use super::parts::Part;
use crate::{
    event::{Account, Change, Device, Event, EventIndex},
    ingress::MessageIndex,
    ledger::{AccountKey, KnownState},
    plan::{ItemIndex, Share, plan},
    redelivery::Redelivered,
    tpns::{ITEMS_PER_CALL, OperatorType},
};

/// Rows of the ledger in a slice: a device has one, a deleted account has one.
pub(super) const MOST_ROWS: usize = 400;

/// Events that must be settled together, by their places: those of one device; a deletion and the logins of its
/// accounts.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) places: Vec<EventIndex>,
    pub(super) rows: usize,
    kind: GroupKind,
}

/// Which groups come first if there is no time for all: those that sign someone out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum GroupKind {
    SignsOut,
    Deletes,
    #[default]
    SignsIn,
}

impl Group {
    /// All events of a part.
    pub(super) fn whole(part: &Part, events: &[(MessageIndex, Event)]) -> Self {
        let rows = part.places.iter().map(|&place| rows(part.event(events, place))).sum();
        Self { places: part.places.clone(), rows, kind: GroupKind::default() }
    }
}

/// The number of rows that an event names.
fn rows(event: &Event) -> usize {
    match &event.change {
        Change::Deletion(_, accounts) => accounts.len(),
        Change::Login(..) | Change::Logout(..) | Change::LogoutAll(_) => 1,
    }
}

/// The groups of a part. One that fits into a slice is left whole.
pub(super) fn groups(part: &Part, events: &[(MessageIndex, Event)]) -> VecDeque<Group> {
    let whole = Group::whole(part, events);
    if whole.rows <= MOST_ROWS {
        return VecDeque::from([whole]);
    }
    separate(part, events)
}

/// The groups of a part, as small as they can be.
fn separate(part: &Part, events: &[(MessageIndex, Event)]) -> VecDeque<Group> {
    let mut links = Links::default();
    let mut deleted: HashMap<&Account, usize> = HashMap::new();
    for &place in &part.places {
        if let Change::Deletion(_, accounts) = &part.event(events, place).change {
            let own = links.node();
            for account in accounts {
                let first = *deleted.entry(account).or_insert(own);
                links.join(first, own);
            }
        }
    }
    let mut devices: HashMap<&Device, usize> = HashMap::new();
    let mut nodes = Vec::with_capacity(part.places.len());
    for &place in &part.places {
        let change = &part.event(events, place).change;
        let (node, is_new) = match change {
            Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                let known = devices.len();
                let node = *devices.entry(device).or_insert_with(|| links.node());
                (node, devices.len() > known)
            }
            Change::Deletion(_, accounts) => (deleted[&accounts[0]], true),
        };
        if let Change::Login(_, accounts) = change
            && !deleted.is_empty()
        {
            accounts.iter().filter_map(|account| deleted.get(account)).for_each(|&deletion| links.join(deletion, node));
        }
        nodes.push((place, node, is_new));
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut by_root: HashMap<usize, usize> = HashMap::new();
    for (place, node, is_new) in nodes {
        let index = *by_root.entry(links.root(node)).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        let group = &mut groups[index];
        group.places.push(place);
        group.rows += if is_new { rows(part.event(events, place)) } else { 0 };
        let kind = match &part.event(events, place).change {
            Change::Logout(..) | Change::LogoutAll(_) => GroupKind::SignsOut,
            Change::Deletion(..) => GroupKind::Deletes,
            Change::Login(..) => GroupKind::SignsIn,
        };
        group.kind = if group.places.len() == 1 { kind } else { group.kind.min(kind) };
    }
    groups.sort_by_key(|group| group.kind);
    groups.into()
}

/// Takes groups with at most `most` rows in total; if none is that small, the first one if `at_least_one`.
pub(super) fn take(groups: &mut VecDeque<Group>, most: usize, at_least_one: bool) -> Vec<Group> {
    let (mut taken, mut skipped, mut rows) = (Vec::new(), VecDeque::new(), 0);
    while rows < most
        && let Some(group) = groups.pop_front()
    {
        if rows + group.rows <= most || (at_least_one && taken.is_empty() && skipped.is_empty()) {
            rows += group.rows;
            taken.push(group);
        } else {
            skipped.push_back(group);
        }
    }
    skipped.append(groups);
    *groups = skipped;
    taken
}

/// About how many calls these groups need.
pub(super) fn about_calls<'g>(groups: impl IntoIterator<Item = &'g Group>) -> usize {
    groups.into_iter().map(|group| group.rows).sum::<usize>().div_ceil(ITEMS_PER_CALL)
}

/// Takes out of a slice what does not fill a call, for the next one: there are no more calls than without slices.
/// Returns the groups and the known state of their devices and accounts.
pub(super) fn hold_back(
    part: &Part,
    events: &[(MessageIndex, Event)],
    groups: &mut Vec<Group>,
    known: &mut KnownState,
) -> (Vec<Group>, KnownState) {
    let plan = plan(&known.state, &Redelivered::default());
    let items = |group: &Group| -> HashSet<ItemIndex> {
        let mut items = HashSet::new();
        for event in group.places.iter().map(|&place| part.event(events, place)) {
            // All of a device's items, also those that another event of it is at fault for.
            items.extend(event.device().into_iter().flat_map(|device| plan.items_of(device)));
            items.extend(plan.shares(event).into_iter().filter_map(|share| match share {
                Share::Own(item) => Some(item),
                Share::Shaped(_) | Share::Done => None,
            }));
        }
        items
    };
    let count = |group: &Group| {
        let mut counts = [0; 4];
        // An item that goes alone fills no call.
        if !group.places.iter().any(|place| part.alone.contains(place)) {
            for item in items(group) {
                counts[OperatorType::of(&plan.item(item).work) as usize - OperatorType::Bind as usize] += 1;
            }
        }
        counts
    };
    let each: Vec<[usize; 4]> = groups.iter().map(count).collect();
    let mut left = each.iter().fold([0; 4], |sum, counts| std::array::from_fn(|n| sum[n] + counts[n]));
    let mut held = vec![false; groups.len()];
    while let Some(odd) = left.iter().position(|count| count % ITEMS_PER_CALL != 0)
        && let Some(index) = (0..groups.len()).rev().find(|&index| !held[index] && each[index][odd] > 0)
    {
        held[index] = true;
        left = std::array::from_fn(|n| left[n] - each[index][n]);
    }
    let mut held = held.into_iter();
    let kept: Vec<Group> = groups.extract_if(.., |_| held.next().unwrap_or_default()).collect();
    let (mut devices, mut keys) = (HashSet::new(), HashSet::new());
    for &place in kept.iter().flat_map(|group| &group.places) {
        let event = part.event(events, place);
        devices.extend(event.device());
        if let Change::Deletion(apps, accounts) = &event.change {
            keys.extend(AccountKey::each(apps, accounts));
        }
    }
    let known = known.split_off(&devices, &keys);
    (kept, known)
}

/// Which nodes belong together.
#[derive(Default)]
struct Links(Vec<usize>);

impl Links {
    fn node(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[other] = one;
    }
}

#[cfg(test)]
mod tests;
