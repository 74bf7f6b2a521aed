//! The AWS API server itself: whether it does what AWS documents, where the manager's tests stand on that.

use std::process::Command;

use super::environment::{SERVER, python};

#[test]
fn the_api_server_does_what_aws_documents() {
    let checked = Command::new(python()).arg(format!("{SERVER}/selfcheck.py")).output().expect("Python starts");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
