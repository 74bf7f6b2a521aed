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

/// The room that a server has for players.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Room {
    /// It is to be replaced: players go there when there is no room elsewhere.
    pub outdated: bool,
    /// Free places.
    pub free: u32,
}

impl Room {
    /// None at all.
    pub const NONE: Self = Self { outdated: false, free: 0 };
}

/// Servers with room, those that stay before those that are to be replaced, and then by how many places are free. Of
/// two alike, the older one is the fuller.
#[derive(Debug, Default)]
pub struct AllocationIndex {
    /// The first of them, apart from the others: while places are packed it is the one that is being filled, and stays first.
    first: Option<Place>,
    others: BTreeSet<Place>,
    total: u64,
}

/// A server and its room as one number, because it is compared a dozen times for each player: whether it is outdated, then
/// how many places are free, then the server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place(u128);

impl Place {
    const FREE: u32 = 64;
    const OUTDATED: u32 = 96;

    const fn of(Room { outdated, free }: Room, ServerId(server): ServerId) -> Self {
        Self((outdated as u128) << Self::OUTDATED | (free as u128) << Self::FREE | server as u128)
    }

    const fn is_outdated(self) -> bool {
        self.0 >> Self::OUTDATED != 0
    }

    const fn free(self) -> u32 {
        (self.0 >> Self::FREE) as u32
    }

    const fn server(self) -> ServerId {
        ServerId(self.0 as u64)
    }
}

impl AllocationIndex {
    /// Changes what is known of a server's room from `old` to `new`.
    pub fn update(&mut self, server: ServerId, old: Room, new: Room) {
        if old == new {
            return;
        }
        let (before, after) = (Place::of(old, server), Place::of(new, server));
        match (old.free > 0, new.free > 0) {
            (true, true) if self.first == Some(before) && after < before => self.first = Some(after),
            (had_room, has_room) => {
                if had_room {
                    self.remove(before);
                }
                if has_room {
                    self.insert(after);
                }
            }
        }
        self.total = self.total - u64::from(old.free) + u64::from(new.free);
    }

    fn remove(&mut self, place: Place) {
        if self.first == Some(place) {
            self.first = self.others.pop_first();
        } else {
            self.others.remove(&place);
        }
    }

    fn insert(&mut self, place: Place) {
        match self.first {
            Some(first) if first < place => {
                self.others.insert(place);
            }
            first => {
                self.others.extend(first);
                self.first = Some(place);
            }
        }
    }

    /// The server that the next players go to, so many together, if any has room for them.
    pub fn pick(&self, rule: AllocationRule, seats: u32) -> Option<ServerId> {
        let with_room = |outdated| {
            let least = Place::of(Room { outdated, free: seats.max(1) }, ServerId(0));
            let most = Place::of(Room { outdated, free: u32::MAX }, ServerId(u64::MAX));
            let first = self.first.filter(|first| (least..=most).contains(first));
            let mut others = self.others.range(least..=most);
            match rule {
                AllocationRule::Packed => first.or_else(|| others.next().copied()),
                AllocationRule::Distributed => others.next_back().copied().or(first),
            }
        };
        // What nearly all ask for is at an end, and needs no search.
        let at_the_end = match rule {
            AllocationRule::Packed => self.first.filter(|_| seats <= 1),
            AllocationRule::Distributed => {
                let last = self.others.last().copied().or(self.first);
                last.filter(|last| !last.is_outdated() && last.free() >= seats.max(1))
            }
        };
        at_the_end.or_else(|| with_room(false)).or_else(|| with_room(true)).map(Place::server)
    }

    /// Free places in all.
    pub const fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const fn room(free: u32) -> Room {
        Room { outdated: false, free }
    }

    #[test]
    fn servers_to_be_replaced_are_picked_when_there_is_no_room_elsewhere() {
        let old = |free| Room { outdated: true, free };
        for rule in [AllocationRule::Packed, AllocationRule::Distributed] {
            let mut index = AllocationIndex::default();
            for (server, room) in [(1, old(1)), (2, room(5)), (3, old(9))] {
                index.update(ServerId(server), Room::NONE, room);
            }
            assert_eq!(index.pick(rule, 1), Some(ServerId(2)));
            index.update(ServerId(2), room(5), room(0));
            let left = if rule == AllocationRule::Packed { 1 } else { 3 };
            assert_eq!(index.pick(rule, 1), Some(ServerId(left)));
        }
    }

    #[test]
    fn packed_takes_the_fullest_and_distributed_the_emptiest() {
        let mut index = AllocationIndex::default();
        for (server, free) in [(1, 3), (2, 1), (3, 9), (4, 0)] {
            index.update(ServerId(server), Room::NONE, room(free));
        }
        assert_eq!(index.total(), 13);
        assert_eq!(index.pick(AllocationRule::Packed, 1), Some(ServerId(2)));
        assert_eq!(index.pick(AllocationRule::Distributed, 1), Some(ServerId(3)));
        index.update(ServerId(2), room(1), room(0));
        assert_eq!(index.pick(AllocationRule::Packed, 1), Some(ServerId(1)));
        assert_eq!(index.total(), 12);
    }

    #[test]
    fn a_party_goes_where_all_of_it_has_room() {
        for (rule, server) in [(AllocationRule::Packed, 3), (AllocationRule::Distributed, 4)] {
            let mut index = AllocationIndex::default();
            let old = Room { outdated: true, free: 9 };
            for (server, room) in [(1, room(3)), (2, old), (3, room(5)), (4, room(8))] {
                index.update(ServerId(server), Room::NONE, room);
            }
            assert_eq!(index.pick(rule, 4), Some(ServerId(server)));
            assert_eq!(index.pick(rule, 9), Some(ServerId(2)), "only one that is to be replaced has so many");
            assert_eq!(index.pick(rule, 10), None);
        }
    }

    #[test]
    fn nothing_is_picked_where_nothing_is_free() {
        let mut index = AllocationIndex::default();
        index.update(ServerId(1), Room::NONE, room(2));
        index.update(ServerId(1), room(2), room(0));
        assert_eq!(index.pick(AllocationRule::Packed, 1), None);
        assert_eq!(index.total(), 0);
    }

    proptest! {
        #[test]
        fn it_picks_as_a_search_through_all_servers_would(
            changes in vec((0_u64..12, any::<bool>(), 0_u32..5), 1..200),
            seats in 0_u32..4,
        ) {
            let mut index = AllocationIndex::default();
            let mut rooms = [Room::NONE; 12];
            for (server, outdated, free) in changes {
                let new = Room { outdated, free };
                index.update(ServerId(server), rooms[server as usize], new);
                rooms[server as usize] = new;
                let fits = |outdated| {
                    let all = (0..).map(ServerId).zip(rooms);
                    let fits = all.filter(move |(_, room)| room.outdated == outdated && room.free >= seats.max(1));
                    fits.map(|(server, room)| (room.free, server))
                };
                let packed = fits(false).min().or_else(|| fits(true).min()).map(|(_, server)| server);
                prop_assert_eq!(index.pick(AllocationRule::Packed, seats), packed);
                let distributed = fits(false).max().or_else(|| fits(true).max()).map(|(_, server)| server);
                prop_assert_eq!(index.pick(AllocationRule::Distributed, seats), distributed);
                prop_assert_eq!(index.total(), rooms.iter().map(|room| u64::from(room.free)).sum::<u64>());
            }
        }
    }
}
