//! Which repairs count as drift: those where TPNS had time to apply what the row says.

use std::time::Duration;

use lambda_sim::{Message, SqsEvent, Timestamp};

use super::{TABLE, World, account};
use crate::stage::{failures, login};

pub(super) const CHECK_AFTER: u64 = 600;

impl World {
    /// Makes the rows older.
    pub(super) fn age(&self, seconds: u64) {
        let seconds = i64::try_from(seconds).unwrap();
        let older = |row: &mut lambda_sim::aws::dynamodb::Item| {
            if let Some(expires) = row.number("expires_at") {
                row.insert("expires_at", expires - seconds);
            }
        };
        self.aws.with_table(TABLE, |table| table.change_all(older));
    }

    /// Delivers the first check, as if it had been sent that long ago. Returns the reported ids.
    pub(super) async fn deliver_sent(&self, seconds_ago: u64) -> Vec<String> {
        let now = Timestamp::now().as_millis();
        let sent = Timestamp::from_millis(now - seconds_ago * 1000);
        let check = Message::new("m0", self.sent()[0].clone()).sent_at(sent);
        failures(&self.stage.invoke(SqsEvent::of_queue(&self.arn).message(check).to_bytes()).await)
    }
}

/// Also if an older check of the device finds it, ahead of the one that the row's own event has sent.
#[tokio::test]
async fn what_differs_counts_once_the_row_is_half_as_old_as_checks_wait() {
    for (age, counted) in [(0, 0), (CHECK_AFTER / 2 - 60, 0), (CHECK_AFTER / 2, 1), (2 * CHECK_AFTER, 1)] {
        for check_age in [0, age + 100] {
            let world = World::with(&[("CHECK_AFTER", &format!("{CHECK_AFTER}s"))]).await;
            assert!(world.batch(&[login(1, "t", &["aa"])]).await.is_empty());
            world.age(age);
            world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
            world.deliver_sent(check_age).await;
            assert_eq!(world.bound("t"), ["aa/0"], "repaired in any case");
            let lines = |message| world.stage.lines(message).len() as u64;
            let (drifts, others) = (lines("drift repaired"), lines("repaired ahead of a newer check"));
            assert_eq!((drifts, others), (counted, 1 - counted), "a row {age} s old, a check {check_age} s old");
            assert_eq!((world.metric("Drifted"), world.metric("DriftShown")), (counted, counted));
            let least = Duration::from_secs(age * counted).as_millis();
            let oldest = world.stage.lines("drift repaired").iter().filter_map(|line| line["age_ms"].as_u64()).min();
            assert!(oldest.is_none_or(|age| u128::from(age) >= least), "{oldest:?}");
        }
    }
}
