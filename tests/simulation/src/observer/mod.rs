//! The observer: it watches what happens, and names the first rule that is broken.
//!
//! It is written from the rules, not from the code, and is told nothing but [events](Event): calls to AWS, health
//! answers, and what players live through. Where only the manager can know whether it did right (a client whose place
//! another manager had given out), the observer lets it pass; each such place says why.

mod books;
mod ending;
mod places;
mod records;
mod rest;
mod rollouts;
mod size;

use std::fmt;

use actors::model::{Policy, Role, Timestamp};

use crate::event::{Call, Event, ManagerId, clock};
use books::Books;

/// What must always hold. The first eleven are those of ARCHITECTURE.md, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// 1: no address goes out for a server on standby, starting, silent or gone.
    Address,
    /// 2: holds and players together never exceed what the server last reported.
    Holds,
    /// 3: an instance ends only after standby, then ready to close, with no hold left; or silent past its grace.
    Ending,
    /// 4: one game task an instance, never more instances than the maximum, nor more launches in flight.
    Size,
    /// 5: one intent makes at most one instance.
    Intent,
    /// 6: what is the fleet's and serves nothing is gone within the launch deadlines; what is not is never terminated.
    Leak,
    /// 7: a crash loses nothing: who was on standby stays so.
    Memory,
    /// 8: nothing is scaled down on what cannot be read.
    Unknown,
    /// 9: with steady players and no faults the fleet settles between the margins and stays.
    Rest,
    /// 10: a launch and a new standby never come of one decision.
    Together,
    /// 11: a manager that has ended does nothing more.
    Stopping,
    /// No player in a game is ever cut off by the manager.
    Players,
    /// A revision that does not work is given up, one that was rolled back is started no more, and at rest the fleet runs
    /// the one that is wanted.
    Rollout,
    /// No place is lost: with everybody at rest, as many are given out as are free.
    Capacity,
    /// Calls stay within AWS's buckets.
    Buckets,
    /// Nothing in a manager fails.
    Alive,
}

/// A rule that was broken, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// By what.
    pub what: String,
}

/// The first rule that was broken on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which, and how.
    pub rule: Violation,
    /// When.
    pub at: Timestamp,
    /// On which day.
    pub seed: u64,
    /// The last events before it that were no routine.
    pub last: Vec<String>,
}

/// What a check says.
type Verdict = Result<(), Violation>;

fn broken(rule: Rule, what: impl Into<String>) -> Verdict {
    Err(Violation { rule, what: what.into() })
}

/// The observer.
#[derive(Debug)]
pub struct Observer {
    books: Books,
    rest: rest::Rest,
}

impl Observer {
    /// Knows what the operator wants, and nothing else yet.
    pub fn new(policy: Policy) -> Self {
        Self { books: Books::new(policy), rest: rest::Rest::default() }
    }

    /// Games cut off by a manager on servers that were silent past their grace, as the rules allow.
    pub const fn cut_off_silent(&self) -> u64 {
        self.books.cut_off_silent
    }

    /// Sees something happen.
    ///
    /// # Errors
    /// The rule that is broken by it.
    pub fn see(&mut self, now: Timestamp, event: &Event) -> Verdict {
        self.books.now = now;
        self.rest.pass(&self.books, event)?;
        self.books.pass()?;
        match event {
            Event::Called(manager, call) => self.called(*manager, call),
            Event::Sent(manager, _, given) => self.books.check_sent(*manager, given),
            Event::Arrived { arrival, given, .. } => self.books.check_arrival(arrival, *given),
            Event::CutOff(player, task, cause) => self.books.check_cut_off(*player, task, *cause),
            // What each of two managers asks for may be more than is allowed in all.
            Event::BucketEmpty(manager, call) if !self.books.two_ran() => {
                broken(Rule::Buckets, format!("{manager}: {call}"))
            }
            Event::Counted { given, free } if given != free => {
                broken(Rule::Capacity, format!("{given} places were given out at rest, {free} are free"))
            }
            _ => Ok(()),
        }?;
        self.books.note(event);
        match event {
            Event::Launched { instance, .. } => self.books.check_launched(instance),
            Event::Placed { task, instance, by, .. } => self.books.check_placed(task, instance, *by),
            _ => Ok(()),
        }
    }

    fn called(&mut self, manager: ManagerId, call: &Call) -> Verdict {
        self.books.check_alive(manager, call)?;
        match call {
            Call::RunInstances { ordinal, pool, .. } => self.books.check_launch(manager, *ordinal, *pool),
            Call::RunTask { instance, revision, .. } => self.books.check_place(manager, instance, revision),
            Call::Tag { task, role: Role::Standby } => self.books.check_standby(manager, task),
            Call::StopTask { task } => self.books.check_stop(manager, task),
            Call::Terminate { instances } => {
                instances.iter().try_for_each(|instance| self.books.check_terminate(manager, instance))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {:?}: {}", self.rule, self.what)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.last {
            writeln!(f, "    {line}")?;
        }
        write!(f, "seed {} at {}: {}", self.seed, clock(self.at), self.rule)
    }
}
