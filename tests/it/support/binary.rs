//! The binary under test, under a name that is this run's alone.
//!
//! Checkouts that share a target directory share the names in it as well: a build of another one, in the middle of this
//! run, would put its binary in the place of ours.

use std::fs;
use std::path::Path;
use std::process;
use std::sync::LazyLock;

/// Where cargo has it.
const BUILT: &str = env!("CARGO_BIN_EXE_playlivechess-manager");

/// Where nothing but what the tests make is.
const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// The beginning of such a name. The id of the process that runs the tests follows.
const NAME: &str = "playlivechess-manager-of-";

/// The path of the binary under test.
pub(crate) static BINARY: LazyLock<String> = LazyLock::new(|| {
    fs::create_dir_all(DIRECTORY).expect("the target folder can be written to");
    remove_those_of_earlier_runs();
    let own = format!("{DIRECTORY}/{NAME}{}", process::id());
    let _ = fs::remove_file(&own);
    fs::hard_link(BUILT, &own).expect("the target folder can be written to");
    own
});

fn remove_those_of_earlier_runs() {
    let names = fs::read_dir(DIRECTORY).expect("the target folder can be read").flatten().map(|entry| entry.path());
    for path in names {
        let run = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(NAME));
        if run.is_some_and(|run| !Path::new("/proc").join(run).exists()) {
            // Another run may be faster.
            let _ = fs::remove_file(&path);
        }
    }
}
