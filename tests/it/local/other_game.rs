//! Any HTTP game server that answers `/health/` can be run: here one in Python, which knows nothing of this project.

use crate::support::manager::Setup;

const GAME: &str = r#"
import http.server, json, sys

class Game(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        health = self.path == "/health/"
        body = json.dumps({"available_capacity": 7, "ready_to_close": False} if health else {}).encode()
        self.send_response(200 if health else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print("a game in Python on", sys.argv[1:], flush=True)
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Game).serve_forever()
"#;

#[tokio::test]
async fn a_game_server_of_somebody_elses_is_run_by_its_command() {
    let setup = Setup::local().dot_env("MANAGER_LOCAL_COMMAND='/usr/bin/env python3 game.py {ip} {port}'");
    std::fs::write(setup.path().join("game.py"), GAME).expect("the directory can be written to");
    let manager = setup.start().await;
    let address = manager.serves(1).await.remove(0);
    assert_eq!(manager.available().await, address);
    let printed = manager.log.message(0, "a game in Python").await;
    assert_eq!(printed["task"], manager.server_at(&address).await.task.expect("a task"), "its output is told apart");
    manager.stop().await;
}
