//! The task, from lines that are handed over to the file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use actors::model::Timestamp;
use tempfile::TempDir;

use super::*;

/// Longer than the pause before a file is tried again.
const A_WHILE: Duration = Duration::from_secs(10);

fn journal(path: &str) -> (TempDir, JournalFile) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(path);
    (dir, JournalFile { path, max_size: 1024 * 1024 * 1024, keep: 5 })
}

fn metrics() -> Metrics {
    Metrics::new(Timestamp::default()).expect("metrics that can be registered")
}

fn hand_over(lines: &Lines, numbers: std::ops::Range<usize>) {
    for number in numbers {
        lines.append(number.to_string());
    }
}

fn numbers(path: &Path) -> Vec<usize> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_written_at_the_latest_in_the_end() {
    let (_dir, file) = journal("journal.jsonl");
    let path = file.path.clone();
    let (lines, writing) = start(file, metrics());
    hand_over(&lines, 0..1);
    sleep(A_WHILE).await;
    assert_eq!(numbers(&path), [0]);
    hand_over(&lines, 1..5000);
    writing.finish().await;
    assert_eq!(numbers(&path), Vec::from_iter(0..5000));
    lines.append("too late, and no harm");
}

#[tokio::test(start_paused = true)]
async fn without_its_folder_lines_wait_until_it_is_there() {
    let (dir, file) = journal("folder/journal.jsonl");
    let path = file.path.clone();
    let (lines, writing) = start(file, metrics());
    hand_over(&lines, 0..3000);
    sleep(A_WHILE).await;
    fs::create_dir(dir.path().join("folder")).expect("a folder");
    sleep(A_WHILE).await;
    assert_eq!(numbers(&path), Vec::from_iter(0..3000));
    writing.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_goes_away_and_comes_back_costs_what_was_in_it() {
    let (dir, file) = journal("folder/journal.jsonl");
    let (path, folder) = (file.path.clone(), dir.path().join("folder"));
    fs::create_dir(&folder).expect("a folder");
    let (lines, writing) = start(file, metrics());
    hand_over(&lines, 0..10);
    sleep(A_WHILE).await;
    fs::remove_dir_all(&folder).expect("removed");
    hand_over(&lines, 10..20);
    sleep(A_WHILE).await;
    fs::create_dir(&folder).expect("a folder");
    hand_over(&lines, 20..30);
    writing.finish().await;
    assert_eq!(numbers(&path), Vec::from_iter(10..30));
}

#[tokio::test(start_paused = true)]
async fn on_a_full_disk_the_oldest_lines_are_kept_and_the_rest_is_counted() {
    let (dir, file) = journal("journal.jsonl");
    let path = file.path.clone();
    symlink("/dev/full", &path).expect("a link");
    let metrics = metrics();
    let (lines, writing) = start(file, metrics.clone());
    hand_over(&lines, 0..1);
    sleep(A_WHILE).await;
    hand_over(&lines, 1..QUEUE + 101);
    assert_eq!(lines.lost.load(Ordering::Relaxed), 100);
    fs::remove_file(&path).expect("removed");
    sleep(A_WHILE).await;
    assert_eq!(lines.lost.load(Ordering::Relaxed), 0, "that was told");
    let counted = metrics.render();
    let counted = |counter: &str| counted.lines().any(|line| line == format!("playlivechess_manager_{counter}"));
    assert!(counted("journal_lines_lost_total 100") && !counted("journal_file_errors_total 0"));
    hand_over(&lines, 77_777..77_778);
    writing.finish().await;
    let expected: Vec<_> = (0..=QUEUE).chain([77_777]).collect();
    assert_eq!(numbers(&path), expected);
    drop(dir);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_may_only_be_read_stops_nothing() {
    let (dir, file) = journal("journal.jsonl");
    let path = file.path.clone();
    let allow = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("permissions");
    allow(0o555);
    let (lines, writing) = start(file, metrics());
    hand_over(&lines, 0..10);
    sleep(A_WHILE).await;
    // Root may write there all the same.
    assert!(!path.exists() || rustix::process::geteuid().is_root());
    allow(0o755);
    sleep(A_WHILE).await;
    assert_eq!(numbers(&path), Vec::from_iter(0..10));
    writing.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_does_not_wait_for_a_file_that_cannot_be_written() {
    let (_dir, file) = journal("folder/journal.jsonl");
    let (lines, writing) = start(file, metrics());
    hand_over(&lines, 0..3000);
    sleep(A_WHILE).await;
    let asked = tokio::time::Instant::now();
    writing.finish().await;
    assert!(asked.elapsed() < PAUSE);
}
