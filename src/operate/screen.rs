//! What is printed: with colours for people, without for programs.

use std::io::{self, IsTerminal};
use std::time::{Duration, SystemTime};

use clap::builder::styling::{AnsiColor, Style};

use crate::stdout::{Unprinted, print};

/// Every terminal has so many columns.
pub(super) const COLUMNS: usize = 80;

/// All is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();

/// It passes by itself, or somebody wanted it.
pub(super) const NOTABLE: Style = AnsiColor::Yellow.on_default();

/// Somebody should look.
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// The heads of tables.
pub(super) const HEAD: Style = Style::new().bold();

/// What needs no attention.
pub(super) const PLAIN: Style = Style::new();

/// Whether colours are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Paint(bool);

impl Paint {
    /// None, as for a file.
    #[cfg(test)]
    pub(super) const NONE: Self = Self(false);

    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: Self = Self(true);

    /// Only on a terminal that knows them, and not if the user wants none: <https://no-color.org>.
    pub(super) fn wanted() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(!unwanted && !is_dumb && io::stdout().is_terminal())
    }

    /// The text in that style.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.0 && style != PLAIN { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Draws over what was drawn before, without a flicker.
pub(super) fn draw(text: &str) -> Result<(), Unprinted> {
    print(format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n")))
}

/// One line, that cannot steer the terminal either.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As much of it as there is room for.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// A span by its two largest units: of days nobody wants the seconds.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, ..) => format!("{hours}h{minutes:02}m"),
        _ => format!("{days}d{hours:02}h"),
    }
}

/// How long ago a moment of the API was. Clocks differ: what is still to come is now.
pub(super) fn since(moment: &str, now: SystemTime) -> Duration {
    let then = humantime::parse_rfc3339(moment).unwrap_or(now);
    now.duration_since(then).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn spans_are_short() {
        for (seconds, told) in
            [(0, "0s"), (59, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (90_000, "1d01h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn a_moment_of_a_clock_that_is_ahead_is_now() {
        let now = UNIX_EPOCH + Duration::from_secs(10);
        assert_eq!(since("1970-01-01T00:00:04.000Z", now), Duration::from_secs(6));
        assert_eq!(since("1970-01-01T00:00:14.000Z", now), Duration::ZERO);
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        assert_eq!((fit("game:10", 7).as_str(), fit("game:100", 7).as_str()), ("game:10", "game:1…"));
        assert_eq!(plain("one\nline \x1b[2J"), "one line  [2J");
    }

    #[test]
    fn without_colours_there_is_the_text_alone() {
        assert_eq!(Paint::NONE.paint(BAD, "silent"), "silent");
        assert_eq!(Paint::ALL.paint(BAD, "silent"), "\x1b[31msilent\x1b[0m");
        assert_eq!(Paint::ALL.paint(PLAIN, "silent"), "silent");
    }
}
