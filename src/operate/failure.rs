//! Why nothing was done, by what a script can do about it.

use std::process::ExitCode;

use thiserror::Error;

use crate::config::Mistakes;
use crate::stdout::Unprinted;

/// What the exit codes mean.
pub(super) const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  the manager refused; stderr has why
  2  a mistake on the command line or in the configuration
  3  no manager was reached
  4  the token was refused";

/// Why nothing was done.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The manager's own word.
    #[error("{0}")]
    Refused(String),
    /// The command line does not say what to ask, or whom.
    #[error("{0}")]
    Usage(String),
    /// The configuration does not say whom to ask.
    #[error(transparent)]
    Configuration(#[from] Mistakes),
    /// Nobody answers, or nobody who is a manager.
    #[error("{0}")]
    NotReached(String),
    /// The token is missing, or another one.
    #[error("the token was refused, or there was none: {0}; here it is MANAGER_OPERATIONS_TOKEN")]
    Token(String),
    /// What was told cannot be printed.
    #[error(transparent)]
    Output(#[from] Unprinted),
}

impl Failure {
    /// Told on stderr, unless it is that nobody reads any more.
    pub(super) fn tell(&self) -> ExitCode {
        let code = match self {
            Self::Output(error) if error.is_unwanted() => return ExitCode::SUCCESS,
            Self::Configuration(mistakes) => {
                eprintln!("{mistakes}");
                return ExitCode::from(2);
            }
            Self::Refused(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::NotReached(_) => 3,
            Self::Token(_) => 4,
        };
        eprintln!("playlivechess-manager: {self}");
        ExitCode::from(code)
    }
}
