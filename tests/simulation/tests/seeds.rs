//! Days that are lived with every run of the tests, and the promise that one seed is one day.

use std::process::Command;

use simulation::life::live;
use simulation::manager::Way;
use simulation::soak::Soak;

/// Seeds of the days on which a fault was found once, with what it was.
const FOUND: [(u64, &str); 3] = [
    (2, "a hold ran out before the next health question, and its client's place was given out twice"),
    (12, "a first look left a task out, and its instance was terminated as a launch overdue"),
    (28, "spent ordinals were jumped over, and with them a launch that was not visible yet"),
];

#[test]
fn on_a_number_of_days_no_rule_is_broken() {
    let soak = Soak { from: 1000, seeds: 5, way: Way::Port, threads: None, shows_progress: false };
    let report = soak.run();
    assert!(report.broken.is_none(), "{}", report.broken.expect("a broken rule"));
    let figures = report.figures;
    assert_eq!(figures.days, 5);
    // A world in which nothing happens proves nothing.
    assert!(figures.served > 1000 && figures.launches > 50 && figures.terminations > 20, "{figures}");
    assert!(figures.faults.len() > 15, "{figures}");
}

#[test]
fn the_days_on_which_a_fault_was_found_once_go_well() {
    for (seed, what) in FOUND {
        let day = live(seed, Way::Port, false);
        assert!(day.broken.is_none(), "{what}: {}", day.broken.expect("a broken rule"));
    }
}

#[test]
fn one_seed_gives_one_log_in_every_run_and_build_profile() {
    let [once, again] = [live(7, Way::Port, true), live(7, Way::Port, true)].map(|day| day.log.expect("it was kept"));
    assert!(once == again, "two runs differ");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args([
            "run",
            "--release",
            "--quiet",
            "--locked",
            "--no-default-features",
            "--manifest-path",
            manifest,
            "--bin",
        ])
        .args(["soak", "--", "--from", "7", "--log"])
        .arg(file.path())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let released = std::fs::read_to_string(file.path()).expect("a log");
    assert!(once == released, "the release build's day differs");
    assert_ne!(once, live(8, Way::Port, true).log.expect("it was kept"), "another seed is another day");
}
