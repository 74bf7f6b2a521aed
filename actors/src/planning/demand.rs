//! Players who come and stay: what a fleet has to serve.

use rand::SeedableRng;
use rand_distr::{Binomial, Distribution, Gamma, Poisson};
use rand_pcg::Pcg64Mcg;

use super::sessions::Sessions;

/// The longest step in which players come at an even rate, in seconds.
const LONGEST_STEP: u32 = 600;

/// Steps of a trace, at most: each is played against all that were before it.
const MOST_STEPS: u32 = 50_000;

/// The last time of a trace lasts as long as that before it, or as the middle one of so many if that is shorter.
const LAST_STEPS: usize = 5;

/// Who is left of a thousand million is as good as gone.
const NOBODY: f64 = 1e-9;

/// The least rate of arrivals that is more than none, a second.
const LEAST_RATE: f64 = 1e-12;

/// How many players there are at times, or how many come from one to the next.
#[derive(Clone, PartialEq, Debug)]
pub enum Trace {
    /// Players at once: seconds from the start on, ascending, and players at that moment. Between two it goes straight.
    Concurrent(Vec<(u32, f64)>),
    /// Players who come from that second on until the next.
    Arrivals(Vec<(u32, u32)>),
}

/// So many times the players who come, by chance: of a part of them each comes or does not, and no crowd is made evener.
pub fn scaled(arrivals: &[(u32, u32)], factor: f64, seed: u64) -> Vec<(u32, u32)> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let (whole, part) = (factor.trunc(), factor.fract());
    let scaled = arrivals.iter().map(|(at, players)| {
        let by_chance = Binomial::new(u64::from(*players), part).map_or(0, |part| part.sample(&mut rng));
        let sure = f64::from(*players) * whole;
        (*at, (sure as u32).saturating_add(by_chance as u32))
    });
    scaled.collect()
}

/// Who comes when, and stays how long.
#[derive(Clone, PartialEq, Debug)]
pub struct Demand {
    present: u32,
    sessions: Sessions,
    dispersion: f64,
    steps: Vec<Step>,
    excess: f64,
}

/// A time in which players come evenly.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Step {
    /// Where it ends, in seconds from the start.
    until: u32,
    come: Coming,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Coming {
    /// So many a second, on average.
    Rate(f64),
    /// So many in all.
    Count(u32),
}

impl Demand {
    /// The players that a trace tells of, who stay so long. `dispersion` is the variance of the arrivals in a time over
    /// their mean: 1 if they know nothing of each other (Poisson), more if they come in crowds. Counted arrivals have their
    /// own.
    pub fn of(trace: &Trace, sessions: Sessions, dispersion: f64) -> Self {
        match trace {
            Trace::Concurrent(points) => Self::following(points, sessions, dispersion),
            Trace::Arrivals(points) => Self::counted(points, sessions),
        }
    }

    /// The arrivals that a curve of concurrent players asks for.
    ///
    /// In each step players come at the rate that brings those who are still there by its end, of all who came before,
    /// up to the curve: a deconvolution by the survival of sessions. Where the curve falls faster than sessions end, nobody
    /// comes.
    fn following(points: &[(u32, f64)], sessions: Sessions, dispersion: f64) -> Self {
        let end = points.last().map_or(0, |(at, _)| *at);
        let mut gaps: Vec<u32> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        gaps.sort_unstable();
        // A few lines that are close together make no finer trace of all the others.
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(1);
        let step = usual.clamp(1, LONGEST_STEP).max(end / MOST_STEPS);
        let count = end.div_ceil(step);
        let survival = Survival::of(&sessions, step, count as usize);
        let present = at(points, 0.0).round();
        let mut rates: Vec<f64> = Vec::with_capacity(count as usize);
        let (mut steps, mut excess) = (Vec::with_capacity(count as usize), 0.0_f64);
        for number in 1..=count {
            let earlier = rates.iter().rev().zip(&survival.staying[1..]).map(|(rate, stay)| rate * stay);
            let there = present.mul_add(survival.rest[number as usize], earlier.sum::<f64>());
            let short = at(points, f64::from(step) * f64::from(number)) - there;
            excess = excess.max(-short);
            let rate = (short / survival.staying[0]).max(0.0);
            rates.push(rate);
            steps.push(Step { until: step * number, come: Coming::Rate(rate) });
        }
        Self { present: present as u32, sessions, dispersion, steps, excess }
    }

    /// Arrivals as they were counted, evenly within each step. Who is there at the start is who would be if players had
    /// always come as in the first hour.
    fn counted(points: &[(u32, u32)], sessions: Sessions) -> Self {
        const FIRST: u32 = 3600;
        let mut last: Vec<u32> = points.windows(2).rev().take(LAST_STEPS).map(|pair| pair[1].0 - pair[0].0).collect();
        let before = last.first().copied().unwrap_or(1);
        last.sort_unstable();
        // That before it may be a gap.
        let last = last.get(last.len() / 2).map_or(1, |middle| before.min(*middle));
        let until = |number: usize| points.get(number + 1).map_or_else(|| points[number].0 + last, |next| next.0);
        let steps: Vec<Step> = points
            .iter()
            .enumerate()
            .map(|(number, (_, count))| Step { until: until(number), come: Coming::Count(*count) })
            .collect();
        let first = points.partition_point(|(from, _)| *from < FIRST);
        let came: u64 = points[..first].iter().map(|(_, count)| u64::from(*count)).sum();
        let span = first.checked_sub(1).map_or(1, until);
        let present = (came as f64 / f64::from(span.max(1)) * sessions.mean().as_secs_f64()).round();
        Self { present: present as u32, sessions, dispersion: 1.0, steps, excess: 0.0 }
    }

    /// Nobody plays.
    pub fn is_empty(&self) -> bool {
        let nobody = |step: &Step| matches!(step.come, Coming::Count(0)) || step.come == Coming::Rate(0.0);
        self.present == 0 && self.steps.iter().all(nobody)
    }

    /// Seconds from the start to the end.
    pub fn seconds(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.until)
    }

    /// Players who are there at the start.
    pub const fn present(&self) -> u32 {
        self.present
    }

    /// By so many players, at most, there are more than the trace has: it falls faster than sessions end.
    pub const fn excess(&self) -> f64 {
        self.excess
    }

    /// The players, by this seed.
    pub(super) fn players(&self, seed: u64) -> Players<'_> {
        let mut players = Players { demand: self, rng: Pcg64Mcg::seed_from_u64(seed), second: 0, step: 0, left: 0 };
        players.begin_step();
        players
    }
}

/// How many players a curve has at a second.
fn at(points: &[(u32, f64)], second: f64) -> f64 {
    let next = points.partition_point(|(at, _)| f64::from(*at) < second);
    match (next.checked_sub(1).map(|before| points[before]), points.get(next)) {
        (Some((from, low)), Some(&(to, high))) => {
            (high - low).mul_add((second - f64::from(from)) / f64::from(to - from), low)
        }
        (None, Some(&(_, players))) | (Some((_, players)), None) => players,
        (None, None) => 0.0,
    }
}

/// What is left of players after each step.
struct Survival {
    /// Of a player a second in a step: how many are there by the end of the step so many after it.
    staying: Vec<f64>,
    /// The share of those found at the start who are there after so many steps.
    rest: Vec<f64>,
}

impl Survival {
    fn of(sessions: &Sessions, step: u32, steps: usize) -> Self {
        let mut staying = Vec::new();
        let mut whole = None;
        // What is left after the trace's end is of no interest.
        for number in 0..=steps {
            let from = number as f64 * f64::from(step);
            let sum: f64 = (0..step).map(|second| sessions.surviving(from + f64::from(second))).sum();
            staying.push(sum);
            if sum < NOBODY * f64::from(step) {
                whole = Some(staying.iter().sum());
                break;
            }
        }
        let whole = whole.unwrap_or_else(|| sessions.mean().as_secs_f64());
        let mut left = whole;
        let mut rest = vec![1.0];
        for number in 0..steps {
            left -= staying.get(number).unwrap_or(&0.0);
            rest.push((left / whole).max(0.0));
        }
        Self { staying, rest }
    }
}

/// The players, second by second.
pub(super) struct Players<'a> {
    demand: &'a Demand,
    rng: Pcg64Mcg,
    second: u32,
    /// The step that is under way, and who is still to come in it.
    step: usize,
    left: u32,
}

impl Players<'_> {
    /// How long each stays who is there at the start.
    pub(super) fn present(&mut self) -> Vec<u32> {
        (0..self.demand.present).map(|_| self.demand.sessions.sample_rest(&mut self.rng)).collect()
    }

    /// Who comes in the next second: how long each stays.
    pub(super) fn come(&mut self, stays: &mut Vec<u32>) {
        stays.clear();
        let count = self.arrivals();
        stays.extend((0..count).map(|_| self.demand.sessions.sample(&mut self.rng)));
    }

    fn begin_step(&mut self) {
        if let Some(Step { come: Coming::Count(count), .. }) = self.demand.steps.get(self.step) {
            self.left = *count;
        }
    }

    fn arrivals(&mut self) -> u32 {
        let Some(Step { until, come }) = self.demand.steps.get(self.step).copied() else { return 0 };
        let seconds_left = until - self.second;
        let come = match come {
            Coming::Rate(rate) => self.at_rate(rate),
            Coming::Count(_) => {
                let share = 1.0 / f64::from(seconds_left);
                let come =
                    Binomial::new(u64::from(self.left), share).map_or(0, |come| come.sample(&mut self.rng)) as u32;
                self.left -= come;
                come
            }
        };
        self.second += 1;
        if self.second == until {
            self.step += 1;
            self.begin_step();
        }
        come
    }

    /// A Poisson process whose rate is drawn anew each second: negative binomial, with the variance that is asked for.
    fn at_rate(&mut self, mean: f64) -> u32 {
        let over = self.demand.dispersion - 1.0;
        let rate = match Gamma::new(mean / over, over) {
            Ok(gamma) if over > 0.0 && mean > LEAST_RATE => gamma.sample(&mut self.rng),
            _ => mean,
        };
        match Poisson::new(rate) {
            Ok(poisson) if rate > LEAST_RATE => poisson.sample(&mut self.rng) as u32,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Players at once in each second, if everybody gets a place.
    fn playing(demand: &Demand, seed: u64) -> Vec<f64> {
        let mut players = demand.players(seed);
        let seconds = demand.seconds() as usize;
        let mut change = vec![0_i64; seconds + 1];
        for stay in players.present() {
            change[0] += 1;
            change[(stay as usize).min(seconds)] -= 1;
        }
        let mut stays = Vec::new();
        for second in 0..seconds {
            players.come(&mut stays);
            change[second] += stays.len() as i64;
            stays.iter().for_each(|stay| change[(second + *stay as usize).min(seconds)] -= 1);
        }
        let mut there = 0;
        change[..seconds]
            .iter()
            .map(|change| {
                there += change;
                there as f64
            })
            .collect()
    }

    fn hours(points: &[(u32, f64)]) -> Vec<(u32, f64)> {
        points.iter().map(|(hour, players)| (hour * 3600, *players)).collect()
    }

    #[test]
    fn players_follow_the_curve_they_were_made_from() {
        let curve = hours(&[(0, 4000.0), (6, 4000.0), (12, 6000.0), (24, 5000.0)]);
        for sessions in [
            Sessions::COUNTER_STRIKE,
            Sessions::exponential(Duration::from_secs(1800)),
            Sessions::Fixed(Duration::from_secs(1800)),
        ] {
            for dispersion in [1.0, 4.0] {
                let demand = Demand::of(&Trace::Concurrent(curve.clone()), sessions.clone(), dispersion);
                let playing = playing(&demand, 7);
                for hour in [1_u32, 3, 6, 9, 12, 18, 23] {
                    let (is, should) = (playing[hour as usize * 3600], at(&curve, f64::from(hour * 3600)));
                    // Five times what chance makes of it.
                    assert!((is - should).abs() < 5.0 * (dispersion * should).sqrt(), "{sessions:?} at {hour} h: {is}");
                }
            }
        }
    }

    #[test]
    fn a_curve_that_falls_faster_than_sessions_end_is_told_of() {
        let curve = hours(&[(0, 1000.0), (2, 1000.0), (3, 10.0), (5, 10.0)]);
        let slow = Demand::of(&Trace::Concurrent(curve.clone()), Sessions::COUNTER_STRIKE, 1.0);
        assert!((300.0..900.0).contains(&slow.excess()), "{}", slow.excess());
        let fast = Demand::of(&Trace::Concurrent(curve), Sessions::exponential(Duration::from_secs(60)), 1.0);
        assert!(fast.excess() < 1.0, "{}", fast.excess());
    }

    #[test]
    fn arrivals_come_as_they_were_counted() {
        let counts = [(0, 30), (600, 0), (1200, 500), (1260, 7)];
        let demand = Demand::of(&Trace::Arrivals(counts.to_vec()), Sessions::COUNTER_STRIKE, 1.0);
        assert_eq!(demand.seconds(), 1320, "the last step is as long as the one before");
        let (mut players, mut stays) = (demand.players(3), Vec::new());
        let mut came = [0; 4];
        for second in 0..demand.seconds() {
            players.come(&mut stays);
            came[counts.partition_point(|(from, _)| *from <= second) - 1] += stays.len();
        }
        assert_eq!(came, [30, 0, 500, 7]);
        // 537 in 22 minutes, who stay for 40 minutes on average.
        assert!((900..1050).contains(&demand.present()), "{}", demand.present());
    }

    #[test]
    fn crowds_are_as_uneven_as_was_asked_for() {
        for dispersion in [1.0, 3.0] {
            let sessions = Sessions::exponential(Duration::from_secs(600));
            let demand = Demand::of(&Trace::Concurrent(hours(&[(0, 3000.0), (20, 3000.0)])), sessions, dispersion);
            let (mut players, mut stays) = (demand.players(11), Vec::new());
            players.present();
            let counts: Vec<f64> = (0..demand.seconds())
                .map(|_| {
                    players.come(&mut stays);
                    stays.len() as f64
                })
                .collect();
            let tens: Vec<f64> = counts.chunks(10).map(|ten| ten.iter().sum()).collect();
            let mean = tens.iter().sum::<f64>() / tens.len() as f64;
            let variance = tens.iter().map(|ten| (ten - mean).powi(2)).sum::<f64>() / tens.len() as f64;
            assert!((variance / mean / dispersion - 1.0).abs() < 0.1, "{} for {dispersion}", variance / mean);
        }
    }
}
