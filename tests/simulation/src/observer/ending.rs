//! What is stopped and terminated, and what is sent to standby (rules 3, 6 and 8).

use std::time::Duration;

use actors::model::{Address, InstanceId, Role, TaskId};

use super::books::{Books, SHOWN_WITHIN};
use super::places::owed;
use super::records::{MachineBook, TaskBook};
use super::{Rule, Verdict, Violation, broken};
use crate::event::{Call, ManagerId};

/// Why a server's end is in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ground {
    /// It has ended already, or its task has.
    Ended,
    /// It never served, and is past a deadline.
    Overdue,
    /// It went to standby, and then said that it is ready to close.
    Drained,
    /// It was silent past its grace.
    Silent,
}

/// Clocks of timers and of AWS differ by less.
const JITTER: Duration = Duration::from_secs(1);

impl Books {
    /// A manager that has ended, or not looked around yet, changes nothing.
    pub(super) fn check_alive(&self, manager: ManagerId, call: &Call) -> Verdict {
        let book = self.manager(manager);
        let is_told = book.told_to_end_at.is_some_and(|at| at < self.now) && self.delay(manager) == Duration::ZERO;
        // Orders under way are finished; of one that stops tasks, the instances may come second.
        let begins = match call {
            Call::RunInstances { ordinal, .. } => !book.launches.contains_key(ordinal),
            Call::Tag { task, role } => book.roles.get(task).is_none_or(|(asked, _)| asked != role),
            Call::StopTask { task } => !book.ends.contains_key(task),
            _ => false,
        };
        if book.ended || is_told && begins {
            return broken(Rule::Stopping, format!("{manager} was told to end and calls {call}"));
        }
        if call.is_change() && book.looked_at.is_none() {
            return broken(Rule::Unknown, format!("{manager} has not seen the fleet and calls {call}"));
        }
        Ok(())
    }

    pub(super) fn check_standby(&mut self, manager: ManagerId, task: &TaskId) -> Verdict {
        if self.manager(manager).roles.get(task).is_some_and(|(role, _)| *role == Role::Standby) {
            return Ok(());
        }
        self.check_together(manager)?;
        // A role that another manager recorded may be recorded again.
        if self.tasks.get(task).is_some_and(|task| task.role == Role::Standby) {
            return Ok(());
        }
        self.check_fresh(manager, &format!("standby of {task}"))?;
        let delayed = self.delay(manager) > Duration::ZERO;
        let address = self.tasks.get(task).and_then(|task| task.address.clone());
        let answers = address.as_ref().and_then(|address| self.manager(manager).ears.get(address));
        if !delayed && !answers.is_some_and(|ear| ear.answers_at(self.now)) {
            return broken(Rule::Unknown, format!("{manager} sends {task} to standby, which does not answer"));
        }
        Ok(())
    }

    pub(super) fn check_stop(&mut self, manager: ManagerId, task: &TaskId) -> Verdict {
        if self.manager(manager).ends.contains_key(task) {
            return Ok(());
        }
        let Some(known) = self.tasks.get(task) else {
            return broken(Rule::Leak, format!("{manager} stops {task}, which is not the fleet's"));
        };
        let ground = self.ground(manager, &known.instance.clone(), Some(task))?;
        let now = self.now;
        if let Some(book) = self.managers.get_mut(&manager) {
            book.ends.insert(task.clone(), (ground, now));
        }
        Ok(())
    }

    pub(super) fn check_terminate(&mut self, manager: ManagerId, instance: &InstanceId) -> Verdict {
        let Some(machine) = self.machines.get(instance).filter(|machine| machine.owned) else {
            return broken(Rule::Leak, format!("{manager} terminates {instance}, which is not the fleet's"));
        };
        let book = self.manager(manager);
        let saw_others = machine
            .other_task_since
            .is_some_and(|since| book.looked_at.is_some_and(|looked_at| looked_at > since + SHOWN_WITHIN));
        if saw_others && machine.ended_at.is_none() {
            return broken(Rule::Leak, format!("{manager} terminates {instance}, on which somebody else's task runs"));
        }
        if book.terminated.contains_key(instance) {
            return Ok(());
        }
        let task = self.living_task_on(instance);
        let stopped = task.as_ref().and_then(|task| book.ends.get(task)).map(|(ground, _)| *ground);
        let ground = match stopped {
            Some(ground) => ground,
            None => self.ground(manager, instance, task.as_ref())?,
        };
        let now = self.now;
        if let Some(book) = self.managers.get_mut(&manager) {
            book.terminated.insert(instance.clone(), (ground, now));
        }
        Ok(())
    }

    fn living_task_on(&self, instance: &InstanceId) -> Option<TaskId> {
        let mut living = self.tasks.iter().filter(|(_, task)| task.instance == *instance && task.ended_at.is_none());
        living.next().map(|(id, _)| id.clone())
    }

    /// Why the end of a server is in order, if it is.
    fn ground(&self, manager: ManagerId, instance: &InstanceId, task: Option<&TaskId>) -> Result<Ground, Violation> {
        let known = task.and_then(|task| self.tasks.get(task));
        let machine = &self.machines[instance];
        let had_tasks = self.tasks.values().any(|task| task.instance == *instance);
        if machine.ended_at.is_some() || machine.is_stopped || known.map_or(had_tasks, |task| task.ended_at.is_some()) {
            return Ok(Ground::Ended);
        }
        let name = task.map_or_else(|| instance.to_string(), ToString::to_string);
        self.check_fresh(manager, &format!("the end of {name}"))?;
        let address = known.and_then(|task| task.address.as_ref());
        let heard = address.and_then(|address| self.manager(manager).ears.get(address));
        let was_heard = known.is_some_and(|task| task.heard_at.is_some());
        if !was_heard && self.is_overdue(machine, known) {
            return Ok(Ground::Overdue);
        }
        if let (Some(address), Some(task), Some(ear)) = (address, task, heard) {
            if ear.misses == 0 || ear.answers_at(self.now) {
                return self.check_drained(manager, task, address).map(|()| Ground::Drained);
            }
            return self.check_silent(manager, task, address).map(|()| Ground::Silent);
        }
        let what = format!("{manager} ends {name}, which never served and is within its deadlines");
        Err(Violation { rule: Rule::Ending, what })
    }

    /// Past the deadline of a stage. AWS may show late that the next stage was reached.
    fn is_overdue(&self, machine: &MachineBook, task: Option<&TaskBook>) -> bool {
        let (now, policy) = (self.now + JITTER, &self.policy);
        let late = SHOWN_WITHIN + policy.observe_interval + policy.call_timeout * 2;
        let boot = machine.launched_at + policy.boot_deadline;
        let is_boot_overdue = now >= boot && machine.joined_at.is_none_or(|joined_at| joined_at + late > boot);
        let running_at = task.and_then(|task| task.running_at);
        let is_placement_overdue = machine.joined_at.is_some_and(|joined_at| {
            let placement = joined_at + policy.placement_deadline;
            now >= placement && running_at.is_none_or(|running_at| running_at + late > placement)
        });
        is_boot_overdue
            || is_placement_overdue
            || running_at.is_some_and(|running_at| now >= running_at + policy.healthy_deadline)
    }

    fn check_drained(&self, manager: ManagerId, task: &TaskId, address: &Address) -> Verdict {
        let (book, known) = (self.manager(manager), &self.tasks[task]);
        let Some(heard) = book.ears.get(address).and_then(|ear| ear.last()) else { return Ok(()) };
        let end = |what: &str| broken(Rule::Ending, format!("{manager} ends {task}, {what}"));
        if !heard.answer.ready_to_close {
            return end("which is not ready to close");
        }
        let since = match book.roles.get(task) {
            Some((Role::Standby, since)) => *since,
            // It was so before this manager came.
            None if known.role == Role::Standby || known.role_since + SHOWN_WITHIN > self.now => book.started_at,
            // Somebody else recorded it after this manager had taken it back.
            Some((Role::Available, at)) if known.role == Role::Standby && known.role_since > *at => known.role_since,
            _ => return end("which never went to standby"),
        };
        if self.delay(manager) == Duration::ZERO && heard.asked_at <= since {
            return end("which was not heard since it went to standby");
        }
        let (now, ttl) = (self.now, self.policy.hold_ttl);
        // Places that an earlier manager gave out are waited for; one that runs at the same time is not known of.
        let (started_at, mine) = (book.started_at, manager);
        let before = |id: ManagerId, gone_at: Option<_>| id == mine || gone_at.is_some_and(|at| at <= started_at);
        let holders = self.managers.iter().filter(|(id, other)| before(**id, other.gone_at));
        let owed: usize = holders.map(|(_, other)| owed(other, address, heard.looked_at, now, ttl)).sum();
        if owed > 0 {
            return end(&format!("where {owed} players are on their way"));
        }
        Ok(())
    }

    fn check_silent(&self, manager: ManagerId, task: &TaskId, address: &Address) -> Verdict {
        let book = self.manager(manager);
        let Some(ear) = book.ears.get(address) else { return Ok(()) };
        let end = |what: &str| broken(Rule::Ending, format!("{manager} ends {task}, {what}"));
        if ear.misses < self.policy.silent_after_misses {
            return end("which has not missed enough questions");
        }
        if self.now + JITTER < ear.missing_since + self.policy.silence_grace {
            return end("which is silent, and within its grace");
        }
        self.check_not_blind(manager, task)
    }

    /// When most servers are silent at once, the fault is more likely on the manager's side.
    fn check_not_blind(&self, manager: ManagerId, task: &TaskId) -> Verdict {
        let book = self.manager(manager);
        let pace = (self.policy.health_interval + self.policy.health_timeout) * 3;
        let (mut serving, mut silent) = (0, 0);
        for (address, ear) in &book.ears {
            let is_asked = self.now.since(ear.asked_at) < pace;
            let ended = self.at.get(address).is_none_or(|other| other != task && book.ends.contains_key(other));
            if is_asked && !ended && !ear.answers.is_empty() {
                serving += 1;
                silent += u32::from(ear.misses >= self.policy.silent_after_misses);
            }
        }
        if self.delay(manager) == Duration::ZERO && serving >= 3 && silent * 2 > serving + 1 {
            let what = format!("{manager} ends {task} as silent, while {silent} of {serving} are silent");
            return broken(Rule::Unknown, what);
        }
        Ok(())
    }

    /// Nothing is scaled down on an old look.
    fn check_fresh(&self, manager: ManagerId, what: &str) -> Verdict {
        let book = self.manager(manager);
        let age = book.looked_at.map(|looked_at| self.now.since(looked_at));
        let most = self.policy.stale_after() + self.delay(manager) + JITTER;
        if age.is_none_or(|age| age > most) {
            return broken(Rule::Unknown, format!("{manager} decided the {what} on a look that is {age:?} old"));
        }
        Ok(())
    }
}
