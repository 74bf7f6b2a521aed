//! Where players are sent (rules 1, 2 and 7), and how they fare there.

use actors::model::{Address, Role, TaskId, Timestamp};

use super::books::{Books, SHOWN_WITHIN};
use super::ending::Ground;
use super::records::{ManagerBook, TaskBook};
use super::{Rule, Verdict, broken};
use crate::event::{Arrival, Cause, Given, ManagerId, PlayerId};

impl Books {
    /// A manager sends a player somewhere.
    pub(super) fn check_sent(&mut self, manager: ManagerId, given: &Given) -> Verdict {
        let Given::Place(address) = given else { return Ok(()) };
        let now = self.now;
        let Some(task) = self.at.get(address).cloned() else {
            return broken(Rule::Address, format!("{manager} sends a player to {address}, where never anybody was"));
        };
        let book = self.manager(manager);
        if book.ends.get(&task).is_some_and(|(_, at)| *at < now) {
            return broken(Rule::Address, format!("{manager} sends a player to {task}, whose end it has asked for"));
        }
        let Some(ear) = book.ears.get(address).filter(|ear| !ear.answers.is_empty()) else {
            return broken(Rule::Address, format!("{manager} sends a player to {task}, which it never heard"));
        };
        if !ear.answers_at(now) {
            return broken(Rule::Address, format!("{manager} sends a player to {task}, which is silent"));
        }
        let instance = &self.tasks[&task].instance;
        let heed = self.policy.health_interval * 2 + self.policy.health_timeout;
        if book.saw_draining.get(instance).is_some_and(|at| now.since(*at) > heed) {
            return broken(Rule::Address, format!("{manager} sends a player to {task}, whose instance is about to go"));
        }
        self.check_holds(manager, address, &task)?;
        self.check_role(manager, &task);
        Ok(())
    }

    /// A server on standby may be taken back; then AWS is told so, soon.
    fn check_role(&mut self, manager: ManagerId, task: &TaskId) {
        let (now, patience) = (self.now, self.policy.call_timeout * 3 + SHOWN_WITHIN);
        let known = &self.tasks[task];
        let book = &self.managers[&manager];
        let was_told = match book.roles.get(task) {
            // Somebody else may have recorded it as available since then.
            Some((role, at)) => {
                let is_overruled = known.role == Role::Available && known.role_since > *at;
                *role == Role::Standby && *at < now && !is_overruled
            }
            None => known.role == Role::Standby && known.role_since + SHOWN_WITHIN * 2 < book.started_at,
        };
        if was_told && let Some(book) = self.managers.get_mut(&manager) {
            book.owes.entry(task.clone()).or_insert(now + patience);
        }
    }

    /// Time passes: is anything overdue?
    pub(super) fn pass(&mut self) -> Verdict {
        for (id, book) in &self.managers {
            if let Some((task, _)) = book.owes.iter().find(|(_, due)| **due < self.now) {
                let rule = if book.roles.contains_key(task) { Rule::Address } else { Rule::Memory };
                return broken(
                    rule,
                    format!("{id} sent a player to {task}, which is on standby and was not taken back"),
                );
            }
        }
        self.sample()
    }

    /// Places given out and not taken yet are no more than the server last said it has.
    fn check_holds(&self, manager: ManagerId, address: &Address, task: &TaskId) -> Verdict {
        let (now, book) = (self.now, self.manager(manager));
        let Some(ear) = book.ears.get(address) else { return Ok(()) };
        let excused = self.excused(manager, &self.tasks[task]);
        // What came at this very moment may not be known yet: the answer before it counts as well.
        let newest_at = ear.last().map(|heard| heard.at);
        let known = ear.answers.iter().rev().take(if newest_at == Some(now) { 2 } else { 1 });
        let mut allowed = known.clone().map(|heard| {
            let owed = 1 + owed(book, address, heard.looked_at, now, self.policy.hold_ttl);
            owed <= heard.answer.available_capacity as usize + excused
        });
        if allowed.any(|is_allowed| is_allowed) {
            return Ok(());
        }
        let told: Vec<u32> = known.map(|heard| heard.answer.available_capacity).collect();
        broken(Rule::Holds, format!("{manager} gives out more places of {task} than the {told:?} it last reported"))
    }

    /// Those who came to a server without a place that this manager holds for them: late, without asking, or sent by
    /// another manager. Nobody can tell them from those whose places are held, so each of them may have been taken for
    /// one; who came later for that place was then taken for the next one, and so on, until nobody was on the way.
    fn excused(&self, manager: ManagerId, task: &TaskBook) -> usize {
        let ear = task.address.as_ref().and_then(|address| self.manager(manager).ears.get(address));
        let quiet_at = ear.map_or(Timestamp::default(), |ear| ear.quiet_at);
        let came = task.arrivals.iter().filter(|(at, _)| *at >= quiet_at);
        came.filter(|(at, given)| !self.is_held(manager, *given, *at)).count()
    }

    fn is_held(&self, manager: ManagerId, given: Option<(ManagerId, Timestamp)>, came_at: Timestamp) -> bool {
        given.is_some_and(|(by, at)| by == manager && came_at.since(at) < self.policy.hold_ttl)
    }

    /// A player whose place is held comes, and finds it taken.
    pub(super) fn check_arrival(&self, arrival: &Arrival, given: Option<(ManagerId, Timestamp)>) -> Verdict {
        let (Arrival::Full(task), Some((manager, at))) = (arrival, given) else { return Ok(()) };
        let (book, known) = (self.manager(manager), &self.tasks[task]);
        let is_held = self.is_held(manager, given, self.now) && book.gone_at.is_none();
        // An earlier manager's places are not known to a new one, and addresses are used again.
        let knows_all = !self.has_company(manager) && book.started_at + self.policy.hold_ttl * 2 < at;
        let is_the_same = known.running_at.is_some_and(|running_at| running_at < at);
        if is_held && knows_all && is_the_same && self.excused(manager, known) == 0 {
            return broken(Rule::Holds, format!("a player sent by {manager} finds {task} full"));
        }
        Ok(())
    }

    /// A game ends under a player's hands.
    pub(super) fn check_cut_off(&mut self, player: PlayerId, task: &TaskId, cause: Cause) -> Verdict {
        let Cause::Manager(manager) = cause else { return Ok(()) };
        let (book, known) = (self.manager(manager), &self.tasks[task]);
        let ground = book.ends.get(task).or_else(|| book.terminated.get(&known.instance)).map(|(ground, _)| *ground);
        // A silent server's games are lost by the rules.
        if ground == Some(Ground::Silent) {
            self.cut_off_silent += 1;
            return Ok(());
        }
        let Some((came_at, given)) = known.players.get(&player) else { return Ok(()) };
        let heard = known.address.as_ref().and_then(|address| book.ears.get(address)?.last());
        let came_since = heard.is_none_or(|heard| heard.looked_at <= *came_at);
        let is_unknown = came_since && !self.is_held(manager, *given, *came_at);
        // A server that says that nobody would lose a game by its end is believed.
        let is_denied = !came_since && heard.is_some_and(|heard| heard.answer.ready_to_close);
        if is_unknown || is_denied {
            return Ok(());
        }
        broken(Rule::Players, format!("{manager} cut {player} off, who plays on {task}"))
    }
}

/// Places given out at an address that are still held for somebody who had not come by then.
pub(super) fn owed(
    book: &ManagerBook,
    address: &Address,
    looked_at: Timestamp,
    now: Timestamp,
    ttl: std::time::Duration,
) -> usize {
    let sent = book.sent.get(address).into_iter().flatten();
    sent.filter(|sent| now.since(sent.at) < ttl && sent.arrived_at.is_none_or(|came_at| came_at > looked_at)).count()
}
