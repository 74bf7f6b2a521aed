//! A figure, its reference, and whether the goal was met, or what was reached before is lost.

use std::fmt;

/// What is lost by no more than this is put down to the machine.
const WIDE: f64 = 1.5;

/// Which way a ratio should go.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Goal {
    /// At least so much of the reference.
    AtLeast(f64),
    /// At most so much of it.
    AtMost(f64),
    /// Shown, with nothing to be met.
    None,
}

/// What was measured, in one line.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    /// The manager's, with its unit.
    pub(crate) figure: String,
    /// The reference's.
    pub(crate) reference: String,
    /// The first by the second.
    pub(crate) ratio: f64,
    pub(crate) goal: Goal,
    /// The ratio that was reached, where that is not the goal yet.
    pub(crate) reached: Option<f64>,
}

impl Verdict {
    /// The goal is not met yet, and this is how far it is: to be kept all the same.
    pub(crate) fn so_far(self, reached: f64) -> Self {
        Self { reached: Some(reached), ..self }
    }

    /// A figure that is compared with a limit instead of a reference.
    pub(crate) fn limit(what: impl Into<String>, figure: f64, unit: &str, most: f64) -> Self {
        Self {
            what: what.into(),
            figure: format!("{} {unit}", digits(figure)),
            reference: format!("{} {unit}", digits(most)),
            ratio: figure / most,
            goal: Goal::AtMost(1.0),
            reached: None,
        }
    }

    /// Something that must not happen at all.
    pub(crate) fn none(what: impl Into<String>, times: u32) -> Self {
        let figure = times.to_string();
        let (what, ratio) = (what.into(), times.into());
        Self { what, figure, reference: "0".to_owned(), ratio, goal: Goal::AtMost(0.0), reached: None }
    }

    /// A figure beside that of a reference.
    pub(crate) fn ratio(what: impl Into<String>, figure: f64, reference: f64, unit: &str, goal: Goal) -> Self {
        Self {
            what: what.into(),
            figure: format!("{} {unit}", digits(figure)),
            reference: format!("{} {unit}", digits(reference)),
            ratio: figure / reference,
            goal,
            reached: None,
        }
    }

    /// Figures that were measured in turn with those of a reference, with nothing to be met: the middle ones, and the middle
    /// one of their ratios.
    pub(crate) fn paired(what: impl Into<String>, figures: &[f64], references: &[f64], unit: &str) -> Self {
        let ratios: Vec<f64> = figures.iter().zip(references).map(|(figure, reference)| figure / reference).collect();
        let verdict = Self::ratio(what, middle(figures), middle(references), unit, Goal::None);
        Self { ratio: middle(&ratios), ..verdict }
    }

    /// The same, with something to be met.
    pub(crate) fn with_goal(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }

    fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtLeast(least) => self.ratio >= least,
            Goal::AtMost(most) => self.ratio <= most,
            Goal::None => true,
        }
    }

    /// What was reached is missed by so much that it is not the machine.
    pub(crate) fn is_lost(&self) -> bool {
        match self.goal {
            Goal::AtLeast(least) => self.ratio < self.reached.unwrap_or(least) / WIDE,
            Goal::AtMost(most) => self.ratio > self.reached.unwrap_or(most) * WIDE,
            Goal::None => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, figure, reference, ratio, goal, .. } = self;
        let goal = match goal {
            Goal::AtLeast(least) => format!("goal >= {least}"),
            Goal::AtMost(most) => format!("goal <= {most}"),
            Goal::None => String::new(),
        };
        let word = match (self.is_met(), self.is_lost()) {
            (true, _) => "ok    ",
            (false, false) => "missed",
            (false, true) => "LOST  ",
        };
        write!(f, "{word}  {what:<52} {figure:>16}  against {reference:>16}  ratio {ratio:>6.2}  {goal}")
    }
}

/// The middle one; NaN of none.
pub(crate) fn middle(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Three digits that mean something.
fn digits(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let places = 2 - (number.abs().max(1e-9).log10().floor() as i32).clamp(-6, 2);
    format!("{number:.*}", places.max(0) as usize)
}
