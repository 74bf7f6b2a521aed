//! What the command line's programs print. `print!` and `println!` end a program that cannot print with a panic: none
//! of them uses these.

use std::io::{self, Write};

use thiserror::Error;

/// What a program tells cannot be printed.
#[derive(Debug, Error)]
#[error("cannot print: {0}")]
pub struct Unprinted(#[from] io::Error);

impl Unprinted {
    /// Whether nobody reads any more, as after `| head`. That is no fault, and there is nothing to complain of.
    pub fn is_unwanted(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Prints it, now.
///
/// # Errors
/// When nobody reads any more, or there is no room for it.
pub fn print(text: impl AsRef<[u8]>) -> Result<(), Unprinted> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref())?;
    Ok(out.flush()?)
}
