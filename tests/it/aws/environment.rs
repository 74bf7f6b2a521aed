//! The Python environment of the AWS API server, and the servers that run in it.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::support::{self, PATIENCE};

/// The server's program and what it needs.
pub(super) const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws");

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

/// The Python that has what the server needs.
pub(super) fn python() -> PathBuf {
    support::python::python("aws-api-server", "aws")
}
