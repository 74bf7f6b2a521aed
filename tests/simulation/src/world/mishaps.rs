//! Accidents, and managers that die.

use std::time::Duration;

use actors::model::InstanceId;

use super::{Errand, Happening, World};
use crate::event::{Cause, Event, ManagerId};
use crate::faults::{Accident, CrashPoint, Moment};

/// From the notice to the end: AWS's own figure.
const SPOT_NOTICE: Duration = Duration::from_secs(120);

impl World {
    pub(super) fn accident(&mut self, accident: Accident) {
        self.tell(Event::Accident(accident));
        match accident {
            Accident::InstanceLost => {
                let id = self.any_of_the_fleet();
                id.into_iter().for_each(|id| self.end_machine(&id, Cause::Failure));
            }
            Accident::ZoneLost(down) => {
                self.first_zone().iter().for_each(|id| self.end_machine(id, Cause::Failure));
                self.accident(Accident::Crash(CrashPoint::Turns(0), down));
            }
            Accident::InstanceTerminatedByHand => {
                let id = self.any_of_the_fleet();
                id.into_iter().for_each(|id| self.end_machine(&id, Cause::Operator));
            }
            Accident::InstanceStoppedByHand => {
                let id = self.any_of_the_fleet();
                id.into_iter().for_each(|id| self.stop_machine(&id));
            }
            Accident::TaskStoppedByHand => {
                let up = self.games_up();
                let game = self.chance.pick_any(&up);
                game.into_iter().for_each(|(id, _)| self.end_task(&id, Cause::Operator));
            }
            Accident::GameDies => {
                let up = self.games_up();
                let game = self.chance.pick_any(&up);
                game.into_iter().for_each(|(id, _)| self.end_task(&id, Cause::Failure));
            }
            Accident::GameHangs => self.game_hangs(),
            Accident::GameByHand => {
                let id = self.launch_machine(false, None, Cause::Operator);
                self.machine_joins(&id);
                let revision = self.newest_shown();
                self.place_task(&id, &revision, Cause::Operator);
            }
            Accident::OtherTaskByHand => self.other_task_by_hand(),
            Accident::SpotNotice => self.spot_notice(),
            Accident::NewRevision { works } => self.register(works),
            Accident::Marked(state) => self.operator_marks(state),
            Accident::Rush(players) => {
                for _ in 0..players {
                    let after = self.chance.seconds(0.0, 60.0);
                    self.new_player(after);
                }
            }
            Accident::Crash(CrashPoint::Turns(turns), down) => {
                if let Some(manager) = self.any_manager() {
                    self.crash = Some((CrashPoint::Turns(turns), down));
                    self.crash_now(manager, turns);
                }
            }
            Accident::Crash(point, down) => self.crash = Some((point, down)),
            Accident::Restart(Moment::Busy, down) => self.restart = Some(down),
            Accident::Restart(Moment::Now, down) => {
                if let Some(manager) = self.any_manager() {
                    self.errands.push(Errand::Restart(manager, down));
                }
            }
            Accident::SecondManager(span) => {
                if self.managers.len() == 1 {
                    self.errands.push(Errand::Start);
                    self.after(span, Happening::OneManagerDies);
                }
            }
        }
    }

    /// The living instances of the fleet in the zone that is asked for instances first.
    fn first_zone(&self) -> Vec<InstanceId> {
        let zone_of =
            |id: &InstanceId| self.machines[id].launch.map(|launch| self.scenario.zones[launch.pool.0 as usize]);
        let mut machines = self.fleet_machines();
        machines.retain(|id| zone_of(id) == Some(0));
        machines
    }

    fn any_of_the_fleet(&mut self) -> Option<InstanceId> {
        let machines = self.fleet_machines();
        self.chance.pick_any(&machines)
    }

    fn any_manager(&mut self) -> Option<ManagerId> {
        let managers = self.managers.clone();
        self.chance.pick_any(&managers)
    }

    /// For a while somebody else's task runs on an instance of the fleet.
    fn other_task_by_hand(&mut self) {
        let machines: Vec<InstanceId> = self.machines_of_our_own().into_iter().collect();
        let Some(id) = self.chance.pick_any(&machines) else { return };
        if let Some(machine) = self.machines.get_mut(&id) {
            machine.other_tasks = true;
        }
        self.tell(Event::OtherTask(id.clone()));
        self.show_machine(&id);
        let lasts = self.chance.seconds(1800.0, 20_000.0);
        self.after(lasts, Happening::OtherTaskEnds(id));
    }

    pub(super) fn other_task_ends(&mut self, id: &InstanceId) {
        if let Some(machine) = self.machines.get_mut(id).filter(|machine| machine.other_tasks) {
            machine.other_tasks = false;
            self.tell(Event::OtherTaskEnded(id.clone()));
            self.show_machine(id);
        }
    }

    /// One at a time: where most servers are silent, none of them is ended for it.
    fn game_hangs(&mut self) {
        let up = self.games_up();
        if up.iter().any(|(id, _)| self.tasks[id].temper.hangs_for_good) {
            return;
        }
        if let Some((id, _)) = self.chance.pick_any(&up)
            && let Some(task) = self.tasks.get_mut(&id)
        {
            task.temper.hangs_for_good = true;
        }
    }

    fn spot_notice(&mut self) {
        let Some(id) = self.any_of_the_fleet() else { return };
        if let Some(machine) = self.machines.get_mut(&id) {
            machine.is_draining = true;
        }
        self.tell(Event::Draining(id.clone()));
        self.show_machine(&id);
        self.after(SPOT_NOTICE, Happening::MachineLost(id));
    }

    /// The crash that was waited for happens to this manager; another one is started when its time has come.
    pub(super) fn crash_now(&mut self, manager: ManagerId, turns: u32) {
        let Some((_, down)) = self.crash.take() else { return };
        if !self.runs(manager) {
            return;
        }
        self.errands.push(Errand::Kill(manager, turns));
        if turns == 0 {
            self.manager_gone(manager, false);
        }
        self.wake.notify_one();
        self.start_manager_after(down);
    }

    /// A manager is started after so long, unless another one runs by then.
    pub fn start_manager_after(&mut self, down: Duration) {
        self.after(down.max(Duration::from_millis(1)), Happening::ManagerStarts);
    }

    pub(super) fn one_manager_dies(&mut self) {
        if self.managers.len() > 1
            && let Some(manager) = self.any_manager()
        {
            self.errands.push(Errand::Kill(manager, 0));
            self.manager_gone(manager, false);
        }
    }

    pub(super) fn calm(&mut self) {
        self.crash = None;
        self.restart = None;
        // Two managers at once are no calm.
        while self.managers.len() > 1 {
            self.one_manager_dies();
        }
        self.end_other_tasks();
        self.mend_revisions();
        self.tell(Event::CalmBegan);
    }

    fn end_other_tasks(&mut self) {
        let shared: Vec<InstanceId> =
            self.machines.iter().filter(|(_, machine)| machine.other_tasks).map(|(id, _)| id.clone()).collect();
        shared.iter().for_each(|id| self.other_task_ends(id));
    }
}
