//! The Python environment of the AWS API server, made once for all tests, and the servers that run in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// The server's program and what it needs.
pub(super) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws");

/// Where nothing but what the tests need is installed.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/aws-api-server");

/// What a server says before its address.
const GREETING: &str = "listening on ";

/// Starts one of the programs, and gives its address once it listens. It ends when the test lets go of it.
pub(super) async fn serve(program: &str, arguments: &[&str]) -> (Child, String) {
    let python = tokio::task::spawn_blocking(python).await.expect("the environment of the AWS API server");
    let mut process = tokio::process::Command::new(python)
        .arg(format!("{SERVER}/{program}"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Python starts");
    let mut told = BufReader::new(process.stdout.take().expect("stdout was piped")).lines();
    let greeting = timeout(PATIENCE, told.next_line()).await.expect("the server starts in time");
    let greeting = greeting.expect("text").expect("the server starts");
    let url = greeting.strip_prefix(GREETING).expect("its address").to_owned();
    (process, url)
}

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
