//! The number that the journal has come to, so that a restarted manager goes on from there.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use super::appending::numbered;

/// So much of a file's end is read. Numbers ascend, so the highest is in its last whole line; an entry has some 500
/// bytes, and what a crash or a full disk left there is far less than this.
const END: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Entry {
    number: u64,
}

/// The highest number in the newest file that has any; None if none has. Lines that cannot be read are passed over.
/// Blocks until it is read.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn last_number(path: &Path) -> io::Result<Option<u64>> {
    for number in 0.. {
        match end_of(&numbered(path, number)) {
            Ok(end) => {
                let numbers = end.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
                if let Some(highest) = numbers.map(|Entry { number }| number).max() {
                    return Ok(Some(highest));
                }
            }
            // A rotation that was cut short leaves one out; after two there are no more.
            Err(error) if error.kind() == ErrorKind::NotFound && number < 2 => {}
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The end of a file. Its first line may be a part of one, which is no JSON object.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is in each file, the newest first. None is one that is not there.
    type Files<'a> = &'a [Option<&'a [u8]>];

    /// The last number of a journal with these files.
    fn last(files: Files<'_>) -> Option<u64> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.jsonl");
        for (number, file) in (0..).zip(files) {
            if let Some(text) = file {
                fs::write(numbered(&path, number), text).expect("a file");
            }
        }
        last_number(&path).expect("readable")
    }

    #[test]
    fn numbering_goes_on_from_the_newest_file() {
        type Files<'a> = &'a [Option<&'a [u8]>];
        let older: Option<&[u8]> = Some(b"{\"number\": 7, \"kind\": \"event\"}\n");
        let table: [(Files<'_>, Option<u64>); 9] = [
            (&[], None),
            (&[Some(b"")], None),
            (&[Some(b"{\"number\":8}\n{\"number\":9}\n"), older], Some(9)),
            (&[Some(b"{\"number\":8}\n{\"number\":9}"), older], Some(9)),
            (&[Some(b"{\"number\":8}\n{\"number\":9"), older], Some(8)),
            (&[Some(b"{\"number\":8}\n\xff\0\0\n{\"other\":1}\n[]\n\n{\"number\":-1}\n"), older], Some(8)),
            (&[Some(b"{\"numb"), older], Some(7)),
            (&[None, older], Some(7)),
            (&[Some(b""), None, older], Some(7)),
        ];
        for (files, expected) in table {
            assert_eq!(last(files), expected, "{files:?}");
        }
    }

    #[test]
    fn of_a_large_file_only_the_end_is_read() {
        let line = |number: u64| format!("{{\"text\": {:?}, \"number\": {number}}}\n", "x".repeat(500));
        let text: String = (1..5000).map(line).collect();
        assert!(text.len() as u64 > 2 * END);
        assert_eq!(last(&[Some(text.as_bytes())]), Some(4999));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(last_number(dir.path()).is_err());
    }
}
