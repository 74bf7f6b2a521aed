//! What the command line says of itself: to shells, and to `man`.

use clap::Command;
use clap_complete::Shell;

/// Where the completions go.
pub const COMPLETIONS_HELP: &str = "\
Examples:
  playlivechess-manager completions bash > /etc/bash_completion.d/playlivechess-manager
  playlivechess-manager completions zsh > \"${fpath[1]}/_playlivechess-manager\"
  playlivechess-manager completions fish > ~/.config/fish/completions/playlivechess-manager.fish";

/// That of daemons and of who runs them.
const SECTION: &str = "8";

/// What the shell is to read.
pub fn completions(shell: Shell, mut command: Command) -> Vec<u8> {
    let name = command.get_name().to_owned();
    // Nothing can go wrong in memory, where the generator ends the program if a pipe breaks.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &*name, &mut script);
    if shell != Shell::Bash {
        return script;
    }
    // It spells a name with hyphens in two ways, and completes nothing after a command by that:
    // <https://github.com/clap-rs/clap/issues/6421>.
    let (wrong, right) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
    String::from_utf8_lossy(&script).replace(&wrong, &right).into_bytes()
}

/// The manual page of the program, or of one of its commands.
///
/// # Errors
/// There is no such command.
pub fn manual(mut program: Command, command: Option<&str>) -> Result<Vec<u8>, String> {
    program.build();
    let page = match command {
        None => program,
        // Built, it goes by the names of both.
        Some(name) => program.find_subcommand(name).ok_or_else(|| format!("there is no command {name:?}"))?.clone(),
    };
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(page).section(SECTION).render(&mut text);
    rendered.map(|()| text).map_err(|error| error.to_string())
}
