//! With steady players and no faults the fleet settles between the margins within a stated time, and stays (rule 9).

use actors::model::{MarginPolicy, Policy, Role, Timestamp};

use super::books::Books;
use super::{Rule, Verdict, broken};
use crate::event::{Call, Event};
use crate::scenario::SETTLING;

#[derive(Debug, Default)]
pub(super) struct Rest {
    calm_since: Option<Timestamp>,
    /// The fleet was looked at, and was between its margins.
    has_settled: bool,
}

impl Rest {
    pub(super) fn pass(&mut self, books: &Books, event: &Event) -> Verdict {
        match event {
            Event::CalmBegan => self.calm_since = Some(books.now),
            Event::CountBegan => self.calm_since = None,
            _ => {}
        }
        // Margins that set themselves go on to do so: who came in the last hours is forgotten by and by.
        if !books.has_fixed_margins() {
            return Ok(());
        }
        // One that died in the last hours may be started again in the calm, and has something to do then.
        let begun = books.managers.values().map(|manager| manager.started_at).max().unwrap_or_default();
        if self.calm_since.is_none_or(|since| books.now.since(since.max(begun)) < SETTLING) {
            return Ok(());
        }
        if !self.has_settled {
            self.has_settled = true;
            books.check_margins()?;
        }
        match event {
            Event::Called(
                manager,
                call @ (Call::RunInstances { .. } | Call::Terminate { .. } | Call::StopTask { .. } | Call::Tag { .. }),
            ) => broken(Rule::Rest, format!("{manager} calls {call}, though nothing has changed for {SETTLING:?}")),
            _ => Ok(()),
        }
    }
}

impl Books {
    fn has_fixed_margins(&self) -> bool {
        let Policy { margin_policy, schedule, min_servers, .. } = &self.policy;
        *margin_policy == MarginPolicy::Fixed && schedule.is_empty() && *min_servers > 0
    }

    fn check_margins(&self) -> Verdict {
        let policy = &self.policy;
        let running = self.tasks.values().filter(|task| task.running_at.is_some() && task.ended_at.is_none());
        let available: Vec<_> = running.filter(|task| task.role == Role::Available).collect();
        let free: usize = available.iter().map(|task| policy.server_capacity as usize - task.players.len()).sum();
        let foreign =
            self.tasks.values().filter(|task| task.ended_at.is_none() && !self.machines[&task.instance].owned);
        let servers = self.machines.values().filter(|machine| machine.is_of_the_fleet()).count() + foreign.count();
        let is_at_maximum = servers >= policy.max_servers as usize;
        if free < policy.upscale_margin as usize && !is_at_maximum {
            let what = format!("{free} places are free at rest, below the margin of {}", policy.upscale_margin);
            return broken(Rule::Rest, what);
        }
        if free > policy.downscale_margin as usize && available.len() > policy.min_servers as usize {
            let what = format!("{free} places are free at rest, above the margin of {}", policy.downscale_margin);
            return broken(Rule::Rest, what);
        }
        if is_at_maximum { Ok(()) } else { self.check_revisions() }
    }
}
