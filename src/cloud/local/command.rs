//! The command that starts a game server, with a place for where it listens.

use std::io;
use std::net::SocketAddr;

/// The game server that comes with the manager, as a command for the local cloud.
pub fn built_in_game_server(capacity: u32) -> io::Result<Vec<String>> {
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let words = [program.as_str(), "game-server", "--listen", "{ip}:{port}", "--capacity", &capacity.to_string()];
    Ok(words.map(str::to_owned).to_vec())
}

/// The command for a game server that listens there.
pub(super) fn render(command: &[String], address: SocketAddr) -> Vec<String> {
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    command.iter().map(|word| word.replace("{ip}", &ip).replace("{port}", &port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_wherever_they_stand() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let address = "127.0.0.5:9001".parse().expect("an address");
        let rendered = render(&words("python manage.py runserver {ip}:{port} --log {port}.log"), address);
        assert_eq!(rendered, words("python manage.py runserver 127.0.0.5:9001 --log 9001.log"));
    }
}
