//! Days that are lived with every run of the tests, and the promise that one seed is one day.

use std::process::Command;
use std::thread;
use std::time::Duration;

use simulation::life::live;
use simulation::manager::Way;
use simulation::scenario::TROUBLE;
use simulation::soak::Soak;

/// Seeds of the days on which a fault was found once, with what it was. Each fault has a test of its own beside the code,
/// since a day is another one once the world learns something new.
const FOUND: [(u64, &str); 10] = [
    (2, "a hold ran out before the next health question, and its client's place was given out twice"),
    (12, "a first look left a task out, and its instance was terminated as a launch overdue"),
    (158, "a launch that was first seen to run after its health deadline was closed without being asked"),
    (1602, "refused calls were asked for again every few seconds, for each server, and used up what AWS allows"),
    (84, "a manager that started saw one instance of a launch of two, and launched above the maximum"),
    (265, "the end of an instance waited for the answer to a stop of another server's task"),
    (553, "a server that failed before the others were heard had the fleet turn to another revision"),
    (294, "beside a server that hung for good a build that does not work was tried for ever"),
    (872, "beside a server on standby that answered a build that does not work was tried for ever"),
    (28, "spent ordinals were jumped over, and with them a launch that was not visible yet"),
];

#[test]
fn on_a_number_of_days_no_rule_is_broken() {
    let soak = Soak { from: 1000, seeds: 2, trouble: TROUBLE, way: Way::Port, threads: None, shows_progress: false };
    let report = soak.run();
    assert!(report.broken.is_none(), "{}", report.broken.expect("a broken rule"));
    let figures = report.figures;
    assert_eq!(figures.days, 2);
    // A world in which nothing happens proves nothing.
    assert!(figures.served > 500 && figures.launches > 20 && figures.terminations > 10, "{figures}");
    assert!(figures.faults.len() > 15, "{figures}");
}

/// Some hours only: the SDK's code takes its time where it is not optimised.
#[cfg(feature = "aws")]
#[test]
fn through_the_real_sdk_no_rule_is_broken() {
    let trouble = Duration::from_hours(1);
    let soak = Soak { from: 1, seeds: 2, trouble, way: Way::Wire, threads: None, shows_progress: false };
    let report = soak.run();
    assert!(report.broken.is_none(), "{}", report.broken.expect("a broken rule"));
    let figures = report.figures;
    assert!(figures.days == 2 && figures.launches > 3 && figures.failed_calls > 10, "{figures}");
}

#[test]
fn the_days_on_which_a_fault_was_found_once_go_well() {
    thread::scope(|scope| {
        for (seed, what) in FOUND {
            scope.spawn(move || {
                let day = live(seed, TROUBLE, Way::Port, false);
                assert!(day.broken.is_none(), "{what}: {}", day.broken.expect("a broken rule"));
            });
        }
    });
}

#[test]
fn one_seed_gives_one_log_in_every_run_and_build_profile() {
    let log = |seed| live(seed, Duration::from_hours(3), Way::Port, true).log.expect("it was kept");
    let (once, again) = (log(7), log(7));
    assert!(once == again, "two runs differ");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "--locked", "--no-default-features", "--manifest-path", manifest])
        .args(["--bin", "soak", "--", "--from", "7", "--hours", "3", "--log"])
        .arg(file.path())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let released = std::fs::read_to_string(file.path()).expect("a log");
    assert!(once == released, "the release build's day differs");
    assert_ne!(once, log(8), "another seed is another day");
}

#[cfg(feature = "aws")]
#[test]
fn through_the_real_sdk_too_one_seed_gives_one_log() {
    let log = || live(3, Duration::from_mins(30), Way::Wire, true).log.expect("it was kept");
    assert!(log() == log(), "two runs differ");
}
