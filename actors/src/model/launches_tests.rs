//! The ledger of launches, case by case.

use super::*;
use crate::model::observation::InstanceState;
use crate::model::pools::Pool;

const PATIENCE: Duration = Duration::from_secs(40);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1000 + seconds)
}

fn shown(id: &str, launched_at: u64) -> Instance {
    Instance {
        id: InstanceId::new(id),
        owned: true,
        ordinal: None,
        launch_size: 1,
        state: InstanceState::Pending,
        launched_at: at(launched_at),
        leaving: false,
        registration: None,
    }
}

#[test]
fn a_launch_of_an_earlier_manager_has_to_be_seen_whole_or_be_old_before_the_next() {
    let mut ledger = LaunchLedger::default();
    ledger.saw(LaunchOrdinal(7), 2, &shown("i-1", 0));
    assert_eq!(ledger.blocked(&Policy::default(), at(59)), Some(LaunchesBlocked::UnderWay), "there may be one more");
    assert_eq!(ledger.blocked(&Policy::default(), at(60)), None, "there is not");
    ledger.saw(LaunchOrdinal(7), 2, &shown("i-2", 0));
    assert_eq!(ledger.blocked(&Policy::default(), at(10)), None);
    ledger.saw(LaunchOrdinal(6), 5, &shown("i-0", 0));
    assert_eq!(ledger.blocked(&Policy::default(), at(10)), None, "it was over before that one began");
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_ordinal() {
    let mut ledger = LaunchLedger::default();
    ledger.begin(3, &Policy::default(), at(0));
    let order = ledger.take_order(at(0), PATIENCE).expect("an order");
    assert_eq!(ledger.take_order(at(1), PATIENCE), None, "it is under way");
    ledger.not_launched(order, &CloudError::Unanswered("closed".into()), &Policy::default(), at(2));
    assert_eq!(ledger.blocked(&Policy::default(), at(2)), Some(LaunchesBlocked::UnderWay));
    assert_eq!(ledger.take_order(at(60), PATIENCE), Some(order));
}

#[test]
fn a_refusal_after_a_lost_answer_leaves_it_open_whether_it_was_made() {
    let mut ledger = LaunchLedger::default();
    ledger.begin(3, &Policy::default(), at(0));
    for (asked, error) in
        [(0, CloudError::Unanswered("closed".into())), (50, CloudError::Denied("not any more".into()))]
    {
        let order = ledger.take_order(at(asked), PATIENCE).expect("an order");
        ledger.not_launched(order, &error, &Policy::default(), at(asked));
    }
    assert_eq!((ledger.requested(), ledger.blocked(&Policy::default(), at(100))), (3, Some(LaunchesBlocked::UnderWay)));
    for (instance, missing) in [("i-1", 2), ("i-1", 2), ("i-2", 1), ("i-3", 0)] {
        ledger.saw(LaunchOrdinal(1), 3, &shown(instance, 0));
        assert_eq!(ledger.requested(), missing, "a look may show a part of them");
    }
    assert_eq!(ledger.blocked(&Policy::default(), at(100)), None);
}

#[test]
fn a_refused_launch_leaves_its_ordinal_to_the_next() {
    let mut ledger = LaunchLedger::default();
    ledger.begin(3, &Policy::default(), at(0));
    let order = ledger.take_order(at(0), PATIENCE).expect("an order");
    ledger.not_launched(order, &CloudError::NoCapacity("none".into()), &Policy::default(), at(0));
    ledger.begin(1, &Policy::default(), at(10));
    let next = ledger.take_order(at(10), PATIENCE).expect("an order");
    assert_eq!(next.ordinal, order.ordinal, "a manager that starts now would begin there too");
}

#[test]
fn the_next_launch_waits_until_the_last_one_is_seen() {
    let mut ledger = LaunchLedger::default();
    ledger.begin(1, &Policy::default(), at(0));
    let order = ledger.take_order(at(0), PATIENCE).expect("an order");
    let instance = InstanceId::new("i-1");
    assert!(ledger.launched(order, std::slice::from_ref(&instance), at(1)));
    assert_eq!(ledger.blocked(&Policy::default(), at(2)), Some(LaunchesBlocked::UnderWay));
    ledger.saw(order.ordinal, 1, &shown("i-1", 0));
    ledger.saw_instance(&instance);
    assert_eq!(ledger.blocked(&Policy::default(), at(3)), None);
    ledger.begin(1, &Policy::default(), at(3));
    assert_eq!(ledger.take_order(at(3), PATIENCE).expect("an order").ordinal, LaunchOrdinal(2));
}

#[test]
fn a_restarted_ledger_goes_on_above_the_highest_ordinal_seen() {
    let mut ledger = LaunchLedger::default();
    for ordinal in [3, 7, 5] {
        ledger.saw(LaunchOrdinal(ordinal), 1, &shown("i-1", 0));
    }
    ledger.begin(2, &Policy::default(), at(0));
    assert_eq!(ledger.take_order(at(0), PATIENCE).expect("an order").ordinal, LaunchOrdinal(8));
}

#[test]
fn contested_ordinals_are_waited_for_and_passed_over_in_growing_strides() {
    let mut ledger = LaunchLedger::default();
    let mut tried = Vec::new();
    for now in [0, 100, 200, 300, 400] {
        ledger.begin(2, &Policy::default(), at(now));
        let order = ledger.take_order(at(now), PATIENCE).expect("an order");
        tried.push(order.ordinal.0);
        ledger.not_launched(order, &CloudError::Conflict("other count".into()), &Policy::default(), at(now));
        assert_eq!((ledger.requested(), ledger.take_order(at(now + 50), PATIENCE)), (2, None));
        ledger.expire(at(now + 61));
        assert_eq!(ledger.blocked(&Policy::default(), at(now + 61)), None);
    }
    assert_eq!(tried, [1, 2, 4, 8, 16]);
}

#[test]
fn spent_ordinals_are_passed_over_in_growing_strides() {
    let mut ledger = LaunchLedger::default();
    ledger.begin(1, &Policy::default(), at(0));
    ledger.looked(at(0));
    let mut tried = Vec::new();
    for now in [0, 10, 20, 60, 61, 62, 63] {
        let order = ledger.take_order(at(now), PATIENCE).expect("an order");
        tried.push(order.ordinal.0);
        ledger.not_launched(order, &CloudError::Spent("terminated".into()), &Policy::default(), at(now));
    }
    assert_eq!(tried, [1, 2, 3, 4, 5, 7, 11], "one by one while a launch before the start may not be visible yet");
}

#[test]
fn refusals_in_a_row_slow_the_next_ones_down_and_a_success_frees_them() {
    let mut ledger = LaunchLedger::default();
    let policy = Policy::default();
    for (failure, until) in [(0, 5), (5, 15), (15, 35)] {
        ledger.begin(1, &Policy::default(), at(failure));
        let order = ledger.take_order(at(failure), PATIENCE).expect("an order");
        ledger.not_launched(order, &CloudError::Denied("not you".into()), &policy, at(failure));
        assert_eq!(
            ledger.blocked(&Policy::default(), at(failure)),
            Some(LaunchesBlocked::BackingOff { until: at(until) })
        );
    }
    ledger.succeeded();
    assert_eq!(ledger.blocked(&Policy::default(), at(15)), None);
}

#[test]
fn instances_of_one_launch_that_fail_together_count_once() {
    let mut ledger = LaunchLedger::default();
    for _ in 0..10 {
        ledger.failed(Some(LaunchOrdinal(4)), &Policy::default(), at(0));
    }
    assert_eq!(ledger.failures(), 1);
}

/// Three pools, asked one after the other where the first has nothing to give.
fn pools(intents_span_pools: bool) -> Policy {
    Policy { pools: 3, intents_span_pools, ..Policy::default() }
}

fn none() -> CloudError {
    CloudError::NoCapacity("none".into())
}

#[test]
fn what_one_pool_does_not_have_is_asked_of_the_next_under_the_same_ordinal() {
    let (mut ledger, policy) = (LaunchLedger::default(), pools(true));
    ledger.begin(2, &policy, at(0));
    let mut asked = Vec::new();
    for now in [0, 1, 2] {
        let order = ledger.take_order(at(now), PATIENCE).expect("an order");
        asked.push((order.ordinal.0, order.pool.0));
        assert_eq!((ledger.requested(), ledger.failures()), (2, 0), "it is no failure yet");
        ledger.not_launched(order, &none(), &policy, at(now));
    }
    assert_eq!(asked, [(1, 0), (1, 1), (1, 2)]);
    assert_eq!((ledger.requested(), ledger.failures()), (0, 1), "all together are one");
    assert_eq!(ledger.blocked(&policy, at(3)), Some(LaunchesBlocked::NoCapacity { until: at(7) }));
    assert_eq!(ledger.blocked(&policy, at(7)), None);
    ledger.begin(2, &policy, at(7));
    assert_eq!(ledger.take_order(at(7), PATIENCE).map(|order| order.pool), Some(Pool(0)), "the first comes back first");
}

#[test]
fn a_pool_that_had_nothing_is_passed_over_for_a_while() {
    let (mut ledger, policy) = (LaunchLedger::default(), pools(true));
    let mut asked = Vec::new();
    for (now, has) in [(0, false), (1, true), (3, true), (5, true)] {
        if ledger.blocked(&policy, at(now)).is_none() {
            ledger.begin(1, &policy, at(now));
        }
        let order = ledger.take_order(at(now), PATIENCE).expect("an order");
        asked.push(order.pool.0);
        if has {
            let instance = InstanceId::new(format!("i-{now}"));
            ledger.launched(order, std::slice::from_ref(&instance), at(now));
            ledger.saw_instance(&instance);
        } else {
            ledger.not_launched(order, &none(), &policy, at(now));
        }
    }
    assert_eq!(asked, [0, 1, 1, 0], "for five seconds, the first time");
}

#[test]
fn what_was_not_answered_is_asked_again_in_the_same_pool_and_of_no_other() {
    let (mut ledger, policy) = (LaunchLedger::default(), pools(true));
    ledger.begin(1, &policy, at(0));
    let first = ledger.take_order(at(0), PATIENCE).expect("an order");
    ledger.not_launched(first, &CloudError::Unanswered("closed".into()), &policy, at(0));
    let again = ledger.take_order(at(10), PATIENCE).expect("an order");
    assert_eq!(again, first);
    ledger.not_launched(again, &none(), &policy, at(10));
    assert_eq!(ledger.take_order(at(60), PATIENCE), None, "the first request may have made it");
    assert_eq!((ledger.requested(), ledger.blocked(&policy, at(60))), (1, Some(LaunchesBlocked::UnderWay)));
    ledger.expire(at(70));
    ledger.begin(1, &policy, at(70));
    let next = ledger.take_order(at(70), PATIENCE).expect("an order");
    assert_eq!((next.ordinal, next.pool), (LaunchOrdinal(2), Pool(0)), "its time has come again as well");
}

#[test]
fn a_pool_that_is_refused_for_another_reason_is_passed_over_too() {
    let (mut ledger, policy) = (LaunchLedger::default(), pools(true));
    ledger.begin(1, &policy, at(0));
    let denied = CloudError::Denied("no spot instances in this account".into());
    let mut asked = Vec::new();
    for second in 0..policy.pools {
        let order = ledger.take_order(at(second.into()), PATIENCE).expect("an order");
        asked.push(order.pool.0);
        ledger.not_launched(order, &denied, &policy, at(second.into()));
    }
    assert!(asked.iter().copied().eq(0..policy.pools), "{asked:?}");
    assert_eq!(ledger.failures(), 1, "once none is left");
}

#[test]
fn where_there_is_one_pool_each_refusal_slows_launches_down() {
    let (mut ledger, policy) = (LaunchLedger::default(), Policy { pools: 1, ..pools(true) });
    ledger.begin(1, &policy, at(0));
    let order = ledger.take_order(at(0), PATIENCE).expect("an order");
    let exhausted = ledger.not_launched(order, &CloudError::Denied("not you".into()), &policy, at(0));
    assert_eq!((exhausted, ledger.failures()), (None, 1));
    assert_eq!(ledger.blocked(&policy, at(0)), Some(LaunchesBlocked::BackingOff { until: at(5) }));
}

#[test]
fn where_each_pool_has_intents_of_its_own_nothing_is_launched_before_all_is_visible() {
    let mut ledger = LaunchLedger::default();
    ledger.looked(at(0));
    let until = at(90);
    assert_eq!(ledger.blocked(&pools(false), at(89)), Some(LaunchesBlocked::LookingBack { until }));
    assert_eq!(ledger.blocked(&pools(false), at(90)), None);
    assert_eq!(ledger.blocked(&pools(true), at(0)), None, "the same intent is refused there");
    assert_eq!(ledger.blocked(&Policy { pools: 1, ..pools(false) }, at(0)), None, "there is no other pool");
}
