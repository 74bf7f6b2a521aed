//! Whole lines into a file, and a new file when it is full. Nothing is remembered between two calls, for the file may
//! be moved, removed or replaced by others.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

/// Where the journal is written, and how much of it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalFile {
    /// The newest file. Older ones have a number after its name, from `.1` on, the oldest the highest.
    pub path: PathBuf,
    /// The bytes that a file has at most, unless a single line has more.
    pub max_size: u64,
    /// So many older files are kept.
    pub keep: u32,
}

/// Why lines were not written.
#[derive(Debug, Error)]
pub(super) enum NotAppended {
    #[error("it cannot be opened: {0}")]
    Open(#[source] io::Error),
    #[error("it cannot be written: {0}")]
    Write(#[source] io::Error),
    #[error("the full file cannot be put aside: {0}")]
    Rotate(#[source] io::Error),
}

impl JournalFile {
    /// Appends lines, and takes those that are written out of `lines`. They are in the hands of the system then, where a
    /// killed manager loses none; a loss of power may cost the last few seconds, which a `sync` each time would not be
    /// worth.
    pub(super) fn append(&self, lines: &mut Vec<Arc<str>>) -> Result<(), NotAppended> {
        while !lines.is_empty() {
            let newest = Newest::open(&self.path).map_err(NotAppended::Open)?;
            let count = fitting(newest.size, self.max_size, lines);
            if count == 0 {
                self.rotate().map_err(NotAppended::Rotate)?;
                continue;
            }
            newest.append(&lines[..count], &self.path).map_err(NotAppended::Write)?;
            lines.drain(..count);
        }
        Ok(())
    }

    /// Gives each file the next number. Oldest first: cut short anywhere, it overwrites nothing that is to be kept.
    fn rotate(&self) -> io::Result<()> {
        for number in self.keep.saturating_add(1).. {
            // There since more were kept.
            if missing(fs::remove_file(numbered(&self.path, number)))? {
                break;
            }
        }
        for number in (0..self.keep).rev() {
            missing(fs::rename(numbered(&self.path, number), numbered(&self.path, number + 1)))?;
        }
        if self.keep == 0 {
            missing(fs::remove_file(&self.path))?;
        }
        Ok(())
    }
}

/// The newest file is the one without a number.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    if number > 0 {
        name.push(format!(".{number}"));
    }
    name.into()
}

/// Whether there was no such file, which is no failure.
fn missing(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// How many of the lines fit in a file of this size. An empty one takes the first whatever its length.
fn fitting(size: u64, max_size: u64, lines: &[Arc<str>]) -> usize {
    let after_each = lines.iter().scan(size, |size, line| {
        *size = size.saturating_add(line.len() as u64 + 1);
        Some(*size)
    });
    after_each.take_while(|size| *size <= max_size).count().max(usize::from(size == 0))
}

/// The newest file, open.
struct Newest {
    file: File,
    size: u64,
    /// Its last line has no end: who wrote it was killed, or its disk was full.
    is_torn: bool,
}

impl Newest {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let size = file.metadata()?.len();
        let mut last = *b"\n";
        if let Some(end) = size.checked_sub(1) {
            file.read_exact_at(&mut last, end)?;
        }
        Ok(Self { file, size, is_torn: last != *b"\n" })
    }

    /// Appends all of these lines, or none.
    fn append(mut self, lines: &[Arc<str>], path: &Path) -> io::Result<()> {
        let mut text = String::from(if self.is_torn { "\n" } else { "" });
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // What is there by half would be there twice after the next try. If it cannot be taken back, it will be: its
            // last line is torn then, and closed by that try.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        if self.is_torn {
            let path = path.display();
            tracing::warn!(%path, "the last line of the journal's file was cut short; it was closed, and the next one is whole");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn journal(max_size: u64, keep: u32) -> (TempDir, JournalFile) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("journal.jsonl");
        (dir, JournalFile { path, max_size, keep })
    }

    fn append(journal: &JournalFile, lines: &[&str]) -> Result<(), NotAppended> {
        let mut lines: Vec<Arc<str>> = lines.iter().map(|line| Arc::from(*line)).collect();
        journal.append(&mut lines)?;
        assert!(lines.is_empty());
        Ok(())
    }

    /// What each of the files has, the newest first.
    fn files(journal: &JournalFile) -> Vec<String> {
        (0..).map_while(|number| fs::read_to_string(numbered(&journal.path, number)).ok()).collect()
    }

    #[test]
    fn a_file_that_would_grow_too_large_is_put_aside_and_the_oldest_goes() {
        let (_dir, journal) = journal(8, 2);
        append(&journal, &["a1", "a2"]).expect("written");
        append(&journal, &["a3"]).expect("written");
        assert_eq!(files(&journal), ["a3\n", "a1\na2\n"]);
        append(&journal, &["b1", "b2", "b3", "b4", "b5"]).expect("written");
        assert_eq!(files(&journal), ["b4\nb5\n", "b2\nb3\n", "a3\nb1\n"]);
    }

    #[test]
    fn a_line_that_is_longer_than_a_file_has_one_of_its_own() {
        let (_dir, journal) = journal(4, 5);
        append(&journal, &["1", "2345678", "9"]).expect("written");
        assert_eq!(files(&journal), ["9\n", "2345678\n", "1\n"]);
    }

    #[test]
    fn with_none_to_keep_a_full_file_begins_anew() {
        let (_dir, journal) = journal(4, 0);
        append(&journal, &["1", "2", "3"]).expect("written");
        assert_eq!(files(&journal), ["3\n"]);
    }

    #[test]
    fn files_that_are_no_longer_to_be_kept_go() {
        let (_dir, journal) = journal(2, 4);
        append(&journal, &["1", "2", "3", "4", "5"]).expect("written");
        assert_eq!(files(&journal).len(), 5);
        append(&JournalFile { keep: 1, ..journal.clone() }, &["6"]).expect("written");
        assert_eq!(files(&journal), ["6\n", "5\n"]);
    }

    #[test]
    fn a_gap_of_a_rotation_that_was_cut_short_costs_nothing() {
        let (_dir, journal) = journal(2, 3);
        append(&journal, &["1", "2", "3"]).expect("written");
        fs::rename(numbered(&journal.path, 2), numbered(&journal.path, 3)).expect("renamed");
        fs::rename(numbered(&journal.path, 1), numbered(&journal.path, 2)).expect("renamed");
        append(&journal, &["4"]).expect("written");
        assert_eq!(files(&journal), ["4\n", "3\n"]);
        assert_eq!(fs::read_to_string(numbered(&journal.path, 3)).expect("a file"), "2\n");
    }

    #[test]
    fn a_torn_line_is_closed_and_the_next_one_is_whole() {
        let (_dir, journal) = journal(1000, 5);
        fs::write(&journal.path, "{\"number\": 1}\n{\"numb").expect("a file");
        append(&journal, &["{\"number\": 2}"]).expect("written");
        append(&journal, &["{\"number\": 3}"]).expect("written");
        assert_eq!(files(&journal), ["{\"number\": 1}\n{\"numb\n{\"number\": 2}\n{\"number\": 3}\n"]);
    }

    #[test]
    fn what_others_do_to_the_file_is_noticed() {
        let (_dir, journal) = journal(1000, 5);
        append(&journal, &["1"]).expect("written");
        fs::rename(&journal.path, journal.path.with_extension("moved")).expect("moved");
        append(&journal, &["2"]).expect("written");
        assert_eq!(files(&journal), ["2\n"]);
    }

    #[test]
    fn why_it_cannot_be_written_is_said_and_the_lines_are_kept() {
        let (dir, mut journal) = journal(1000, 5);
        let mut refused = |path: &str| {
            let mut lines = vec![Arc::from("1")];
            journal.path = dir.path().join(path);
            let why = journal.append(&mut lines).expect_err(path).to_string();
            assert_eq!(lines.len(), 1);
            why
        };
        fs::create_dir(dir.path().join("folder")).expect("a folder");
        std::os::unix::fs::symlink("/dev/full", dir.path().join("full")).expect("a link");
        assert!(refused("missing/journal.jsonl").starts_with("it cannot be opened: No such file"));
        assert!(refused("folder").starts_with("it cannot be opened: Is a directory"));
        assert!(refused("full").starts_with("it cannot be written: No space left"));
    }
}
