//! The text as a whole.

use super::metrics;

#[test]
fn each_metric_says_what_it_is_and_in_which_unit() {
    let text = metrics().render();
    let types: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let helps: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' ')).collect();
    assert_eq!(types.len(), helps.len());
    assert!(types.len() > 30, "{types:?}");
    for (name, help) in helps {
        assert!(help.ends_with('.'), "{name}: {help}");
        for unit in ["seconds", "bytes"] {
            assert!(!name.contains(unit) || help.contains(unit), "{name}: {help}");
        }
    }
}

#[test]
fn what_did_not_happen_yet_is_told_as_none() {
    let metrics = metrics();
    for (begin, samples) in [
        ("allocations_total{", 5 + 9),
        ("allocation_duration_seconds_count{", 3),
        ("cloud_calls_total{", 7 * 9),
        ("cloud_call_duration_seconds_count{", 7),
        ("cloud_budget_wait_seconds_total{", 4),
        ("health_checks_total{", 4),
        ("launch_stage_duration_seconds_count{", 4),
        ("launch_duration_seconds_count ", 1),
        ("decisions_total{", 13 * 2),
        ("journal_entries_total{", 4),
        ("servers{", 7),
        ("serving_servers{", 3),
        ("places{", 5),
    ] {
        assert_eq!(metrics.count(begin), samples, "{begin}");
    }
    for line in metrics.render().lines().filter(|line| line.starts_with("playlivechess_manager_")) {
        assert!(line.ends_with(" 0") || line.contains("build_info"), "{line}");
    }
}

#[test]
fn nothing_is_shared_with_other_metrics_but_by_clones() {
    let (one, other) = (metrics(), metrics());
    one.clone().connections_open(7);
    assert_eq!(one.sample("http_connections"), 7.0);
    assert_eq!(other.sample("http_connections"), 0.0);
}

#[test]
fn the_build_and_the_process_are_told() {
    let metrics = metrics();
    assert_eq!(metrics.sample(&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    let text = metrics.render();
    let value = |name: &str| -> f64 {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in:\n{text}"))
    };
    assert_eq!(value("process_start_time_seconds"), 1.7e9);
    assert!(value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_max_fds") >= value("process_open_fds"));
}
