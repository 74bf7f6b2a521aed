//! The known name that an unknown one most likely means.

use strsim::normalized_damerau_levenshtein;

use super::table;

/// Below this likeness (1 is the same name, 0 has nothing in common) a suggestion confuses more than it helps.
const LIKE_ENOUGH: f64 = 0.6;

/// The place in `manager.toml` that this key there most likely means. A key in the wrong section, or one written with
/// its name in the environment, is found too.
pub(super) fn in_file(key: &str) -> Option<&'static str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    best(table::settings().flat_map(|setting| {
        let by_last = likeness(&last(key), &last(setting.path));
        [likeness(key, setting.path), by_last, likeness(&last(key), setting.env)]
            .map(|likeness| (likeness, setting.path))
    }))
}

/// The name in `.env` or the environment that this one there most likely means.
pub(super) fn in_environment(name: &str) -> Option<&'static str> {
    let old = table::IN_SECONDS.iter().map(|(name, _)| *name);
    best(table::settings().map(|setting| setting.env).chain(old).flat_map(|known| {
        let bare = likeness(without_prefix(name), without_prefix(known));
        [likeness(name, known), bare].map(|likeness| (likeness, known))
    }))
}

fn without_prefix(name: &str) -> &str {
    name.strip_prefix("MANAGER_").unwrap_or(name)
}

fn likeness(one: &str, other: &str) -> f64 {
    let plain = |name: &str| name.to_lowercase().replace(['.', '-'], "_");
    normalized_damerau_levenshtein(&plain(one), &plain(other))
}

/// The first of the likest.
fn best(candidates: impl Iterator<Item = (f64, &'static str)>) -> Option<&'static str> {
    let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(likeness, _)| *likeness >= LIKE_ENOUGH).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_in_the_file_are_understood() {
        let table = [
            ("scaling.upscale_magrin", Some("scaling.upscale_margin")),
            ("upscale_margin", Some("scaling.upscale_margin")),
            ("health.hold_ttl", Some("scaling.hold_ttl")),
            ("UPSCALE_MARGIN", Some("scaling.upscale_margin")),
            ("aws.task-definition", Some("aws.task_definition")),
            ("lisen", Some("listen")),
            ("kubernetes.namespace", None),
        ];
        for (key, meant) in table {
            assert_eq!(in_file(key), meant, "{key}");
        }
    }

    #[test]
    fn slips_in_the_environment_are_understood() {
        let table = [
            ("UPSCALE_MARGN", Some("UPSCALE_MARGIN")),
            ("MANAGER_UPSCALE_MARGIN", Some("UPSCALE_MARGIN")),
            ("MAX_SERVERS", Some("MANAGER_MAX_SERVERS")),
            ("upscale_margin", Some("UPSCALE_MARGIN")),
            ("SLEEPTIME", Some("SLEEP_TIME")),
            ("PATH", None),
        ];
        for (name, meant) in table {
            assert_eq!(in_environment(name), meant, "{name}");
        }
    }
}
