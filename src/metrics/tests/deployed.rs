//! What `deploy/prometheus` asks Prometheus for is there: each metric, and each value of its labels.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::metrics;

/// A metric as it is asked for somewhere, with what is said of its labels.
#[derive(Debug)]
struct Asked<'a> {
    name: &'a str,
    selector: &'a str,
}

/// What may stand in the name of a metric.
fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Every metric of ours in a text, whatever else is in it.
fn asked(text: &str) -> impl Iterator<Item = Asked<'_>> {
    let starts = text.char_indices().filter(|&(at, _)| !text[..at].ends_with(is_of_name)).map(|(at, _)| at);
    starts.filter_map(|at| {
        let (name, rest) = text[at..].split_at(text[at..].find(|letter| !is_of_name(letter))?);
        let is_ours = name.starts_with("playlivechess_manager_") || name.starts_with("process_");
        let selector = rest.strip_prefix('{').and_then(|rest| Some(rest.split_once('}')?.0));
        is_ours.then_some(Asked { name, selector: selector.unwrap_or_default() })
    })
}

impl<'a> Asked<'a> {
    /// What is wanted of its labels: `kind="free"`, and of `kind=~"free|held"` each.
    fn labels(&self) -> impl Iterator<Item = String> + use<'a> {
        let pairs = self.selector.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.flat_map(|(label, values)| {
            let values = values.trim_start_matches('~').trim_matches('"').split('|');
            let label = label.trim_end_matches('!');
            values.map(move |value| format!("{label}=\"{value}\"")).collect::<Vec<_>>()
        })
    }
}

/// Labels that Prometheus itself adds.
fn is_of_the_scrape(label: &str) -> bool {
    label.starts_with("job=") || label.starts_with("instance=")
}

#[test]
fn what_is_deployed_asks_for_what_there_is() {
    let text = metrics().render();
    let is_there = |asked: &Asked, label: &str| {
        // A histogram's own name stands before its type alone.
        let of_name = text.lines().filter_map(|line| line.trim_start_matches("# TYPE ").strip_prefix(asked.name));
        of_name.into_iter().any(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
    };
    let mut names = BTreeSet::new();
    for file in ["alerts.yml", "alerts_test.yml", "grafana.json", "prometheus.yml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus").join(file);
        // Quotes within JSON.
        let deployed = fs::read_to_string(&path).expect("a file").replace("\\\"", "\"");
        for asked in asked(&deployed) {
            assert!(is_there(&asked, ""), "{file}: there is no {}", asked.name);
            for label in asked.labels().filter(|label| !is_of_the_scrape(label)) {
                assert!(is_there(&asked, &label), "{file}: no {} has {label}", asked.name);
            }
            names.insert(asked.name.to_owned());
        }
    }
    assert!(names.len() > 30, "they were found: {names:?}");
}

#[test]
fn the_dashboard_is_json_and_each_of_its_panels_asks_for_something() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/grafana.json");
    let dashboard: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        let targets = panel["targets"].as_array().expect("targets");
        let asks =
            |target: &serde_json::Value| target["expr"].as_str().is_some_and(|expr| asked(expr).next().is_some());
        // Whether it is up is Prometheus's own metric.
        let is_up = |target: &serde_json::Value| target["expr"].as_str().is_some_and(|expr| expr.contains("up{"));
        assert!(
            !targets.is_empty() && targets.iter().all(|target| asks(target) || is_up(target)),
            "{}",
            panel["title"]
        );
    }
}
