//! What a plan tells: a table, or JSON.

use std::fmt::{self, Write};
use std::time::Duration;

use actors::model::{AllocationRule, BufferPolicy, LeadTimePolicy, MarginPolicy, Policy};
use actors::planning::{Moment, Outcome, Sessions};
use humantime::format_duration;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::lived::Did;
use super::sweep::{Swept, Trial};
use super::{PlanArgs, Played};

/// In seconds.
pub(super) const HOUR: u32 = 3600;

/// All that there is to tell.
pub(super) struct Told<'a> {
    pub(super) args: &'a PlanArgs,
    pub(super) played: &'a Played,
    pub(super) policy: &'a Policy,
    /// One a seed.
    pub(super) outcomes: &'a [Outcome],
    pub(super) swept: Option<&'a Swept>,
}

/// A figure of all runs.
#[derive(Clone, Copy, Debug)]
struct Spread {
    mean: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64> + Clone) -> Self {
        let count = figures.clone().count().max(1) as f64;
        let (least, most) =
            figures.clone().fold((f64::MAX, f64::MIN), |(least, most), it| (least.min(it), most.max(it)));
        Self { mean: figures.sum::<f64>() / count, least, most }
    }
}

/// One line of the table.
struct Line {
    name: &'static str,
    key: &'static str,
    of: fn(&Outcome) -> f64,
    /// The same of the cheapest fleet, where it has one.
    least: Option<fn(&Outcome) -> f64>,
    /// The same of the fleet that lived through it, where that is known.
    did: Option<fn(&Did) -> f64>,
    decimals: usize,
}

impl Line {
    const fn new(name: &'static str, key: &'static str, decimals: usize, of: fn(&Outcome) -> f64) -> Self {
        Self { name, key, of, least: None, did: None, decimals }
    }

    const fn least(self, least: fn(&Outcome) -> f64) -> Self {
        Self { least: Some(least), ..self }
    }

    const fn did(self, did: fn(&Did) -> f64) -> Self {
        Self { did: Some(did), ..self }
    }
}

fn hours(seconds: u64) -> f64 {
    seconds as f64 / f64::from(HOUR)
}

const LINES: [Line; 14] = [
    Line::new("server-hours", "server_hours", 1, |it| hours(it.counts.server_seconds))
        .least(|it| hours(it.optimum.server_seconds))
        .did(|did| did.server_seconds / f64::from(HOUR)),
    // The cheapest fleet's starts are no fewest.
    Line::new("launches", "launches", 0, |it| it.counts.launches as f64).did(|did| did.launches as f64),
    Line::new("terminations", "terminations", 0, |it| it.counts.terminations as f64),
    Line::new("sent to standby", "drains", 0, |it| it.counts.drains as f64),
    Line::new("taken back", "taken_back", 0, |it| it.counts.taken_back as f64),
    Line::new("most servers at once", "most_servers", 0, |it| f64::from(it.counts.most_servers)),
    Line::new("player-hours", "player_hours", 0, |it| hours(it.counts.player_seconds))
        .did(|did| did.player_seconds / f64::from(HOUR)),
    Line::new("players served at once", "served", 0, |it| it.counts.served as f64).did(|did| did.served as f64),
    Line::new("players who waited", "waited", 0, |it| it.counts.waited as f64),
    Line::new("seconds each waited", "wait_seconds", 1, |it| {
        it.counts.wait_seconds as f64 / it.counts.waited.max(1) as f64
    }),
    Line::new("longest of these", "longest_wait_seconds", 0, |it| f64::from(it.counts.longest_wait)),
    Line::new("players turned away", "turned_away", 0, |it| it.counts.turned_away as f64)
        .did(|did| did.turned_away as f64),
    Line::new("turned away, %", "turned_away_percent", 4, |it| 100.0 * it.turned_away())
        .did(|did| 100.0 * did.turned_away as f64 / (did.served + did.turned_away).max(1) as f64),
    Line::new("idle seat-hours", "idle_seat_hours", 0, |it| hours(it.counts.idle_seat_seconds)),
];

impl Told<'_> {
    /// As JSON: a figure of several runs is an object of its mean, least and most.
    pub(super) fn json(&self) -> String {
        let Self { args, played, policy, outcomes, swept } = self;
        let figures = LINES.iter().map(|line| (line.key.to_owned(), spread(self.spread(line.of))));
        let mut fleet: serde_json::Map<String, Value> = figures.collect();
        fleet.insert("ratio".to_owned(), spread(self.spread(Outcome::ratio)));
        let mut optimum: serde_json::Map<String, Value> =
            LINES.iter().filter_map(|line| Some((line.key.to_owned(), spread(self.spread(line.least?))))).collect();
        if let Some(price) = args.price {
            fleet.insert("cost".to_owned(), spread(self.spread(move |it| price * hours(it.counts.server_seconds))));
            fleet.insert("cost_per_player_hour".to_owned(), spread(self.spread(move |it| per_player_hour(it, price))));
            optimum.insert("cost".to_owned(), spread(self.spread(move |it| price * hours(it.optimum.server_seconds))));
        }
        let did = played.from.did.as_ref().map(|did| {
            LINES
                .iter()
                .filter_map(|line| Some((line.key.to_owned(), json!(line.did?(did)))))
                .collect::<serde_json::Map<_, _>>()
        });
        let trials = swept.map(|swept| swept.trials.iter().map(trial).collect::<Vec<_>>());
        let told = json!({
            "trace": { "name": played.from.name, "days": f64::from(played.demand.seconds()) / 86_400.0, "notes": played.from.notes,
                "starts": played.from.starts.map(|starts| starts.to_string()) },
            "seeds": outcomes.len(),
            "settings": settings(policy),
            "fleet": fleet,
            "optimum": optimum,
            "did": did,
            "sweep": trials,
            "chosen": swept.map(|swept| swept.best().map(|_| manager_toml(policy))),
        });
        format!("{told:#}\n")
    }

    fn spread(&self, of: impl Fn(&Outcome) -> f64 + Copy) -> Spread {
        Spread::of(self.outcomes.iter().map(of))
    }

    /// When it is, so long after the start.
    pub(super) fn at(&self, second: u32) -> String {
        let starts = self.played.from.starts;
        let at = starts.and_then(|starts| starts.checked_add(SignedDuration::from_secs(second.into())).ok());
        let day_and_hour = || format!("day {} {:02}:00", second / 86_400 + 1, second % 86_400 / HOUR);
        at.map_or_else(day_and_hour, |at| at.strftime("%Y-%m-%d %H:%M").to_string())
    }

    /// The hour of the day, in UTC where it is known.
    pub(super) fn hour_of_day(&self, moment: &Moment) -> usize {
        let first = self.played.from.starts.map_or(0, |starts| starts.as_second().rem_euclid(86_400));
        ((first + i64::from(moment.second - 1)) % 86_400 / i64::from(HOUR)) as usize
    }

    fn head(&self, text: &mut String) -> fmt::Result {
        let Self { played, policy, .. } = self;
        let days = f64::from(played.demand.seconds()) / 86_400.0;
        let from = played.from.starts.map_or_else(String::new, |_| format!(" from {} UTC", self.at(0)));
        writeln!(text, "trace     {}, {days:.1} days{from}", played.from.name)?;
        for note in &played.from.notes {
            writeln!(text, "          {note}")?;
        }
        writeln!(
            text,
            "sessions  {}; dispersion of arrivals {:.2}",
            sessions(&played.from.sessions),
            played.from.dispersion
        )?;
        writeln!(text, "launches  {}", launches(&played.from.lead_times))?;
        writeln!(
            text,
            "fleet     {} players a server, {} to {} servers, {}",
            policy.server_capacity,
            policy.min_servers,
            policy.max_servers,
            named(policy)
        )
    }

    fn body(&self, text: &mut String) -> fmt::Result {
        let several = self.outcomes.len() > 1;
        let spread = if several { "   (least to most)" } else { "" };
        let did = if self.played.from.did.is_some() { format!("{:>14}", "it did") } else { String::new() };
        writeln!(text, "\n{:<24}{:>14}{:>14}{:>8}{did}{spread}", "", "fleet", "optimum", "ratio")?;
        let mut line = |name: &str, is: Spread, least: Option<Spread>, did: Option<f64>, decimals: usize| {
            let optimum = least.map_or_else(String::new, |least| number(least.mean, decimals));
            let ratio = least
                .filter(|least| least.mean > 0.0)
                .map_or_else(String::new, |least| format!("{:.3}", is.mean / least.mean));
            let range = if several {
                format!("   ({} to {})", number(is.least, decimals), number(is.most, decimals))
            } else {
                String::new()
            };
            let did = self.played.from.did.map_or_else(String::new, |_| {
                format!("{:>14}", did.map_or_else(String::new, |did| number(did, decimals)))
            });
            let line = format!("{name:<24}{:>14}{optimum:>14}{ratio:>8}{did}{range}", number(is.mean, decimals));
            writeln!(text, "{}", line.trim_end())
        };
        for Line { name, of, least, did, decimals, .. } in &LINES {
            let did = did.zip(self.played.from.did.as_ref()).map(|(of, did)| of(did));
            line(name, self.spread(of), least.map(|least| self.spread(least)), did, *decimals)?;
        }
        if let Some(price) = self.args.price {
            let cost = self.spread(move |it: &Outcome| price * hours(it.counts.server_seconds));
            let least = self.spread(move |it: &Outcome| price * hours(it.optimum.server_seconds));
            let did = self.played.from.did.map(|did| price * did.server_seconds / f64::from(HOUR));
            line("cost", cost, Some(least), did, 2)?;
            let did = self.played.from.did.map(|did| price * did.server_seconds / did.player_seconds.max(1.0));
            line("cost a player-hour", self.spread(move |it: &Outcome| per_player_hour(it, price)), None, did, 6)?;
        }
        Ok(())
    }

    fn limits(&self, text: &mut String) -> fmt::Result {
        if self.outcomes.iter().any(|outcome| outcome.ratio() < 1.0) {
            writeln!(text, "\nIt cost less than the optimum, which turns nobody away.")?;
        }
        let most = self.outcomes.iter().map(|it| it.counts.most_servers).max().unwrap_or_default();
        if most >= self.policy.max_servers {
            writeln!(
                text,
                "\nmax_servers, {}, was reached: players were turned away for it, or would soon be",
                self.policy.max_servers
            )?;
        }
        Ok(())
    }

    fn sweep(&self, text: &mut String) -> fmt::Result {
        let Some(swept) = self.swept else { return Ok(()) };
        writeln!(text, "\n{:<44}{:>8}{:>16}", "tried", "ratio", format!("{}, %", swept.missed_are))?;
        let best = swept.best();
        for trial in &swept.trials {
            let chosen = if best.is_some_and(|best| std::ptr::eq(best, trial)) { "  <- the cheapest" } else { "" };
            let missed = 100.0 * trial.missed();
            writeln!(text, "{:<44}{:>8.3}{missed:>16.4}{chosen}", named(&trial.policy), trial.ratio())?;
        }
        match best {
            Some(_) => writeln!(text, "\nFor manager.toml:\n\n{}", manager_toml(self.policy).trim_end()),
            None => writeln!(
                text,
                "\nWith all that was tried more than {} % of the players are {}; a higher max_servers or max_in_flight may help.",
                100.0 * swept.share,
                swept.missed_are
            ),
        }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.head(&mut text)?;
        self.body(&mut text)?;
        self.limits(&mut text)?;
        self.sweep(&mut text)?;
        f.write_str(&text)
    }
}

fn per_player_hour(it: &Outcome, price: f64) -> f64 {
    price * it.counts.server_seconds as f64 / it.counts.player_seconds.max(1) as f64
}

fn spread(Spread { mean, least, most }: Spread) -> Value {
    json!({ "mean": mean, "least": least, "most": most })
}

fn trial(trial: &Trial) -> Value {
    json!({ "settings": settings(&trial.policy), "ratio": trial.ratio(), "no_place_at_once": trial.missed(),
        "server_hours": trial.server_seconds() / f64::from(HOUR) })
}

fn settings(policy: &Policy) -> Value {
    let mut settings = json!({ "server_capacity": policy.server_capacity, "min_servers": policy.min_servers,
        "max_servers": policy.max_servers });
    for (name, value) in scaling(policy) {
        settings[name] = value;
    }
    settings
}

/// The settings that a sweep may choose, and those that go with them.
fn scaling(policy: &Policy) -> Vec<(&'static str, Value)> {
    let mut settings = vec![("policy", json!(policy.margin_policy.name()))];
    match policy.margin_policy {
        MarginPolicy::Fixed | MarginPolicy::Told(_) => {}
        MarginPolicy::Buffer(BufferPolicy { percent, least }) => {
            settings.extend([("buffer_percent", json!(percent)), ("least_upscale_margin", json!(least))]);
        }
        MarginPolicy::LeadTime(LeadTimePolicy { one_in, least }) => {
            settings.extend([("turned_away_one_in", json!(one_in)), ("least_upscale_margin", json!(least))]);
        }
    }
    settings.extend([
        ("upscale_margin", json!(policy.upscale_margin)),
        ("downscale_margin", json!(policy.downscale_margin)),
        ("allocation", json!(rule(policy))),
    ]);
    if !policy.schedule.is_empty() {
        settings.push(("schedule", json!(policy.schedule.to_string())));
    }
    settings
}

/// The lines that have a manager do the same. Numbers and short texts are written alike in JSON and TOML.
fn manager_toml(policy: &Policy) -> String {
    scaling(policy).iter().fold("[scaling]\n".to_owned(), |lines, (name, value)| lines + &format!("{name} = {value}\n"))
}

const fn rule(policy: &Policy) -> &'static str {
    match policy.allocation {
        AllocationRule::Packed => "packed",
        AllocationRule::Distributed => "distributed",
    }
}

/// What sets the margins, and where players go.
pub(super) fn named(policy: &Policy) -> String {
    let margins = match policy.margin_policy {
        MarginPolicy::Fixed => format!("margins {} and {}", policy.upscale_margin, policy.downscale_margin),
        MarginPolicy::Buffer(BufferPolicy { percent, .. }) => format!("buffer of {percent} %"),
        MarginPolicy::LeadTime(LeadTimePolicy { one_in, .. }) => format!("lead-time, one in {one_in}"),
        MarginPolicy::Told(_) => format!("webhook, margins {} and {}", policy.upscale_margin, policy.downscale_margin),
    };
    let scheduled = if policy.schedule.is_empty() { "" } else { ", scheduled" };
    format!("{margins}{scheduled}, {}", rule(policy))
}

fn sessions(sessions: &Sessions) -> String {
    let span = |length: Duration| format_duration(Duration::from_secs(length.as_secs_f64().round() as u64)).to_string();
    match sessions {
        Sessions::Weibull { shape, scale } => {
            format!("Weibull, shape {shape}, scale {}: {} on average", span(*scale), span(sessions.mean()))
        }
        Sessions::Fixed(length) => format!("{} each", span(*length)),
        Sessions::Seen(_) => format!("as in the trace: {} on average", span(sessions.mean())),
    }
}

/// How long they take: each, or the spread of many.
fn launches(took: &[Duration]) -> String {
    const FEW: usize = 5;
    let whole = |took: &Duration| format_duration(Duration::from_secs(took.as_secs_f64().round() as u64)).to_string();
    if took.len() <= FEW {
        return took.iter().map(whole).collect::<Vec<_>>().join(" or ");
    }
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let part = |percent: usize| whole(&sorted[(sorted.len() - 1) * percent / 100]);
    format!("{} of them: half within {}, 95 % within {}", sorted.len(), part(50), part(95))
}

/// With its thousands apart.
fn number(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let (whole, rest) =
        text.split_once('.').map_or((&*text, String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let digits = whole.len();
    let apart = whole.chars().enumerate().fold(String::new(), |mut apart, (number, digit)| {
        if number > 0 && (digits - number) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
        apart
    });
    apart + &rest
}
