//! The roster: every game server that is known, and what follows from what is heard of it.
//!
//! Each file is one thing that can be done with it: [`allocate`](Roster::allocate) a place, take in a health
//! [`report`](Roster::report) or a look at the cloud ([`observe`](Roster::observe)), [`commit`](Roster::commit) an
//! action that was decided, and tell what the cloud is to be asked for ([`orders`](Roster::orders)).

mod allocate;
mod commit;
mod estimate;
mod operator;
mod orders;
mod reckon;
mod reconcile;
mod report;
mod servers;
mod snapshot;
mod view;

use std::time::Duration;

use super::allocation::{AllocationIndex, Room};
use super::allowance::Allowance;
use super::bookings::Bookings;
use super::id::{LaunchOrdinal, Revision, ServerId};
use super::launches::LaunchLedger;
use super::lead_times::{LeadTime, LeadTimes};
use super::life::{Event, Impossible, Phase};
use super::margins::Margins;
use super::policy::Policy;
use super::pools::Exhausted;
use super::rollout::{Rollout, RolloutNote, Target, blames_revision};
use super::server::{Host, Server, Subject};
use super::time::Timestamp;

use reckon::Reckoning;
use servers::Servers;

pub use allocate::{Allocation, Booked, NotBooked};
pub use commit::Refused;
pub use reckon::{Reckoned, Totals};
pub use snapshot::{LaunchSnapshot, PhaseCounts, RolloutSnapshot, ServerSnapshot, Shadow, Snapshot};

/// Roles that are recorded at once, when a rollout sends a whole fleet to standby: half of what AWS allows, 20
/// `TagResource` and then one a second, for somebody else in the account has tags to write too.
const RECORDS_AT_ONCE: u32 = 10;
const RECORD_INTERVAL: Duration = Duration::from_secs(1);

/// Something worth a line in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// A server became known.
    Appeared {
        /// Which.
        subject: Subject,
        /// Where it is in its life.
        phase: Phase,
    },
    /// A server moved on in its life.
    Moved {
        /// Which.
        subject: Subject,
        /// Where it was.
        from: Phase,
        /// Where it is.
        to: Phase,
    },
    /// Somebody else's task runs on an instance of the fleet: it is never terminated, and counts as one of the fleet.
    Shared(Subject),
    /// A launch came to serve.
    Launched {
        /// Which server.
        subject: Subject,
        /// How long it took.
        lead_time: LeadTime,
    },
    /// A launch came to nothing.
    NotLaunched {
        /// Which server.
        subject: Subject,
        /// How far it came.
        reached: Phase,
        /// How long ago it was asked for, if this manager did.
        after: Option<Duration>,
    },
    /// Something happened to the rollout of a revision.
    Rollout {
        /// Which.
        revision: Revision,
        /// What.
        what: RolloutNote,
    },
    /// A pool has no instances to give.
    NoCapacity(Exhausted),
    /// Something was said of a server that cannot be.
    Impossible {
        /// Which.
        subject: Subject,
        /// What.
        refused: Impossible,
    },
}

/// Every game server that is known, the places handed out, and the launches asked for.
#[derive(Debug)]
pub struct Roster {
    policy: Policy,
    servers: Servers,
    index: AllocationIndex,
    bookings: Bookings,
    ledger: LaunchLedger,
    /// Servers launched and not serving yet; kept so that an allocation need not count them.
    launching: u32,
    last_server: u64,
    /// When the last complete look at the cloud began.
    observed_at: Option<Timestamp>,
    /// When most of the fleet was last seen to be silent: no server's silence counts from before then.
    blind_at: Timestamp,
    lead_times: LeadTimes,
    reckoning: Reckoning,
    /// As they are now.
    margins: Margins,
    /// As they would be by the policy that is only watched.
    shadow: Option<Margins>,
    rollout: Rollout,
    /// The operator wants nothing decided for now.
    paused: bool,
    /// How often roles may be recorded.
    records: Allowance,
    notes: Vec<Note>,
}

impl Roster {
    /// Knows of nothing yet.
    pub fn new(policy: Policy) -> Self {
        let margins = Margins { upscale: policy.upscale_margin, downscale: policy.downscale_margin };
        Self {
            policy,
            servers: Servers::default(),
            index: AllocationIndex::default(),
            bookings: Bookings::default(),
            ledger: LaunchLedger::default(),
            launching: 0,
            last_server: 0,
            observed_at: None,
            blind_at: Timestamp::default(),
            lead_times: LeadTimes::default(),
            reckoning: Reckoning::default(),
            margins,
            shadow: None,
            rollout: Rollout::default(),
            paused: false,
            records: Allowance::new(RECORDS_AT_ONCE, RECORD_INTERVAL),
            notes: Vec::new(),
        }
    }

    /// What the operator wants.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Changes what the operator wants. Holds that are open keep the end they were given.
    pub fn set_policy(&mut self, policy: Policy, now: Timestamp) {
        if policy.server_capacity != self.policy.server_capacity {
            self.forget_players();
        }
        self.policy = policy;
        self.set_margins(now);
        self.reindex_all();
    }

    /// Every server that is not gone, oldest first.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter()
    }

    /// One server, if it is not gone.
    pub fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.get(id)
    }

    /// Whether the cloud was looked at, completely, at least once.
    pub const fn is_ready(&self) -> bool {
        self.observed_at.is_some()
    }

    /// How long the last launches took.
    pub const fn lead_times(&self) -> &LeadTimes {
        &self.lead_times
    }

    /// The revision that the operator wants, and what has become of its rollout.
    pub const fn target(&self) -> Option<&Target> {
        self.rollout.target()
    }

    /// How many servers of the target failed since its rollout began.
    pub const fn rollout_failures(&self) -> u32 {
        self.rollout.failures()
    }

    /// The revision that servers are started with.
    pub fn wanted(&self) -> Option<&Revision> {
        self.rollout.wanted()
    }

    /// What happened since this was last asked.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Adds a server that was not known, in a phase that began at `since`.
    fn add(
        &mut self,
        phase: Phase,
        host: Option<Host>,
        launch: Option<LaunchOrdinal>,
        since: Timestamp,
        now: Timestamp,
    ) -> &mut Server {
        self.last_server += 1;
        let id = ServerId(self.last_server);
        self.launching += u32::from(phase.is_launching());
        let server = Server { ordinal: launch, ..Server::new(id, phase, host, since, now) };
        self.notes.push(Note::Appeared { subject: server.subject(), phase });
        self.servers.push(server)
    }

    /// Moves a server on in its life; the one place where that is done. `at` is when the event happened.
    fn happen(&mut self, id: ServerId, event: Event, at: Timestamp, now: Timestamp) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let from = server.phase;
        if let Err(refused) = server.happen(event, at) {
            self.notes.push(Note::Impossible { subject: server.subject(), refused });
            return;
        }
        let to = server.phase;
        if from == to {
            return;
        }
        let (subject, requested_at) = (server.subject(), server.milestones.requested_at);
        let revision = server.revision.clone();
        let lead_time = server.milestones.lead_time(now).filter(|_| event == Event::Answered);
        self.notes.push(Note::Moved { subject: subject.clone(), from, to });
        if from.is_launching() && !to.is_launching() {
            self.launching -= 1;
            if to == Phase::Available {
                self.ledger.succeeded();
                if let Some(lead_time) = lead_time {
                    self.lead_times.record(lead_time);
                    self.notes.push(Note::Launched { subject, lead_time });
                }
            } else {
                self.ledger.failed(subject.launch, &self.policy, now);
                let after = requested_at.map(|requested_at| now.since(requested_at));
                self.notes.push(Note::NotLaunched { subject, reached: from, after });
            }
        }
        if let (Phase::Closing(reason), Some(revision)) = (to, revision)
            && blames_revision(from, reason)
        {
            let most = self.policy.rollout_failures;
            self.roll_out(|rollout| rollout.failed(&revision, most, now));
        }
        self.reindex(id);
        if to == Phase::Gone {
            self.servers.remove(id);
        }
    }

    /// Brings the allocation index in step with a server; the one place where that is done.
    fn reindex(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get_mut(id) {
            let free = server.free(self.policy.silent_after_misses);
            let room = Room { outdated: self.rollout.is_outdated(server.revision.as_ref()), free };
            self.index.update(id, server.indexed, room);
            server.indexed = room;
        }
    }

    /// Changes what the fleet is to run, or may: other servers may be the ones to be replaced then.
    fn roll_out(&mut self, change: impl FnOnce(&mut Rollout)) {
        let standing = |rollout: &Rollout| (rollout.wanted().cloned(), rollout.target().map(|target| target.state));
        let before = standing(&self.rollout);
        change(&mut self.rollout);
        let notes = self.rollout.take_notes().into_iter();
        self.notes.extend(notes.map(|(revision, what)| Note::Rollout { revision, what }));
        if standing(&self.rollout) != before {
            self.reindex_all();
        }
    }

    fn reindex_all(&mut self) {
        let known: Vec<ServerId> = self.servers.iter().map(|server| server.id).collect();
        known.into_iter().for_each(|id| self.reindex(id));
    }

    /// Servers that are not gone, and servers asked for.
    fn size(&self) -> u32 {
        u32::try_from(self.servers.len()).unwrap_or(u32::MAX).saturating_add(self.ledger.requested())
    }

    /// Servers on their way, asked for or launched.
    fn in_flight(&self) -> u32 {
        self.launching + self.ledger.requested()
    }
}
