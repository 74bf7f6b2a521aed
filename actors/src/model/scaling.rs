//! The scaling decision: a pure function from what is seen to what is done.

use std::time::Duration;

use super::id::ServerId;
use super::launches::VISIBILITY;
use super::life::{CloseReason, Phase};
use super::policy::Policy;
use super::server::Condition;
use super::time::Timestamp;
use super::view::{FleetView, ServerView};

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Take a server back from standby.
    TakeBack(ServerId),
    /// Launch so many servers.
    Launch(u32),
    /// Send a server to standby: there are enough without it.
    Standby(ServerId),
    /// Send a server to standby, since its instance is about to go.
    Retreat(ServerId),
    /// End a server.
    Close(ServerId, CloseReason),
}

impl Action {
    /// A word for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakeBack(_) => "take-back",
            Self::Launch(_) => "launch",
            Self::Standby(_) => "standby",
            Self::Retreat(_) => "retreat",
            Self::Close(..) => "close",
        }
    }

    /// The server it is about; none for a launch.
    pub const fn server(self) -> Option<ServerId> {
        match self {
            Self::TakeBack(id) | Self::Standby(id) | Self::Retreat(id) | Self::Close(id, _) => Some(id),
            Self::Launch(_) => None,
        }
    }
}

/// Why something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Fewer places are free, or on their way, than the upscale margin and those who wait ask for.
    UpscaleMargin,
    /// There are fewer servers than the minimum.
    MinServers,
    /// More places are free than the downscale margin asks for.
    DownscaleMargin,
    /// Servers of another revision take its place.
    Rollout,
    /// Its instance is about to go.
    InstanceLeaves,
    /// Its end is due.
    Ending(CloseReason),
}

impl Rule {
    /// A word for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpscaleMargin => "upscale-margin",
            Self::MinServers => "min-servers",
            Self::DownscaleMargin => "downscale-margin",
            Self::Rollout => "rollout",
            Self::InstanceLeaves => "instance-leaves",
            Self::Ending(CloseReason::Drained) => "drained",
            Self::Ending(CloseReason::Silent) => "silent",
            Self::Ending(CloseReason::BootOverdue) => "boot-overdue",
            Self::Ending(CloseReason::PlacementOverdue) => "placement-overdue",
            Self::Ending(CloseReason::HealthOverdue) => "health-overdue",
            Self::Ending(CloseReason::TaskStopped) => "task-stopped",
            Self::Ending(CloseReason::InstanceStopped) => "instance-stopped",
        }
    }
}

/// One thing to do, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// What.
    pub action: Action,
    /// Why.
    pub rule: Rule,
}

impl Step {
    const fn new(action: Action, rule: Rule) -> Self {
        Self { action, rule }
    }
}

/// The numbers a decision is made on, in places unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Servers that are not gone, and servers asked for.
    pub servers: u32,
    /// Servers that take new players and answer.
    pub available: u32,
    /// Servers on standby.
    pub standby: u32,
    /// Servers on their way, asked for or launched.
    pub launching: u32,
    /// Servers that have players, or may have.
    pub serving: u32,
    /// Serving servers that are silent.
    pub silent: u32,
    /// Available servers that answer and are to be replaced by ones that run another revision.
    pub outdated: u32,
    /// Their free places.
    pub outdated_free: u32,
    /// Launches that were placed with a revision that is not wanted any more.
    pub outdated_launches: u32,
    /// Free places in all.
    pub free: u32,
    /// Launches whose instances are about to go: in flight, and nothing to count on.
    pub doomed_launches: u32,
    /// Capacity of launches under way.
    pub pending: u32,
    /// Capacity of available servers that owe an answer, by their last one: not free, and not lost yet.
    pub doubtful: u32,
    /// Places that clients wait for.
    pub waiting: u32,
}

impl Figures {
    /// Adds up a view.
    pub fn of(view: &FleetView, policy: &Policy) -> Self {
        let mut figures =
            Self { launching: view.requested, servers: view.requested, waiting: view.waiting, ..Self::default() };
        for server in &view.servers {
            figures.servers += 1;
            figures.launching += u32::from(server.phase.is_launching());
            figures.doomed_launches += u32::from(server.leaving && server.phase.is_launching());
            figures.standby += u32::from(server.phase == Phase::Standby);
            figures.serving += u32::from(server.phase.is_serving());
            figures.silent += u32::from(is_silent(server));
            figures.free = figures.free.saturating_add(server.free());
            if server.outdated {
                figures.outdated_free = figures.outdated_free.saturating_add(server.free());
                figures.outdated_launches += u32::from(!server.leaving && server.phase.is_launching());
            }
            if server.phase == Phase::Available {
                match server.condition {
                    Condition::Answering => {
                        figures.available += 1;
                        figures.outdated += u32::from(server.outdated);
                    }
                    Condition::Doubtful => {
                        let expected = if server.heard { server.unclaimed } else { policy.server_capacity };
                        figures.doubtful = figures.doubtful.saturating_add(expected);
                    }
                    Condition::Silent => {}
                }
            }
        }
        figures.pending = figures.arriving().saturating_mul(policy.server_capacity);
        figures
    }

    /// Launches that are going to serve.
    const fn arriving(&self) -> u32 {
        self.launching - self.doomed_launches
    }

    /// Most of the fleet is silent: the fault is more likely on this side, so no server is closed for its silence.
    pub const fn is_blind(&self) -> bool {
        self.silent.saturating_mul(2) > self.serving
    }
}

/// What is to be done, and the numbers it was decided on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What is to be done, in this order.
    pub steps: Vec<Step>,
    /// What it was decided on.
    pub figures: Figures,
}

impl Decision {
    /// What is to be done, without the reasons.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        self.steps.iter().map(|step| step.action)
    }
}

/// Decides what is to be done about the fleet. A decision that grows the fleet never shrinks it as well.
pub fn decide(view: &FleetView, policy: &Policy, now: Timestamp) -> Decision {
    let figures = Figures::of(view, policy);
    if view.paused {
        return Decision { steps: Vec::new(), figures };
    }
    let retreats = retreats(view);
    if !retreats.is_empty() {
        // What takes their place is for the next decision, which follows at once.
        let steps = closings(view, policy, &figures, now).into_iter().chain(retreats).collect();
        return Decision { steps, figures };
    }
    let growth = growth(view, policy, &figures);
    let is_taken_back = |id| growth.iter().any(|step| step.action == Action::TakeBack(id));
    let mut steps = closings(view, policy, &figures, now);
    steps.retain(|step| !matches!(step.action, Action::Close(id, _) if is_taken_back(id)));
    if growth.is_empty() {
        steps.extend(drains(view, policy, &figures));
    } else {
        steps.extend(growth);
    }
    Decision { steps, figures }
}

/// Servers whose end is due: drained ones, silent ones past their grace, launches past their deadline.
fn closings(view: &FleetView, policy: &Policy, figures: &Figures, now: Timestamp) -> Vec<Step> {
    if !view.cloud_is_fresh {
        return Vec::new();
    }
    let close_reason = |server: &ServerView| {
        // What a restarted manager sees for the first time may have a task that the cloud does not show yet; and what was
        // seen before the deadline may have come further since.
        let is_past = |deadline: Duration| {
            let due_at = server.phase_since + deadline;
            let shown_from = due_at.max(server.known_since + deadline.min(VISIBILITY));
            now >= due_at && view.observed_at.is_some_and(|seen_at| seen_at >= shown_from)
        };
        match server.phase {
            Phase::Booting if is_past(policy.boot_deadline) => Some(CloseReason::BootOverdue),
            Phase::Joined | Phase::Placed if is_past(policy.placement_deadline) => Some(CloseReason::PlacementOverdue),
            Phase::Starting if is_past(policy.healthy_deadline) => Some(CloseReason::HealthOverdue),
            Phase::Standby if server.drained => Some(CloseReason::Drained),
            Phase::Available | Phase::Standby
                if is_silent(server)
                    && !figures.is_blind()
                    && now.since(server.unanswered_since) >= policy.silence_grace =>
            {
                Some(CloseReason::Silent)
            }
            _ => None,
        }
    };
    let close = |id, reason| Step::new(Action::Close(id, reason), Rule::Ending(reason));
    view.servers.iter().filter_map(|server| Some(close(server.id, close_reason(server)?))).collect()
}

/// Servers that take no more players, since their instances are about to go.
fn retreats(view: &FleetView) -> Vec<Step> {
    let retreats = |server: &&ServerView| {
        server.leaving && server.phase == Phase::Available && server.condition == Condition::Answering
    };
    let retreating = view.servers.iter().filter(retreats);
    retreating.map(|server| Step::new(Action::Retreat(server.id), Rule::InstanceLeaves)).collect()
}

/// What grows the fleet: servers taken back from standby first, then as many launches as the deficit needs.
fn growth(view: &FleetView, policy: &Policy, figures: &Figures) -> Vec<Step> {
    // Who waits fits in no place that is free: a party may find ten in all, and nowhere two.
    let short_now = policy.upscale_margin.saturating_sub(figures.free).saturating_add(figures.waiting);
    let mut places_short = short_now.saturating_sub(figures.pending.saturating_add(figures.doubtful));
    let doubtful = count(view, |server| server.phase == Phase::Available && server.condition == Condition::Doubtful);
    let mut servers_short = policy.min_servers.saturating_sub(figures.available + figures.arriving() + doubtful);
    let mut steps = Vec::new();

    // The fullest first: it will be the last that could close, and its players cost the same either way.
    let mut on_standby: Vec<&ServerView> = view.servers.iter().filter(|server| can_be_taken_back(server)).collect();
    on_standby.sort_by_key(|server| (server.unclaimed, server.id));
    for server in on_standby {
        if places_short == 0 && servers_short == 0 {
            break;
        }
        let rule = if places_short > 0 { Rule::UpscaleMargin } else { Rule::MinServers };
        places_short = places_short.saturating_sub(server.unclaimed);
        servers_short = servers_short.saturating_sub(1);
        steps.push(Step::new(Action::TakeBack(server.id), rule));
    }

    let (wanted, rule) = [
        (replacements(policy, figures), Rule::Rollout),
        (servers_short, Rule::MinServers),
        (places_short.div_ceil(policy.server_capacity), Rule::UpscaleMargin),
    ]
    .into_iter()
    .max_by_key(|(wanted, _)| *wanted)
    .unwrap_or((0, Rule::UpscaleMargin));
    let room = policy.max_servers.saturating_sub(figures.servers);
    let in_flight = policy.max_launching.saturating_sub(figures.launching);
    let count = wanted.min(room).min(in_flight);
    if count > 0 && view.launches_blocked.is_none() {
        steps.push(Step::new(Action::Launch(count), rule));
    }
    steps
}

/// Launches for servers that are to be replaced: those that stay have to keep the margin and the minimum by
/// themselves in the end.
fn replacements(policy: &Policy, figures: &Figures) -> u32 {
    if figures.outdated == 0 {
        return 0;
    }
    let arriving = figures.arriving().saturating_sub(figures.outdated_launches);
    let expected = (figures.free - figures.outdated_free).saturating_add(arriving * policy.server_capacity);
    let places_short = policy.upscale_margin.saturating_sub(expected).div_ceil(policy.server_capacity);
    let staying = figures.available - figures.outdated + arriving;
    // One at least, for the others to make way for.
    let servers_short = policy.min_servers.max(1).saturating_sub(staying);
    places_short.max(servers_short).min(policy.rollout_surge.saturating_sub(figures.launching))
}

/// What shrinks the fleet: the emptiest servers go to standby as long as what is left stays at the upscale margin.
/// Those that are to be replaced go first, and however few places are free besides.
fn drains(view: &FleetView, policy: &Policy, figures: &Figures) -> Vec<Step> {
    if !view.cloud_is_fresh {
        return Vec::new();
    }
    let mut candidates: Vec<&ServerView> = view
        .servers
        .iter()
        .filter(|server| server.phase == Phase::Available && server.condition == Condition::Answering)
        .collect();
    // Of two alike the younger goes: players are sent to the older one first.
    candidates.sort_by_key(|server| std::cmp::Reverse((server.outdated, server.unclaimed, server.id)));

    let is_replaced = figures.available > figures.outdated;
    // A full house can only launch what takes its place once one has gone: one at a time.
    let is_still = figures.launching == 0 && figures.standby == 0;
    let is_still = is_still && !view.servers.iter().any(|server| matches!(server.phase, Phase::Closing(_)));
    let makes_room = figures.servers >= policy.max_servers && is_still;
    let mut free = figures.free;
    let mut available = figures.available;
    let mut steps = Vec::new();
    for server in candidates {
        let left = free.saturating_sub(server.unclaimed);
        let gives_way = server.outdated && is_replaced && available > policy.min_servers;
        let makes_room = server.outdated && makes_room && available > 1 && steps.is_empty();
        let is_spare = free > policy.downscale_margin && available > policy.min_servers && figures.waiting == 0;
        if left < policy.upscale_margin || !(gives_way || makes_room || is_spare) {
            // A fuller one may have to be replaced as well.
            if server.outdated {
                continue;
            }
            break;
        }
        free = left;
        available -= 1;
        let rule = if server.outdated { Rule::Rollout } else { Rule::DownscaleMargin };
        steps.push(Step::new(Action::Standby(server.id), rule));
    }
    steps
}

const fn is_silent(server: &ServerView) -> bool {
    server.phase.is_serving() && matches!(server.condition, Condition::Silent)
}

fn can_be_taken_back(server: &ServerView) -> bool {
    server.phase == Phase::Standby
        && server.condition == Condition::Answering
        && server.unclaimed > 0
        && !server.cordoned
        && !server.leaving
        && !server.outdated
}

fn count(view: &FleetView, matches: impl Fn(&ServerView) -> bool) -> u32 {
    u32::try_from(view.servers.iter().filter(|server| matches(server)).count()).unwrap_or(u32::MAX)
}
