//! Which server the next player is sent to: an index that answers in O(log n).

use std::collections::BTreeSet;

use super::id::ServerId;

/// Where to send the next player.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AllocationRule {
    /// The fullest server that still has room: the others empty out and can go.
    #[default]
    Packed,
    /// The emptiest server.
    Distributed,
}

/// Servers with room, ordered by how many places are free. Of two alike, the older one is the fuller.
#[derive(Debug, Default)]
pub struct AllocationIndex {
    by_free: BTreeSet<(u32, ServerId)>,
    total: u64,
}

impl AllocationIndex {
    /// Changes what is known of a server from `old` free places to `new`.
    pub fn update(&mut self, server: ServerId, old: u32, new: u32) {
        if old == new {
            return;
        }
        if old > 0 {
            self.by_free.remove(&(old, server));
        }
        if new > 0 {
            self.by_free.insert((new, server));
        }
        self.total = self.total - u64::from(old) + u64::from(new);
    }

    /// The server that the next player goes to, if any has room.
    pub fn pick(&self, rule: AllocationRule) -> Option<ServerId> {
        let entry = match rule {
            AllocationRule::Packed => self.by_free.first(),
            AllocationRule::Distributed => self.by_free.last(),
        };
        entry.map(|&(_, server)| server)
    }

    /// Free places in all.
    pub const fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_takes_the_fullest_and_distributed_the_emptiest() {
        let mut index = AllocationIndex::default();
        for (server, free) in [(1, 3), (2, 1), (3, 9), (4, 0)] {
            index.update(ServerId(server), 0, free);
        }
        assert_eq!(index.total(), 13);
        assert_eq!(index.pick(AllocationRule::Packed), Some(ServerId(2)));
        assert_eq!(index.pick(AllocationRule::Distributed), Some(ServerId(3)));
        index.update(ServerId(2), 1, 0);
        assert_eq!(index.pick(AllocationRule::Packed), Some(ServerId(1)));
        assert_eq!(index.total(), 12);
    }

    #[test]
    fn nothing_is_picked_where_nothing_is_free() {
        let mut index = AllocationIndex::default();
        index.update(ServerId(1), 0, 2);
        index.update(ServerId(1), 2, 0);
        assert_eq!(index.pick(AllocationRule::Packed), None);
        assert_eq!(index.total(), 0);
    }
}
