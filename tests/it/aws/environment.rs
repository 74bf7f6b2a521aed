//! The Python environment of the AWS API server, made once for all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The server's program and what it needs.
pub(super) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws");

/// Where nothing but what the tests need is installed.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/aws-api-server");

/// The Python that has what the server needs, installing it where it is missing. Whoever comes second waits.
pub(super) fn python() -> PathBuf {
    let requirements = fs::read_to_string(format!("{SERVER}/requirements.txt")).expect("the server's requirements");
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("the target folder can be written to");
    let lock = File::create(format!("{HOME}.lock")).expect("the target folder can be written to");
    lock.lock().expect("a file can be locked");
    let installed = Path::new(HOME).join("installed.txt");
    let python = Path::new(HOME).join("bin/python");
    if fs::read_to_string(&installed).ok().as_deref() != Some(&requirements) {
        // Half an environment, or one for other requirements.
        let _ = fs::remove_dir_all(HOME);
        run(Command::new("python3").args(["-m", "venv", HOME]));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        run(Command::new(&python).args(pip).arg(format!("{SERVER}/requirements.txt")));
        fs::write(installed, requirements).expect("the target folder can be written to");
    }
    python
}

fn run(command: &mut Command) {
    let advice = "The tests need Python 3.11 or newer with venv (Debian: apt install python3-venv) and access to PyPI.";
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            panic!(
                "the AWS API server cannot be set up: {command:?} failed, {}:\n{told}{error}\n{advice}",
                output.status
            )
        }
        Err(error) => panic!("the AWS API server cannot be set up: {command:?}: {error}\n{advice}"),
    }
}
