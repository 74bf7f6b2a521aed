//! This machine's clock against AWS's, which each of its answers carries in its `Date`: errors as well.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_ec2::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};

use crate::doctor::Finding;

const CHECK: &str = "clock";

/// Above this the machine's time service likely does not run, and times in the log cannot be compared with AWS's.
const NOTABLE: Duration = Duration::from_secs(30);

/// Signature Version 4: a request has to come within five minutes of the time that it is signed with.
const REFUSED: Duration = Duration::from_mins(5);

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<Seen>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    asked_at: Option<SystemTime>,
    difference: Option<Difference>,
}

/// How far this machine's clock is from AWS's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Difference {
    /// It is ahead by so much.
    Ahead(Duration),
    /// It is behind by so much.
    Behind(Duration),
}

impl Clocks {
    pub(super) fn difference(&self) -> Option<Difference> {
        self.seen(|seen| seen.difference)
    }

    fn seen<T>(&self, see: impl FnOnce(&mut Seen) -> T) -> T {
        // Both are replaced as a whole.
        see(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Notes what the answers to one client say.
#[derive(Debug)]
pub(super) struct Watch(pub(super) std::sync::Arc<Clocks>);

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.seen(|seen| seen.asked_at = Some(SystemTime::now()));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let now = SystemTime::now();
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(theirs) = date.and_then(|date| SystemTime::try_from(date).ok()) {
            self.0.seen(|seen| seen.difference = Some(between(seen.asked_at.unwrap_or(now), now, theirs)));
        }
        Ok(())
    }
}

/// Their time lies somewhere between the question and the answer, and is told in whole seconds.
fn between(asked: SystemTime, answered: SystemTime, theirs: SystemTime) -> Difference {
    const ROUNDING: Duration = Duration::from_secs(1);
    if let Ok(ahead) = asked.duration_since(theirs + ROUNDING) {
        Difference::Ahead(ahead)
    } else {
        Difference::Behind(theirs.duration_since(answered).unwrap_or_default())
    }
}

pub(super) fn judge(difference: Option<Difference>) -> Finding {
    let Some(difference) = difference else {
        return Finding::unknown(CHECK, "not told: no answer of AWS had a date", "see that time is kept: timedatectl");
    };
    let (amount, word) = match difference {
        Difference::Ahead(amount) => (amount, "ahead of"),
        Difference::Behind(amount) => (amount, "behind"),
    };
    let found = format!("{} s {word} AWS's", amount.as_secs());
    let mend = "set the clock by a time service: timedatectl set-ntp true, or chrony with 169.254.169.123 on EC2";
    if amount > REFUSED {
        Finding::fail(CHECK, format!("{found}: AWS refuses what is signed so far from its time"), mend)
    } else if amount > NOTABLE {
        Finding::warn(CHECK, format!("{found}: from 5 min on AWS refuses every call"), mend)
    } else {
        Finding::pass(CHECK, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        assert_eq!(between(at(1000), at(1100), at(1050)), Difference::Behind(Duration::ZERO));
        assert_eq!(between(at(1000), at(1100), at(999)), Difference::Ahead(Duration::ZERO));
        assert_eq!(between(at(1000), at(1001), at(900)), Difference::Ahead(Duration::from_secs(99)));
        assert_eq!(between(at(1000), at(1001), at(1101)), Difference::Behind(Duration::from_secs(100)));
    }

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        for (seconds, result) in [(0, Verdict::Pass), (30, Verdict::Pass), (31, Verdict::Warn), (301, Verdict::Fail)] {
            for difference in [Difference::Ahead, Difference::Behind] {
                assert_eq!(judge(Some(difference(Duration::from_secs(seconds)))).result, result, "{seconds}");
            }
        }
        assert_eq!(judge(None).result, Verdict::Unknown);
    }
}
