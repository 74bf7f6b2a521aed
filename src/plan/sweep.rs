//! Looking for the cheapest fleet that turns away no more than it may.

use std::cmp::Ordering;

use actors::model::{AllocationRule, BufferPolicy, LeadTimePolicy, MarginPolicy, Margins, Policy};
use actors::planning::Outcome;

use super::{PlanArgs, Played, at_once};

/// Upscale margins that are tried, in eighths of a server.
const EIGHTHS: [u32; 17] = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// Shares of all places kept free that are tried, in percent.
const BUFFERS: [u32; 4] = [5, 10, 25, 40];

/// How often the interval is halved in which the best fixed margin lies.
const HALVINGS: u32 = 4;

/// What was tried, and what came of it.
pub(super) struct Trial {
    pub(super) policy: Policy,
    /// One a seed.
    outcomes: Vec<Outcome>,
}

impl Trial {
    /// The share of all players of all runs who found no place when they came: whoever has to wait for one has found none.
    pub(super) fn missed(&self) -> f64 {
        let sum = |of: fn(&Outcome) -> u64| self.outcomes.iter().map(of).sum::<u64>();
        sum(|it| it.counts.waited + it.counts.turned_away) as f64 / sum(|it| it.counts.players()).max(1) as f64
    }

    pub(super) fn server_seconds(&self) -> f64 {
        self.outcomes.iter().map(|it| it.counts.server_seconds as f64).sum::<f64>() / self.outcomes.len().max(1) as f64
    }

    /// What it cost, against the cheapest fleet.
    pub(super) fn ratio(&self) -> f64 {
        self.outcomes.iter().map(Outcome::ratio).sum::<f64>() / self.outcomes.len().max(1) as f64
    }
}

/// All that was tried.
pub(super) struct Swept {
    pub(super) trials: Vec<Trial>,
    /// The share that may find no place when they come.
    pub(super) share: f64,
    /// What becomes of those.
    pub(super) missed_are: &'static str,
}

impl Swept {
    /// The cheapest that turns away no more than it may.
    pub(super) fn best(&self) -> Option<&Trial> {
        self.cheapest(|_| true)
    }

    /// The cheapest of those.
    pub(super) fn cheapest(&self, of: impl Fn(&Policy) -> bool) -> Option<&Trial> {
        let fits = |trial: &&Trial| of(&trial.policy) && trial.missed() <= self.share;
        self.trials.iter().filter(fits).min_by(|one, other| one.server_seconds().total_cmp(&other.server_seconds()))
    }
}

/// Tries fixed margins with both allocation rules, and margins by lead time, beside what is set.
pub(super) fn sweep(args: &PlanArgs, set: &Policy, played: &Played) -> Swept {
    let mut tried = vec![set.clone()];
    for allocation in [AllocationRule::Packed, AllocationRule::Distributed] {
        let margin = |eighths: u32| fixed(set, allocation, (set.server_capacity * eighths).div_ceil(8));
        tried.extend(EIGHTHS.into_iter().map(margin));
        let share = args.turned_away.max(1e-9);
        for one_in in [0.1, 1.0, 10.0].map(|times| (times / share).clamp(2.0, 1e9) as u32) {
            let by_lead_time = MarginPolicy::LeadTime(LeadTimePolicy { one_in, least: 0 });
            tried.push(Policy { margin_policy: by_lead_time, ..fixed(set, allocation, set.upscale_margin) });
        }
        for percent in BUFFERS {
            let buffer = MarginPolicy::Buffer(BufferPolicy { percent, least: 0 });
            tried.push(Policy { margin_policy: buffer, ..fixed(set, allocation, set.upscale_margin) });
        }
    }
    // One may be what is set.
    if tried[1..].contains(set) {
        tried.remove(0);
    }
    let missed_are = if args.wait.is_some() { "kept waiting" } else { "turned away" };
    let mut swept = Swept { trials: Vec::new(), share: args.turned_away, missed_are };
    swept.try_out(args, played, tried);
    for allocation in [AllocationRule::Packed, AllocationRule::Distributed] {
        for _ in 0..HALVINGS {
            let Some(between) = swept.between(allocation) else { break };
            swept.try_out(args, played, vec![fixed(set, allocation, between)]);
        }
    }
    swept.trials.sort_by(|one, other| order(&one.policy, &other.policy));
    swept
}

impl Swept {
    fn try_out(&mut self, args: &PlanArgs, played: &Played, policies: Vec<Policy>) {
        let seeds = args.seeds as usize;
        let which = |number: usize| (policies[number / seeds].clone(), args.seed.wrapping_add((number % seeds) as u64));
        let mut outcomes = at_once(args, played, policies.len() * seeds, which).into_iter();
        let mut of_each = || outcomes.by_ref().take(seeds).collect();
        self.trials.extend(policies.iter().map(|policy| Trial { policy: policy.clone(), outcomes: of_each() }));
    }

    /// Between the largest margin that turns too many away and the smallest that does not.
    fn between(&self, allocation: AllocationRule) -> Option<u32> {
        let of_rule =
            |trial: &&Trial| trial.policy.allocation == allocation && trial.policy.margin_policy == MarginPolicy::Fixed;
        let fits = |trial: &&Trial| trial.missed() <= self.share;
        let margin = |trial: &Trial| trial.policy.upscale_margin;
        let enough = self.trials.iter().filter(of_rule).filter(fits).map(margin).min()?;
        let too_few = self.trials.iter().filter(of_rule).map(margin).filter(|margin| *margin < enough).max()?;
        Some(too_few.midpoint(enough)).filter(|between| *between > too_few)
    }
}

/// Margins that are as close together as hold still.
fn fixed(set: &Policy, allocation: AllocationRule, upscale_margin: u32) -> Policy {
    let Margins { upscale, downscale } = Margins::above(upscale_margin, set.server_capacity);
    Policy {
        allocation,
        upscale_margin: upscale,
        downscale_margin: downscale,
        margin_policy: MarginPolicy::Fixed,
        ..set.clone()
    }
}

fn order(one: &Policy, other: &Policy) -> Ordering {
    let key = |policy: &Policy| {
        let policy_number = match policy.margin_policy {
            MarginPolicy::Fixed => (0, 0),
            MarginPolicy::Told(_) => (1, 0),
            MarginPolicy::Buffer(BufferPolicy { percent, .. }) => (2, percent),
            MarginPolicy::LeadTime(LeadTimePolicy { one_in, .. }) => (3, one_in),
        };
        (
            policy.allocation == AllocationRule::Distributed,
            policy_number,
            policy.upscale_margin,
            policy.downscale_margin,
        )
    };
    key(one).cmp(&key(other))
}
