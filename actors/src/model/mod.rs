//! The pure model of the fleet: no clock, no I/O, no actor. `now` is always a parameter, so that the daemon,
//! the tests under virtual time and a planner run the very same functions.

mod allocation;
mod allowance;
mod bookings;
mod holds;
mod id;
mod launches;
mod lead_times;
mod life;
mod margins;
mod observation;
mod order;
mod policy;
mod pools;
mod rollout;
mod roster;
mod scaling;
mod season;
mod server;
mod time;
mod traffic;
mod view;

pub use allocation::{AllocationIndex, AllocationRule, Room};
pub use bookings::{Booking, BookingRequest, BookingState, Key};
pub use holds::{HoldEnd, Holds};
pub use id::{Address, AllocationId, InstanceId, LaunchOrdinal, Revision, ServerId, TaskId};
pub use launches::{LaunchLedger, LaunchesBlocked, VISIBILITY};
pub use lead_times::{LeadTime, LeadTimes, Milestones, Spread, Stage};
pub use life::{CloseReason, Event, Impossible, Phase, apply};
pub use margins::{
    BufferPolicy, LeadTimePolicy, MarginPolicy, Margins, MarginsSeen, Record, Schedule, ScheduleError, ToldPolicy,
};
pub use observation::{Endpoint, Instance, InstanceState, Observation, Registration, Role, Task, TaskState};
pub use order::{Doomed, LaunchOrder, Order, Outcome, PlaceOrder};
pub use policy::{Policy, PolicyError};
pub use pools::{Exhausted, Pool};
pub use rollout::{RolloutNote, RolloutState, Target};
pub use roster::{
    Allocation, Booked, LaunchSnapshot, NotBooked, Note, PhaseCounts, Reckoned, Refused, RolloutSnapshot, Roster,
    ServerSnapshot, Shadow, Snapshot, Totals,
};
pub use scaling::{Action, Decision, Figures, Rule, Step, decide};
pub use server::{Condition, Health, HealthAnswer, Host, MAX_REPORTED_CAPACITY, Server, Subject};
pub use time::Timestamp;
pub use traffic::Traffic;
pub use view::{FleetView, ServerView};
