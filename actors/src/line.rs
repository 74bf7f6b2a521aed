//! The line in which orders wait when as many as may be are under way: the most urgent first, and of those alike the one
//! that came first.

use std::collections::BTreeMap;

use crate::model::Order;

/// What is asked of the cloud first where not all can be asked at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Urgency {
    /// Players wait for it. Which launch replaces a server and which adds one cannot be told apart: each is for the places
    /// that lack, and a dead server's lack first.
    Growth,
    /// A restarted manager would miss it.
    Record,
    /// It costs money until it is done, and nothing else.
    End,
}

impl Urgency {
    const fn of(order: &Order) -> Self {
        match order {
            Order::Launch(_) | Order::Place(_) => Self::Growth,
            Order::Record { .. } | Order::RecordRollout { .. } => Self::Record,
            Order::Close(_) => Self::End,
        }
    }
}

/// Orders that wait.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: BTreeMap<(Urgency, u64), Order>,
    /// How many came so far.
    came: u64,
}

impl Line {
    /// Puts an order where it belongs.
    pub(crate) fn push(&mut self, order: Order) {
        self.came += 1;
        self.waiting.insert((Urgency::of(&order), self.came), order);
    }

    /// Takes the next one out.
    pub(crate) fn pop(&mut self) -> Option<Order> {
        self.waiting.pop_first().map(|(_, order)| order)
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InstanceId, LaunchOrder, LaunchOrdinal, PlaceOrder, Pool, Revision, Role, ServerId, TaskId};

    #[test]
    fn growth_goes_before_records_and_those_before_ends() {
        let server = ServerId::from_number(1);
        let close = Order::Close(Vec::new());
        let record = Order::Record { server, task: TaskId::new("task"), role: Role::Standby };
        let place = Order::Place(PlaceOrder {
            server,
            instance: InstanceId::new("i-1"),
            attempt: 0,
            revision: Revision::new("game:1"),
        });
        let launch = Order::Launch(LaunchOrder { ordinal: LaunchOrdinal(1), count: 1, pool: Pool::default() });
        let mut line = Line::default();
        for order in [&close, &record, &place, &launch] {
            line.push(order.clone());
        }
        let taken: Vec<Order> = std::iter::from_fn(|| line.pop()).collect();
        assert_eq!(taken, [place, launch, record, close]);
        assert!(line.is_empty());
    }
}
