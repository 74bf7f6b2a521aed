//! What is counted over the days.

use std::collections::BTreeMap;
use std::fmt;

use crate::event::{Arrival, Cause, Event, Given};

/// Counts of one day, or of many.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Days that were lived to their end.
    pub days: u64,
    /// Things that happened.
    pub events: u64,
    /// Instances that managers launched.
    pub launches: u64,
    /// Instances that managers terminated.
    pub terminations: u64,
    /// Managers started.
    pub managers: u64,
    /// Calls to AWS.
    pub calls: u64,
    /// Calls that were not answered, or refused.
    pub failed_calls: u64,
    /// Faults and accidents by kind; an accident may have found nothing to befall.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests for a place that came to a manager; a client may ask again.
    pub asked: u64,
    /// Players who got to play.
    pub served: u64,
    /// Clients sent to the backup.
    pub to_the_backup: u64,
    /// Clients that nobody answered.
    pub unanswered: u64,
    /// Players who found a server full.
    pub found_full: u64,
    /// Players who found nobody where they were sent.
    pub found_nobody: u64,
    /// Games cut off by what broke, or by hand.
    pub lost_to_failures: u64,
    /// Games cut off by a manager.
    pub cut_off: u64,
    /// Of these: on servers that were silent past their grace. The others are of players that it could not know of:
    /// who came late, without asking, or by a second manager; or who were on a server that said it had none.
    pub cut_off_silent: u64,
    /// Games that ended as their players wanted.
    pub played_to_the_end: u64,
}

impl Figures {
    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        self.events += 1;
        match event {
            Event::FaultBegan(fault) => *self.faults.entry(fault.kind.name()).or_default() += 1,
            Event::Accident(accident) => *self.faults.entry(accident.name()).or_default() += 1,
            Event::ManagerStarted(_) => self.managers += 1,
            Event::Called(..) => self.calls += 1,
            Event::CallEnded(_, _, how) => self.failed_calls += u64::from(*how != "answered"),
            Event::Launched { by: Cause::Manager(_), .. } => self.launches += 1,
            Event::InstanceEnded(_, Cause::Manager(_)) => self.terminations += 1,
            Event::Sent(_, _, given) => {
                self.asked += 1;
                self.to_the_backup += u64::from(*given == Given::Backup);
                self.unanswered += u64::from(*given == Given::Nothing);
            }
            Event::Arrived { arrival, .. } => match arrival {
                Arrival::Seated(_) => self.served += 1,
                Arrival::Full(_) => self.found_full += 1,
                Arrival::Nobody(_) => self.found_nobody += 1,
            },
            Event::Left(..) => self.played_to_the_end += 1,
            Event::CutOff(_, _, Cause::Manager(_)) => self.cut_off += 1,
            Event::CutOff(..) => self.lost_to_failures += 1,
            Event::Counted { .. } => self.days += 1,
            _ => {}
        }
    }

    /// Adds those of other days.
    pub fn add(&mut self, mut other: Self) {
        for (mine, theirs) in self.numbers().into_iter().zip(other.numbers()) {
            *mine += *theirs;
        }
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
    }

    fn numbers(&mut self) -> [&mut u64; 17] {
        // By name, so that none is forgotten.
        let Self {
            days,
            events,
            launches,
            terminations,
            managers,
            calls,
            failed_calls,
            faults: _,
            asked,
            served,
            to_the_backup,
            unanswered,
            found_full,
            found_nobody,
            lost_to_failures,
            cut_off,
            cut_off_silent,
            played_to_the_end,
        } = self;
        [
            days,
            events,
            launches,
            terminations,
            managers,
            calls,
            failed_calls,
            asked,
            served,
            to_the_backup,
            unanswered,
            found_full,
            found_nobody,
            lost_to_failures,
            cut_off,
            cut_off_silent,
            played_to_the_end,
        ]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("fleet-days", self.days),
            ("events", self.events),
            ("managers started", self.managers),
            ("calls to AWS", self.calls),
            ("  of which failed", self.failed_calls),
            ("instances launched", self.launches),
            ("instances terminated", self.terminations),
            ("requests for a place", self.asked),
            ("  sent to the backup", self.to_the_backup),
            ("  not answered", self.unanswered),
            ("players served", self.served),
            ("  played to the end", self.played_to_the_end),
            ("  lost to failures", self.lost_to_failures),
            ("  ended with a silent server", self.cut_off_silent),
            ("  ended unknown to it, or on the server's word", self.cut_off - self.cut_off_silent),
            ("found a full server", self.found_full),
            ("found nobody", self.found_nobody),
        ];
        for (name, number) in rows {
            writeln!(f, "{name:<44} {number:>12}")?;
        }
        writeln!(f, "faults")?;
        for (name, number) in &self.faults {
            writeln!(f, "  {name:<42} {number:>12}")?;
        }
        Ok(())
    }
}
