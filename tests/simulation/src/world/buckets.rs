//! The token buckets by which AWS throttles the calls of one account in one region.

use actors::model::Timestamp;

/// What a bucket is for. Sizes and refill rates are those that AWS publishes: "Request throttling for the Amazon EC2
/// API" (EC2 Developer Guide), "Request throttling for the Amazon ECS API" (ECS API Reference).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Bucket {
    /// `RunInstances`.
    RunInstances,
    /// `TerminateInstances`.
    TerminateInstances,
    /// `DescribeInstances`, filtered or by page.
    DescribeInstances,
    /// `RunTask`, `StartTask` and `StopTask` together.
    Tasks,
    /// `ListTasks`, `DescribeTasks`, `ListContainerInstances` and `DescribeContainerInstances` together.
    Reads,
    /// `TagResource`.
    Tags,
}

/// All buckets.
const BUCKETS: [Bucket; 6] = [
    Bucket::RunInstances,
    Bucket::TerminateInstances,
    Bucket::DescribeInstances,
    Bucket::Tasks,
    Bucket::Reads,
    Bucket::Tags,
];

impl Bucket {
    /// (size, refill a second)
    const fn size(self) -> (f64, f64) {
        match self {
            Self::RunInstances => (5.0, 2.0),
            Self::TerminateInstances => (100.0, 5.0),
            Self::DescribeInstances | Self::Reads => (100.0, 20.0),
            Self::Tasks => (100.0, 40.0),
            // Published with the cluster's other changes: the smallest of that group.
            Self::Tags => (20.0, 1.0),
        }
    }
}

/// How full each one is.
#[derive(Debug)]
pub struct Buckets {
    levels: [(f64, Timestamp); BUCKETS.len()],
}

impl Buckets {
    /// All full.
    pub fn full(now: Timestamp) -> Self {
        Self { levels: BUCKETS.map(|bucket| (bucket.size().0, now)) }
    }

    /// Takes what so many calls cost; whether there was enough.
    pub fn take(&mut self, bucket: Bucket, calls: u32, now: Timestamp) -> bool {
        let (size, refill) = bucket.size();
        let (level, since) = &mut self.levels[bucket as usize];
        *level = now.since(*since).as_secs_f64().mul_add(refill, *level).min(size);
        *since = now;
        let enough = *level >= f64::from(calls);
        if enough {
            *level -= f64::from(calls);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_and_then_the_refill_rate() {
        let at = |millis: u64| Timestamp::from_micros(millis * 1000);
        let mut buckets = Buckets::full(at(0));
        let burst = (0..10).filter(|_| buckets.take(Bucket::RunInstances, 1, at(0))).count();
        assert_eq!(burst, 5);
        assert!(!buckets.take(Bucket::RunInstances, 1, at(400)));
        assert!(buckets.take(Bucket::RunInstances, 1, at(600)));
        assert!(buckets.take(Bucket::Tasks, 100, at(600)), "each bucket for itself");
    }
}
