//! What must hold at the end.

use super::*;

impl Chaos {
    pub(crate) fn check_at_end(&mut self) -> Result<(), String> {
        let event = |message: &Message| &self.script.events[self.messages[&message.message_id]];
        let dead: Vec<_> = self.with_queue(|queue| queue.dead_letter_queue().unwrap().messages().map(event).collect());
        if let Some(event) = dead.iter().find(|event| event.end != End::Blocked) {
            return Err(format!("a dead letter, although there is a parking queue: {event:?}"));
        }
        self.tally.dead += dead.len();
        let by_body: HashMap<&str, &Event> =
            self.script.events.iter().map(|event| (event.body.as_str(), event)).collect();
        let parked = self
            .aws
            .with_queue(PARKED, |queue| queue.messages().map(|message| message.body.to_string()).collect::<Vec<_>>());
        for body in parked.unwrap() {
            let event = by_body.get(body.as_str()).ok_or("parked, but never sent")?;
            if event.end == End::InEffect {
                return Err(format!("parked, but could have been applied: {event:?}"));
            }
            self.tally.dead += 1;
            self.tally.applied -= 1;
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<(), String> {
        let mut model = Tpns::new(APPS, self.script.world.settings.clone());
        self.script.events.iter().for_each(|event| apply(&mut model, event));
        let bound = self.tpns.bindings();
        for app in APPS {
            let should = model.bindings(app);
            for token in bound[app].keys().chain(should.keys()) {
                let of = |list: Option<&Vec<Account>>| {
                    let mut list = list.cloned().unwrap_or_default();
                    list.sort_by_key(|account| account.account_type);
                    list.dedup();
                    list
                };
                let (is, should) = (of(bound[app].get(token)), of(should.get(token)));
                if let Some(account) = is.iter().find(|account| !should.contains(account)) {
                    return Err(format!(
                        "{app} {token} is bound to {account:?}, but must not be: {is:?}, not {should:?}"
                    ));
                }
                for account in should.iter().filter(|account| !is.contains(account)) {
                    if !self.was_deleted_before_its_login(app, token, account) {
                        return Err(format!("{app} {token} is not bound to {account:?}: {is:?}, not {should:?}"));
                    }
                    self.tally.exceptions += 1;
                }
            }
        }
        Ok(())
    }

    /// The named exception: there is a deletion of the account, older than the login that binds it.
    fn was_deleted_before_its_login(&self, app: &str, token: &str, account: &Account) -> bool {
        let events =
            self.script.events.iter().filter(|event| event.end == End::InEffect && event.apps().any(|own| own == app));
        let mut deleted = false;
        let mut exception = false;
        for event in events {
            match &event.change {
                Change::Deletion(accounts) => deleted |= accounts.contains(account),
                Change::Login(device, accounts) if device == token => exception = deleted && accounts.contains(account),
                _ => {}
            }
        }
        exception
    }
}
