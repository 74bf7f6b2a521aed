//! Python environments, each made once for all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the folders of the tests' Python programs are.
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Where nothing but what the tests make is.
const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// The Python that has exactly what `tests/<folder>/requirements.txt` names, in an environment of that name. What is missing
/// is installed; whoever comes second waits.
pub(crate) fn python(name: &str, folder: &str) -> PathBuf {
    let file = format!("{TESTS}/{folder}/requirements.txt");
    let requirements = fs::read_to_string(&file).expect("the requirements");
    fs::create_dir_all(DIRECTORY).expect("the target folder can be written to");
    let home = Path::new(DIRECTORY).join(name);
    let lock = File::create(home.with_extension("lock")).expect("the target folder can be written to");
    lock.lock().expect("a file can be locked");
    let installed = home.join("installed.txt");
    let python = home.join("bin/python");
    if fs::read_to_string(&installed).ok().as_deref() != Some(&requirements) {
        // Half an environment, or one for other requirements.
        let _ = fs::remove_dir_all(&home);
        run(name, Command::new("python3").args(["-m", "venv"]).arg(&home));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        run(name, Command::new(&python).args(pip).arg(&file));
        fs::write(installed, requirements).expect("the target folder can be written to");
    }
    python
}

fn run(name: &str, command: &mut Command) {
    let advice = "The tests need Python 3.11 or newer with venv (Debian: apt install python3-venv) and access to PyPI.";
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            panic!("{name} cannot be set up: {command:?} failed, {}:\n{told}{error}\n{advice}", output.status)
        }
        Err(error) => panic!("{name} cannot be set up: {command:?}: {error}\n{advice}"),
    }
}
