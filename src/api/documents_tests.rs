//! The documents of both APIs are in the repository too: for who writes a client, and to see in review what changes.

use std::fs;

use crate::{http, operations};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi");

/// Whether they are to be written instead.
const UPDATE: &str = "UPDATE";

#[test]
fn the_documents_in_the_repository_are_what_the_daemon_serves() {
    for (file, served) in [("clients.json", http::document()), ("operations.json", operations::document())] {
        let path = format!("{FOLDER}/{file}");
        let served = served + "\n";
        if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
            fs::write(&path, &served).expect("the repository can be written to");
        }
        // The texts are long, and git shows better what is new in them.
        let is_the_same = fs::read_to_string(&path).is_ok_and(|committed| committed == served);
        assert!(
            is_the_same,
            "openapi/{file} is not what the daemon serves by now. This writes it anew, and git diff shows the change: \
             {UPDATE}=1 cargo test --locked --lib -- documents"
        );
    }
}
