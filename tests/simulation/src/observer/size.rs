//! How many there are (rule 4), of which launch (rule 5), how long they serve nothing (rule 6), and what is decided
//! together (rule 10).

use std::time::Duration;

use actors::model::{InstanceId, LaunchOrdinal, Pool, TaskId, Timestamp};

use super::books::{Books, SHOWN_WITHIN};
use super::records::ManagerBook;
use super::{Rule, Verdict, broken};
use crate::event::{Cause, ManagerId};

/// Between two looks at what serves nothing.
const SAMPLE: Duration = Duration::from_secs(30);

/// How long after a launch that was spent the next one is asked for.
const GOES_ON: Duration = Duration::from_secs(5);

/// After a fault, or a manager's start, things take a while to get going.
const RECOVERY: Duration = Duration::from_mins(3);

impl Books {
    /// A manager asks for a launch.
    pub(super) fn check_launch(&self, manager: ManagerId, ordinal: LaunchOrdinal, pool: Pool) -> Verdict {
        let book = self.manager(manager);
        let is_new = !book.launches.contains_key(&ordinal);
        // Whoever is started in the place of one that has just launched arrives at the same intent, and so at the same
        // instances: the next one after all that is shown. Later, what is not shown is long forgotten.
        let next = book.highest_launch.map_or(LaunchOrdinal(1), |launch| launch.plus(1));
        let is_early = book.first_look_at.is_none_or(|at| self.now.since(at) < SHOWN_WITHIN);
        if is_early && ordinal > next {
            return broken(Rule::Intent, format!("{manager} asks for launch {ordinal}, the next one is {next}"));
        }
        // Where zones keep intents apart, one that a manager before it made in another zone could be made here again.
        if is_early && self.policy.pools > 1 && !self.policy.intents_span_pools {
            let what = format!("{manager} asks for launch {ordinal} before it must see what was launched elsewhere");
            return broken(Rule::Intent, what);
        }
        // One that was not answered may have been made: before AWS must show it, only the same one again can tell.
        let open = book.open_launch.filter(|(asked, at)| *asked < ordinal && self.now.since(*at) < SHOWN_WITHIN / 2);
        if is_new && let Some((asked, _)) = open {
            return broken(Rule::Intent, format!("{manager} asks for launch {ordinal}, with {asked} not answered"));
        }
        // Nor can another pool, which may have instances where the first one made them late.
        if let Some((_, asked)) = book.unanswered_pools.iter().find(|(of, asked)| *of == ordinal && *asked != pool) {
            let what = format!("{manager} asks pool {pool} for launch {ordinal}, with pool {asked} not answered");
            return broken(Rule::Intent, what);
        }
        let is_decided_now = is_new && !self.goes_on(manager, ordinal);
        if is_decided_now && book.last_standby_at == self.now && self.delay(manager) == Duration::ZERO {
            return broken(Rule::Together, format!("{manager} decided a launch and a standby at once"));
        }
        Ok(())
    }

    /// Whether a launch takes the place of one that turned out to have been made before, and to have ended: that one
    /// was decided on, some moments ago.
    fn goes_on(&self, manager: ManagerId, ordinal: LaunchOrdinal) -> bool {
        let before = self.manager(manager).launches.range(..ordinal).next_back();
        before.is_some_and(|(before, asked_at)| {
            self.now.since(*asked_at) < GOES_ON && self.launches.get(before).is_some_and(|made_at| made_at < asked_at)
        })
    }

    /// A manager sends a server to standby.
    pub(super) fn check_together(&self, manager: ManagerId) -> Verdict {
        let launches = self.manager(manager).launches.iter();
        let mut launches_now = launches.filter(|(ordinal, at)| **at == self.now && !self.goes_on(manager, **ordinal));
        if launches_now.next().is_some() && self.delay(manager) == Duration::ZERO {
            return broken(Rule::Together, format!("{manager} decided a launch and a standby at once"));
        }
        Ok(())
    }

    /// An instance was launched.
    pub(super) fn check_launched(&self, instance: &InstanceId) -> Verdict {
        let Some(ordinal) = self.machines[instance].ordinal else { return Ok(()) };
        // Where zones keep intents apart, an ordinal that was used up in another one and is long forgotten is another
        // intent; and each of two managers at once may ask a pool of its own.
        let mut others = self
            .machines
            .iter()
            .filter(|(_, machine)| machine.ordinal == Some(ordinal) && machine.launched_at != self.now);
        let is_over = others.all(|(_, machine)| machine.ended_at.is_some());
        let may_repeat = !self.policy.intents_span_pools && (is_over || self.two_ran());
        if self.launches[&ordinal] != self.now && !may_repeat {
            return broken(Rule::Intent, format!("launch {ordinal} made instances twice: {instance} is one too many"));
        }
        if self.two_ran() {
            return Ok(());
        }
        let fleet: Vec<&InstanceId> =
            self.machines.iter().filter(|(_, machine)| machine.is_of_the_fleet()).map(|(id, _)| id).collect();
        if fleet.len() > self.policy.max_servers as usize {
            let what = format!("{} instances are more than the maximum of {}", fleet.len(), self.policy.max_servers);
            return broken(Rule::Size, what);
        }
        let launching = fleet.iter().filter(|id| self.is_launching(id)).count();
        if launching > self.policy.max_launching as usize {
            let what = format!("{launching} launches in flight exceed the maximum of {}", self.policy.max_launching);
            return broken(Rule::Size, what);
        }
        Ok(())
    }

    /// A manager placed a task.
    pub(super) fn check_placed(&self, task: &TaskId, instance: &InstanceId, by: Cause) -> Verdict {
        let there = |other: &&TaskId| {
            *other != task && self.tasks[*other].instance == *instance && self.tasks[*other].ended_at.is_none()
        };
        match (by, self.tasks.keys().find(there)) {
            (Cause::Manager(manager), Some(other)) => {
                broken(Rule::Size, format!("{manager} placed {task} on {instance}, where {other} runs"))
            }
            _ => Ok(()),
        }
    }

    /// On its way: nothing on it has served, or ended, and nobody asked for its end.
    fn is_launching(&self, id: &InstanceId) -> bool {
        // What ran when a manager first looked may have players, and is no launch of its.
        let looked_at = |manager: &ManagerBook| manager.first_look_at.unwrap_or(manager.started_at);
        let came_at = self.managers.values().map(looked_at).max().unwrap_or_default();
        let ran_before = |at: Timestamp| at < came_at + SHOWN_WITHIN;
        let mut tasks = self.tasks.iter().filter(|(_, task)| task.instance == *id);
        let asked_to_end = |task: &TaskId| self.managers.values().any(|manager| manager.ends.contains_key(task));
        let ended_task = tasks.any(|(name, task)| {
            task.ended_at.is_some() || task.running_at.is_some_and(ran_before) || asked_to_end(name)
        });
        let is_doomed = self.managers.values().any(|manager| manager.terminated.contains_key(id));
        let machine = &self.machines[id];
        // Where somebody else's task came first no game is placed: it is given up, and costs until that has ended.
        let is_taken = machine.other_task_since.is_some() || machine.other_task_until.is_some();
        !machine.served && !machine.is_stopped && !is_taken && !ended_task && !is_doomed
    }

    /// Now and then: what serves nothing, though it could have been seen to.
    pub(super) fn sample(&mut self) -> Verdict {
        let (now, since) = (self.now, self.now.since(self.sampled_at));
        if since < SAMPLE {
            return Ok(());
        }
        self.sampled_at = now;
        let running = self.managers.values().filter(|manager| manager.gone_at.is_none());
        let is_attended = running.clone().count() == 1
            && running.clone().all(|manager| now.since(manager.started_at) > RECOVERY)
            && self.faults == 0
            && now.since(self.fault_at) > RECOVERY;
        if !is_attended {
            return Ok(());
        }
        let heard_within = (self.policy.health_interval + self.policy.health_timeout) * 4 + SAMPLE;
        let serving: Vec<InstanceId> = self
            .tasks
            .values()
            .filter(|task| task.ended_at.is_none())
            .filter(|task| !task.players.is_empty() || task.heard_at.is_some_and(|at| now.since(at) < heard_within))
            .map(|task| task.instance.clone())
            .collect();
        // While most are silent none that runs is ended for it: the fault may be the manager's.
        let up = self.tasks.values().filter(|task| task.running_at.is_some() && task.ended_at.is_none());
        let running: Vec<InstanceId> = up.map(|task| task.instance.clone()).collect();
        let silent = running.iter().filter(|id| !serving.contains(id)).count();
        let spared = if silent * 2 > running.len() { running } else { Vec::new() };
        let policy = &self.policy;
        // The deadlines of a launch, one after the other; then its end has to be asked for and to be carried out.
        let most = policy.boot_deadline
            + policy.placement_deadline
            + policy.healthy_deadline
            + policy.silence_grace
            + RECOVERY;
        for (id, machine) in self.machines.iter_mut().filter(|(_, machine)| machine.is_of_the_fleet()) {
            if serving.contains(id) || spared.contains(id) || machine.other_task_since.is_some() {
                machine.idle = Duration::ZERO;
                continue;
            }
            machine.idle += since.min(SAMPLE * 2);
            if machine.idle > most {
                return broken(Rule::Leak, format!("{id} has served nothing for {:?}", machine.idle));
            }
        }
        Ok(())
    }
}
