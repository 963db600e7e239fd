//! What is at fault when TPNS rejects calls as a whole: some of their items, or what all calls have in common.
//!
//! What TPNS says of an item in `result` does not count here: that is about the item.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    apps::AppId,
    outcome::{Failure, Reason},
    plan::{ItemIndex, Verdict},
    tpns::{
        OperatorType,
        answer::Judgement,
        calls::Call,
        codes::{is_a_status_of_the_app, is_of_the_input, of_an_item},
    },
};

/// Once this many calls were rejected and none accepted, this many items that are sent alone and rejected alike decide
/// for all the others.
const SAMPLE: usize = 3;
/// If there are no more items than these, each of them is tried.
const FEW: usize = 2 * SAMPLE;

/// What an invocation has learnt from an app's answers. It counts for all pushes to the app, also concurrent ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// TPNS has accepted a call, or has answered for single items: it can read our calls.
    understood: Rc<Cell<bool>>,
    faults: [Rc<RefCell<Fault>>; 4],
}

/// The rejections of one push.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    evidence: Evidence,
    by_operator_type: [OfOperatorType; 4],
    alone: RefCell<Vec<Alone>>,
}

/// An item that was rejected alone in its call.
#[derive(Clone, Debug)]
struct Alone {
    item: ItemIndex,
    operator_type: OperatorType,
    failure: Failure,
    /// TPNS accepted others of the app, and not this one, however often it was tried.
    confirmed: bool,
}

/// The same for the calls of one operator_type.
#[derive(Debug)]
pub(super) struct OfOperatorType {
    fault: Rc<RefCell<Fault>>,
    /// How many items were rejected alone, all with this failure.
    agreeing: RefCell<Option<(Failure, usize)>>,
    /// The items of the push, and how many of its calls with more than one were rejected.
    items: Cell<usize>,
    rejected: Cell<usize>,
    /// Held by the one call of which a sample is sent; closed when there is nothing left to find out.
    turn: Semaphore,
}

#[derive(Clone, Debug, Default)]
enum Fault {
    #[default]
    Unclear,
    /// Halving finds them.
    Items,
    /// Halving does not help.
    Everything(Failure),
}

impl Rejections {
    pub(super) fn of(&self, operator_type: OperatorType) -> &OfOperatorType {
        &self.by_operator_type[index(operator_type)]
    }

    /// A push of these calls begins. What comes in a later round was mostly rejected in an earlier one: if TPNS
    /// accepted others then, it is the items.
    pub(super) fn begin<'c>(evidence: &Evidence, calls: impl IntoIterator<Item = &'c Call>) -> Self {
        let by_operator_type = evidence.faults.each_ref().map(|fault| OfOperatorType::new(fault.clone()));
        let rejections = Self { evidence: evidence.clone(), by_operator_type, alone: RefCell::default() };
        for call in calls {
            let items = &rejections.of(call.operator_type).items;
            items.set(items.get() + call.items.len());
        }
        if evidence.understood.get() {
            rejections.by_operator_type.iter().filter(|of| of.is_unclear()).for_each(|of| of.decide(Fault::Items));
        }
        rejections
    }

    /// An answer that was not a rejection of the whole call.
    pub(super) fn note(&self, operator_type: OperatorType, judgement: &Judgement) {
        let understood = match judgement {
            Judgement::Whole(verdict) => *verdict == Verdict::Accepted,
            Judgement::Each(verdicts) => {
                verdicts.iter().any(|verdict| matches!(verdict, Verdict::Accepted | Verdict::Rejected(_)))
            }
        };
        if understood {
            self.evidence.understood.set(true);
            self.of(operator_type).decide(Fault::Items);
        }
    }

    /// Whether TPNS has accepted a call of the app.
    pub(super) fn is_understood(&self) -> bool {
        self.evidence.understood.get()
    }

    /// An item was rejected alone in its call. Returns the verdict on it, and whether no later answer can change it.
    pub(super) fn alone(&self, item: ItemIndex, operator_type: OperatorType, failure: Failure) -> (Verdict, bool) {
        let alone = Alone { item, operator_type, failure, confirmed: self.is_understood() };
        self.alone.borrow_mut().push(alone.clone());
        let of = self.of(operator_type);
        if !of.agrees(&alone.failure) {
            of.decide(Fault::Items);
        }
        let is_final = self.is_understood() && matches!(*of.fault.borrow(), Fault::Items);
        (self.verdict(&alone), is_final)
    }

    /// Items to be tried once more, each in a call of its own: they got a status that may be transient before TPNS
    /// accepted others.
    pub(super) fn doubtful(&self, app: AppId) -> Vec<Call> {
        if !self.is_understood() {
            return Vec::new();
        }
        let mut alone = self.alone.borrow_mut();
        let doubtful = alone.extract_if(.., |alone| !alone.confirmed && is_a_status_of_the_app(&alone.failure));
        let call = |Alone { item, operator_type, .. }| Call { app, operator_type, items: vec![item] };
        doubtful.map(call).collect()
    }

    /// The verdicts on the items that were rejected alone, as far as the answers so far show them.
    pub(super) fn verdicts(&self) -> Vec<(ItemIndex, Verdict)> {
        let alone = self.alone.borrow();
        alone.iter().map(|alone| (alone.item, self.verdict(alone))).collect()
    }

    fn verdict(&self, Alone { operator_type, failure, confirmed, .. }: &Alone) -> Verdict {
        let alike = || self.alone.borrow().iter().filter(|other| other.failure == *failure).count();
        match *self.of(*operator_type).fault.borrow() {
            Fault::Everything(_) => self.of_every_call(failure),
            // The status may be transient, so the item is to blame only if it was tried again since TPNS accepted
            // others.
            _ if self.is_understood() && is_a_status_of_the_app(failure) && !confirmed => {
                Verdict::Retry(of_an_item(failure.clone()), None)
            }
            _ if self.is_understood() => Verdict::Rejected(of_an_item(failure.clone())),
            _ if is_of_the_input(failure) && alike() < SAMPLE => Verdict::Rejected(failure.clone()),
            _ => self.of_every_call(failure),
        }
    }

    /// The verdict on items that are not worth a call, if TPNS rejects all of this operator_type.
    pub(super) fn halted(&self, operator_type: OperatorType) -> Option<Verdict> {
        match &*self.of(operator_type).fault.borrow() {
            Fault::Everything(failure) => Some(self.of_every_call(failure)),
            Fault::Unclear | Fault::Items => None,
        }
    }

    /// It is none of the items: they are redelivered. A status that is given for every call is the app's fault, unless
    /// some of its calls are answered by TPNS.
    fn of_every_call(&self, failure: &Failure) -> Verdict {
        let failure = failure.clone();
        if is_a_status_of_the_app(&failure) && !self.is_understood() {
            Verdict::Misconfigured(failure)
        } else {
            Verdict::Retry(Failure { reason: Reason::TpnsRejectsEveryCall, ..failure }, None)
        }
    }
}

fn index(operator_type: OperatorType) -> usize {
    operator_type as usize - OperatorType::Bind as usize
}

impl Default for OfOperatorType {
    fn default() -> Self {
        Self::new(Rc::default())
    }
}

impl OfOperatorType {
    fn new(fault: Rc<RefCell<Fault>>) -> Self {
        Self {
            fault,
            agreeing: RefCell::default(),
            items: Cell::default(),
            rejected: Cell::default(),
            turn: Semaphore::new(1),
        }
    }

    /// A call of more than one item was rejected. Says whether to send a sample of it before it is halved.
    pub(super) fn rejected(&self) -> bool {
        self.rejected.set(self.rejected.get() + 1);
        self.rejected.get() >= SAMPLE && self.items.get() > FEW && self.is_unclear()
    }

    /// Waits for the turn to send a sample of a rejected call; `None` when there is nothing left to find out.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turn.acquire().await.ok()
    }

    pub(super) fn is_unclear(&self) -> bool {
        matches!(*self.fault.borrow(), Fault::Unclear)
    }

    /// Takes out the items to send alone, spread over the call, since bad items often follow each other.
    pub(super) fn sample(&self, items: &mut Vec<ItemIndex>) -> Vec<ItemIndex> {
        let agreeing = self.agreeing.borrow().as_ref().map_or(0, |(_, count)| *count);
        let missing = SAMPLE.saturating_sub(agreeing).min(items.len());
        let length = items.len();
        let places = (0..missing).rev().map(|n| (2 * n + 1) * length / (2 * missing));
        places.map(|place| items.remove(place)).collect()
    }

    /// The sample has been sent, and `left` items of its call remain.
    pub(super) fn conclude(&self, left: usize) {
        match &*self.agreeing.borrow() {
            _ if left == 0 => {}
            Some((failure, SAMPLE..)) => self.decide(Fault::Everything(failure.clone())),
            _ => self.decide(Fault::Items),
        }
    }

    /// Counts an item that was rejected alone. Says whether all of them so far have the same failure.
    fn agrees(&self, failure: &Failure) -> bool {
        match &mut *self.agreeing.borrow_mut() {
            Some((same, count)) if same == failure => *count += 1,
            Some(_) => return false,
            none => *none = Some((failure.clone(), 1)),
        }
        true
    }

    fn decide(&self, fault: Fault) {
        self.fault.replace(fault);
        self.turn.close();
    }
}

#[cfg(test)]
mod tests;
