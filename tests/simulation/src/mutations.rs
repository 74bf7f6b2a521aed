//! Shows that the observer sees: each mutation is a deliberate break of the production code, and has to be noticed.
//!
//! The workspace is copied beside the build, one mutation at a time is made there, and the simulation is built on it and
//! run. The code itself has no switch for any of this.

mod list;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use list::MUTATIONS;

/// One deliberate break.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What is broken, in words.
    pub name: &'static str,
    /// The rule that it offends, by its name in the observer. It may be noticed by another one first.
    pub rule: &'static str,
    /// What is changed in the code.
    pub edits: &'static [Edit],
}

/// One change of a file.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// Which, from the workspace's root.
    pub file: &'static str,
    /// What stands there, exactly once.
    pub find: &'static str,
    /// What is put in its place.
    pub replace: &'static str,
}

const fn mutation(name: &'static str, rule: &'static str, edits: &'static [Edit]) -> Mutation {
    Mutation { name, rule, edits }
}

const fn edit(file: &'static str, find: &'static str, replace: &'static str) -> Edit {
    Edit { file, find, replace }
}

/// Mutations to try.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Those whose name contains one of these; all, if there are none.
    pub only: Vec<String>,
    /// The first seed.
    pub from: u64,
    /// Days that each one has to be noticed in.
    pub seeds: u64,
}

/// What of the workspace the simulation is built from.
const SOURCES: [&str; 6] = ["Cargo.toml", "Cargo.lock", "rustfmt.toml", "actors", "src", "tests/simulation"];

/// The workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

impl Campaign {
    /// Tries them, tells of each, and gives the names of those that were not noticed.
    pub fn run(&self) -> io::Result<Vec<&'static str>> {
        let mut survivors = Vec::new();
        let bench = Bench::set_up()?;
        let whole = Mutation { name: "nothing", rule: "none", edits: &[] };
        if let Some(verdict) = bench.try_out(&whole, self)? {
            return Err(io::Error::other(format!("the code breaks a rule as it is: {verdict}")));
        }
        for mutation in MUTATIONS.iter().filter(|mutation| self.is_meant(mutation)) {
            let noticed = bench.try_out(mutation, self)?;
            let Mutation { name, rule, .. } = mutation;
            println!("{name:<62} {rule:<9} {}", noticed.as_deref().unwrap_or("NOT NOTICED"));
            if noticed.is_none() {
                survivors.push(mutation.name);
            }
        }
        Ok(survivors)
    }
}

impl Campaign {
    fn is_meant(&self, mutation: &Mutation) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| mutation.name.contains(text))
    }
}

/// The mutations that do not fit the code any more, each with the file it was looked for in.
pub fn stale() -> io::Result<Vec<String>> {
    let mut stale = Vec::new();
    for mutation in MUTATIONS {
        for edit in mutation.edits {
            let times = fs::read_to_string(Path::new(ROOT).join(edit.file))?.matches(edit.find).count();
            if times != 1 {
                stale.push(format!("{}: {times} times in {}", mutation.name, edit.file));
            }
        }
    }
    Ok(stale)
}

/// A copy of the workspace.
struct Bench {
    checkout: PathBuf,
    target: PathBuf,
}

impl Bench {
    fn set_up() -> io::Result<Self> {
        // This program lies in the profile's folder of the target folder.
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).unwrap_or(Path::new("target")).to_owned();
        let checkout = target.join("mutations");
        for source in SOURCES {
            copy(&Path::new(ROOT).join(source), &checkout.join(source))?;
        }
        Ok(Self { checkout, target: target.join("mutations-target") })
    }

    /// How a mutation was noticed: by which seed, and as what.
    fn try_out(&self, mutation: &Mutation, campaign: &Campaign) -> io::Result<Option<String>> {
        for edit in mutation.edits {
            let file = self.checkout.join(edit.file);
            let code = fs::read_to_string(&file)?;
            if code.matches(edit.find).count() != 1 {
                let what = format!("{}: not exactly once in {}: {}", mutation.name, edit.file, edit.find);
                return Err(io::Error::other(what));
            }
            fs::write(&file, code.replace(edit.find, edit.replace))?;
        }
        let soaked = self.soak(campaign);
        for edit in mutation.edits {
            copy(&Path::new(ROOT).join(edit.file), &self.checkout.join(edit.file))?;
        }
        let Output { status, stdout, stderr } = soaked?;
        let told = String::from_utf8_lossy(&stdout);
        let verdict = told.lines().find(|line| line.starts_with("seed ") && line.contains(": rule "));
        match (status.code(), verdict) {
            (Some(0), _) => Ok(None),
            (Some(1), Some(verdict)) => Ok(Some(verdict.to_owned())),
            _ => {
                let error = String::from_utf8_lossy(&stderr);
                Err(io::Error::other(format!("{}: {status}\n{told}{error}", mutation.name)))
            }
        }
    }

    fn soak(&self, campaign: &Campaign) -> io::Result<Output> {
        let Campaign { from, seeds, .. } = campaign;
        Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .current_dir(&self.checkout)
            .env("CARGO_TARGET_DIR", &self.target)
            .args([
                "run",
                "--release",
                "--quiet",
                "--locked",
                "--package",
                "simulation",
                "--no-default-features",
                "--bin",
                "soak",
                "--",
            ])
            .args(["--from", &from.to_string(), "--seeds", &seeds.to_string()])
            .output()
    }
}

/// Copies a file or a folder. What is the same stays untouched, so that it need not be built again.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    let content = fs::read(from)?;
    if fs::read(to).ok().as_ref() != Some(&content) {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        fs::write(to, content)?;
    }
    Ok(())
}
