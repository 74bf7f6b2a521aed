//! The journal and the decisions in it.

use std::sync::Arc;
use std::time::Duration;

use actors::journal::{Draft, Entry, Source, what};
use actors::model::{Action, LeadTime, Rule, Timestamp};
use tokio::sync::broadcast;

use super::metrics;

fn entry(draft: Draft) -> Entry {
    Entry { number: 1, at: Timestamp::default(), draft }
}

#[test]
fn a_decision_is_an_entry_with_a_rule_and_a_result() {
    let metrics = metrics();
    let decision = Draft {
        rule: Some(Rule::UpscaleMargin.name()),
        ..Draft::new(Source::Decision, Action::Launch(3).name(), "launch 3 more".into())
    };
    metrics.entry(&entry(decision.clone()));
    metrics.entry(&entry(Draft { refused: Some("launches are blocked".into()), ..decision }));
    for result in ["done", "refused"] {
        let series = format!(r#"decisions_total{{action="launch",result="{result}",rule="upscale-margin"}}"#);
        assert_eq!(metrics.sample(&series), 1.0, "{result}");
    }
    assert_eq!(metrics.count("decisions_total{"), 26, "its words were known before");
    assert_eq!(metrics.sample(r#"journal_entries_total{kind="decision"}"#), 2.0);
}

#[test]
fn other_entries_are_no_decisions() {
    let metrics = metrics();
    metrics.entry(&entry(Draft::new(Source::Operator, "pause", String::new())));
    metrics.entry(&entry(Draft::new(Source::Order, "launch", String::new())));
    let kind = |kind: &str| metrics.sample(&format!(r#"journal_entries_total{{kind="{kind}"}}"#));
    assert_eq!(["decision", "order", "event", "operator"].map(kind), [0.0, 1.0, 0.0, 1.0]);
    let decided =
        metrics.render().lines().filter(|line| line.contains("decisions_total{")).map(str::to_owned).collect();
    let decided: Vec<String> = decided;
    assert!(decided.iter().all(|line| line.ends_with(" 0")), "{decided:?}");
}

#[tokio::test]
async fn whoever_follows_counts_what_is_written_and_what_came_too_fast() {
    let metrics = metrics();
    let journal = broadcast::Sender::new(2);
    let follower = metrics.clone().follow(journal.subscribe());
    let launched = LeadTime { stages: [Duration::from_secs(10); 4], total: Duration::from_secs(40) };
    let text = || Draft::new(Source::Event, "launched", String::new());
    for draft in [text(), text(), text(), Draft { lead_time: Some(launched), ..text() }] {
        journal.send(Arc::new(entry(draft))).expect("a follower");
    }
    drop(journal);
    follower.await;
    assert_eq!(metrics.sample("journal_entries_missed_total"), 2.0);
    assert_eq!(metrics.sample(r#"journal_entries_total{kind="event"}"#), 2.0);
    assert_eq!(metrics.sample("launch_duration_seconds_sum"), 40.0);
    assert_eq!(metrics.sample(r#"launches_total{result="served"}"#), 1.0);
}

#[test]
fn a_launch_that_came_to_nothing_is_counted_as_that() {
    let metrics = metrics();
    metrics.entry(&entry(Draft::new(Source::Event, what::NOT_LAUNCHED, String::new())));
    let result = |result: &str| metrics.sample(&format!(r#"launches_total{{result="{result}"}}"#));
    assert_eq!(["served", "failed"].map(result), [0.0, 1.0]);
}
