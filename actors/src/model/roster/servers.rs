//! The servers of a roster, found by their number in one step.

use std::collections::VecDeque;

use crate::model::id::ServerId;
use crate::model::server::Server;

/// Servers, oldest first. They are numbered in the order of their coming, so that each has a slot of its own: eight bytes
/// for each server that came after the oldest one that is left. A tree of a hundred thousand is as deep as it takes ten
/// times as long to go down there as to take in what a server said.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// The first one's number.
    first: u64,
    /// Empty is the slot of one that is gone. The first and the last are not.
    slots: VecDeque<Option<Box<Server>>>,
    len: usize,
}

impl Servers {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: ServerId) -> Option<&Server> {
        self.slots.get(self.slot(id)?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        let slot = self.slot(id)?;
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Server> {
        self.slots.iter().filter_map(Option::as_deref)
    }

    /// All of them, oldest first, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Server> {
        self.slots.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// Adds one that came after all that there ever were.
    pub(super) fn push(&mut self, server: Server) -> &mut Server {
        let number = server.id.number();
        if self.slots.is_empty() {
            self.first = number;
        }
        let slot = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        self.slots.resize_with(slot + 1, || None);
        self.len += 1;
        self.slots[slot].insert(Box::new(server))
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, id: ServerId) {
        let Some(slot) = self.slot(id) else { return };
        if self.slots.get_mut(slot).and_then(Option::take).is_some() {
            self.len -= 1;
        }
        while self.slots.pop_front_if(|slot| slot.is_none()).is_some() {
            self.first += 1;
        }
        while self.slots.pop_back_if(|slot| slot.is_none()).is_some() {}
    }

    fn slot(&self, id: ServerId) -> Option<usize> {
        usize::try_from(id.number().checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::life::Phase;
    use crate::model::time::Timestamp;

    fn servers(numbers: &[u64]) -> Servers {
        let mut servers = Servers::default();
        for number in numbers {
            let (id, now) = (ServerId::from_number(*number), Timestamp::default());
            servers.push(Server::new(id, Phase::Booting, None, now, now));
        }
        servers
    }

    fn numbers(servers: &Servers) -> Vec<u64> {
        let numbers: Vec<u64> = servers.iter().map(|server| server.id.number()).collect();
        assert_eq!(numbers.len(), servers.len());
        numbers
    }

    #[test]
    fn each_is_found_by_its_number_and_no_other() {
        let mut servers = servers(&[3, 4, 9]);
        for number in 0..12 {
            let id = ServerId::from_number(number);
            let found = [3, 4, 9].contains(&number).then_some(id);
            assert_eq!(servers.get(id).map(|server| server.id), found);
            assert_eq!(servers.get_mut(id).map(|server| server.id), found);
        }
        assert_eq!(numbers(&servers), [3, 4, 9]);
    }

    #[test]
    fn those_that_are_gone_leave_nothing_behind_at_either_end() {
        let mut servers = servers(&[1, 2, 3, 4]);
        for (gone, left, slots) in
            [(2, &[1, 3, 4][..], 4), (2, &[1, 3, 4], 4), (1, &[3, 4], 2), (4, &[3], 1), (9, &[3], 1)]
        {
            servers.remove(ServerId::from_number(gone));
            assert_eq!((numbers(&servers).as_slice(), servers.slots.len()), (left, slots));
        }
        servers.remove(ServerId::from_number(3));
        assert_eq!((numbers(&servers).len(), servers.slots.len()), (0, 0));
        let (id, now) = (ServerId::from_number(70), Timestamp::default());
        servers.push(Server::new(id, Phase::Booting, None, now, now));
        assert_eq!((numbers(&servers), servers.slots.len()), (vec![70], 1));
    }
}
