//! What the operator wants, from five layers into one checked, typed [`Settings`].
//!
//! Built-in defaults < `manager.toml` (or the file given) < `.env` < the process environment < flags. One table
//! (`table.rs`) says what settings there are; everything else follows it: what is read, what a mistake is told, what
//! `check-config` prints and what `manager.toml` must say.
//!
//! Of a setting given in several layers only the value that wins is checked; names are checked in every layer.

mod dotenv;
mod effective;
mod environment;
mod file;
mod kind;
mod layer;
mod manual;
mod mistakes;
mod nearest;
mod resolve;
mod rules;
mod secret;
mod secret_files;
mod sections;
mod setting;
mod shapes;
mod table;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use effective::{Effective, changes, print_effective};
pub use manual::manual;
pub use mistakes::{Found, Mistake, Mistakes};
pub use secret::Secret;
pub use sections::api::Api;
pub use sections::aws::{Aws, HealthAddress};
pub use sections::cloud_calls::CloudCalls;
pub use sections::health::Health;
pub use sections::http::Http;
pub use sections::journal::Journal;
pub use sections::launch::Launch;
pub use sections::local::{Local, Spread};
pub use sections::manager::{CloudKind, Settings};
pub use sections::operations::Operations;
pub use sections::rollout::Rollout;
pub use sections::scaling::{Allocation, Scaling, ScalingPolicy, ShadowPolicy};
pub use sections::traces::Traces;

use mistakes::Findings;
use resolve::Resolved;
use secret_files::SecretFiles;

/// What the command line says about the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// `--config FILE`: read instead of `manager.toml`, and must exist.
    pub config: Option<PathBuf>,
    /// `--listen ADDR`.
    pub listen: Option<String>,
    /// `--local`: the same as `cloud = "local"`.
    pub local: bool,
}

/// A configuration without a mistake.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What the operator should know though nothing is wrong; for the log.
    pub notices: Vec<String>,
    /// Every setting with its source, in the order of `manager.toml`.
    pub effective: Vec<Effective>,
}

/// Reads all layers: `manager.toml` and `.env` in `dir`, if they exist, and this process environment.
///
/// # Errors
/// Every mistake of every layer, at once.
pub fn load(flags: &Flags, dir: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Mistakes> {
    let mut findings = Findings::default();
    let resolved = resolve(flags, dir, env, &mut findings);
    let secret_files = SecretFiles::read(&resolved, dir, &mut findings);
    rules::check(&resolved, &mut findings);
    let Findings { mistakes, notices } = findings;
    if !mistakes.is_empty() {
        return Err(Mistakes::new(mistakes));
    }
    let mut settings = resolved.settings().map_err(|mistake| Mistakes::new(vec![mistake]))?;
    let effective = resolved.effective(&secret_files);
    secret_files.fill(&mut settings);
    Ok(Loaded { settings, notices, effective })
}

/// The name in the environment of a setting, by its place in `manager.toml`, by the last word of that, or by the name itself.
///
/// # Errors
/// When there is none, or several: which were meant.
pub fn variable(name: &str) -> Result<&'static str, String> {
    if let Some(setting) = table::by_path(name).or_else(|| table::by_env(name)) {
        return Ok(setting.env);
    }
    let last = |path: &'static str| path.rsplit('.').next() == Some(name);
    let named: Vec<_> = table::settings().filter(|setting| last(setting.path)).collect();
    match named[..] {
        [setting] => Ok(setting.env),
        [] => Err(nearest::in_file(name).map_or_else(
            || "there is no such setting; check-config lists them".to_owned(),
            |path| format!("there is no such setting; did you mean {path}?"),
        )),
        _ => {
            let paths: Vec<&str> = named.iter().map(|setting| setting.path).collect();
            Err(format!("there are several of that name, write which: {}", paths.join(", ")))
        }
    }
}

/// Reads the layers for the address to listen on alone: for a health check, which may lack the manager's flags.
///
/// # Errors
/// Every mistake, if that address is among them.
pub fn listen(
    flags: &Flags,
    dir: &Path,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<SocketAddr, Mistakes> {
    let mut findings = Findings::default();
    let listen = resolve(flags, dir, env, &mut findings).one("listen");
    listen.ok_or_else(|| Mistakes::new(findings.mistakes))
}

/// Reads the layers for where operators are listened for and what they must show alone: for a command line of theirs,
/// which may lack the manager's flags and be in its place while the rest of the configuration is being changed.
///
/// The token goes before its file: whoever may not read that can bring the token along.
///
/// # Errors
/// Every mistake, if one of those is among them, or if the file that was asked for is.
pub fn operators(
    flags: &Flags,
    dir: &Path,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Operations, Mistakes> {
    let mut findings = Findings::default();
    let resolved = resolve(flags, dir, env, &mut findings);
    let is_wrong = flags.config.is_some() && !findings.mistakes.is_empty();
    let listen = resolved.one::<String>("operations.listen");
    let token_file = resolved.one("operations.token_file");
    let token = resolved.one("operations.token").or_else(|| secret_files::token(&resolved, dir, &mut findings));
    let lacks_token = token.is_none()
        && ["operations.token", "operations.token_file"].iter().any(|setting| !resolved.is_unset(setting));
    match listen {
        // What is no address was found to be `off`.
        Some(listen) if !is_wrong && !lacks_token => Ok(Operations { listen: listen.parse().ok(), token, token_file }),
        _ => Err(Mistakes::new(findings.mistakes)),
    }
}

/// Lays the layers over each other.
fn resolve(
    flags: &Flags,
    dir: &Path,
    env: impl IntoIterator<Item = (String, String)>,
    findings: &mut Findings,
) -> Resolved {
    let file = file::read(flags.config.as_deref(), dir, findings);
    let mut dotenv = dotenv::read(dir, findings);
    let environment = environment::read(env, findings);
    // Credentials of one section go together: none of one layer with those of another.
    let given: Vec<_> = environment.iter().map(|entry| entry.setting).filter(|setting| setting.is_secret()).collect();
    dotenv.retain(|entry| {
        !entry.setting.is_secret() || given.iter().all(|given| given.section() != entry.setting.section())
    });
    let layers = [layer::defaults(), file, dotenv, environment, layer::flags(flags)];
    Resolved::new(layers.into_iter().flatten(), findings)
}
