//! What the command line says, read.

use std::time::Duration;

use actors::planning::Sessions;

use crate::config;

/// The longest session and the longest launch that are played.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The longest that the allocations API lets a client wait.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// `weibull:0.5:20m`, `exponential:40m` or `fixed:30m`.
pub(super) fn sessions(text: &str) -> Result<Sessions, String> {
    const RIGHT: &str = "write weibull:SHAPE:SCALE, exponential:MEAN or fixed:LENGTH, as weibull:0.5:20m";
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["weibull", shape, scale] => {
            // Below, a player in a hundred stays for years.
            let shape = between(shape, 0.2, 10.0).map_err(|error| format!("the shape {error}"))?;
            Ok(Sessions::Weibull { shape, scale: length(scale)? })
        }
        ["exponential", mean] => Ok(Sessions::exponential(length(mean)?)),
        ["fixed", span] => Ok(Sessions::Fixed(length(span)?)),
        _ => Err(RIGHT.to_owned()),
    }
}

pub(super) fn lead_time(text: &str) -> Result<Duration, String> {
    length(text)
}

/// In whole seconds, and no longer than `api.max_wait` may be.
pub(super) fn wait(text: &str) -> Result<u32, String> {
    let wait = length(text)?;
    let fits = wait.subsec_nanos() == 0 && wait <= LONGEST_WAIT;
    fits.then_some(wait.as_secs() as u32).ok_or_else(|| format!("{text} must be from 1s to 10m, in whole seconds"))
}

fn length(text: &str) -> Result<Duration, String> {
    let length =
        humantime::parse_duration(text).map_err(|error| format!("{text:?}: {error}; write it as 20m or 90s"))?;
    let fits = (Duration::from_secs(1)..=LONGEST).contains(&length);
    fits.then_some(length).ok_or_else(|| format!("{text} must be from 1s to 30days"))
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    between(text, 1e-6, 1e6)
}

pub(super) fn dispersion(text: &str) -> Result<f64, String> {
    between(text, 1.0, 1000.0)
}

pub(super) fn price(text: &str) -> Result<f64, String> {
    between(text, 0.0, 1e6)
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    between(text, 0.0, 1.0)
}

fn between(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number: write it as {least}"))?;
    let fits = (least..=most).contains(&number);
    fits.then_some(number).ok_or_else(|| format!("{text} must be from {least} to {most}"))
}

/// `upscale_margin=12`, as a variable of the environment and its value.
pub(super) fn set(text: &str) -> Result<(String, String), String> {
    let (setting, value) =
        text.split_once('=').ok_or_else(|| format!("--set {text}: write SETTING=VALUE, as upscale_margin=12"))?;
    let variable = config::variable(setting.trim()).map_err(|error| format!("--set {text}: {error}"))?;
    Ok((variable.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_read() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(sessions("weibull:0.5:20m"), Ok(Sessions::COUNTER_STRIKE));
        assert_eq!(sessions("exponential:40m"), Ok(Sessions::exponential(minutes(40))));
        assert_eq!(sessions("fixed:30m"), Ok(Sessions::Fixed(minutes(30))));
        for (text, error) in [
            ("weibull", "write weibull:SHAPE:SCALE"),
            ("weibull:x:20m", "the shape \"x\" is no number"),
            ("weibull:0:20m", "the shape 0 must be from 0.2 to 10"),
            ("fixed:0s", "0s must be from 1s to 30days"),
            ("fixed:30", "\"30\": time unit needed"),
            ("pareto:1m", "write weibull:SHAPE:SCALE"),
        ] {
            let told = sessions(text).expect_err(text);
            assert!(told.starts_with(error), "{text}: {told}");
        }
    }

    #[test]
    fn a_setting_is_named_whole_or_by_its_last_word() {
        for text in ["upscale_margin=12", "scaling.upscale_margin = 12", "UPSCALE_MARGIN=12"] {
            assert_eq!(set(text), Ok(("UPSCALE_MARGIN".to_owned(), "12".to_owned())), "{text}");
        }
        for (text, error) in [
            ("upscale_margin", "--set upscale_margin: write SETTING=VALUE"),
            (
                "upscale_magrin=12",
                "--set upscale_magrin=12: there is no such setting; did you mean scaling.upscale_margin?",
            ),
            ("timeout=2s", "--set timeout=2s: there are several of that name, write which: "),
        ] {
            let told = set(text).expect_err(text);
            assert!(told.starts_with(error), "{text}: {told}");
        }
    }
}
