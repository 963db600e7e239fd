use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn each_message_is_released_once_at_its_time_and_not_earlier(
        delays in prop::collection::vec((0..5_000_u32, 0..600_000_u32), 1..200),
    ) {
        let mut wheel = Wheel::new();
        let (mut now, mut released): (Ms, Vec<(Ms, Message)>) = (0, Vec::new());
        let mut due = Vec::new();
        for (number, (passes, delay)) in delays.into_iter().enumerate() {
            now += passes;
            release(&mut wheel, now, &mut released);
            wheel.push(now + delay, Message(number as u32));
            due.push(now + delay);
        }
        while let Some(next) = wheel.next() {
            release(&mut wheel, next, &mut released);
        }
        prop_assert_eq!(wheel.len(), 0);
        prop_assert_eq!(released.len(), due.len());
        for (at, message) in released {
            let due = due[message.0 as usize];
            prop_assert!(due <= at && at < due + STEP + 5_000, "{} {}", due, at);
        }
    }
}

fn release(wheel: &mut Wheel, now: Ms, released: &mut Vec<(Ms, Message)>) {
    let mut visible = Vec::new();
    wheel.release(now, &mut visible);
    released.extend(visible.into_iter().map(|message| (now, message)));
}
