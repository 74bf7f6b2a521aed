//! All findings, for a reader or for a program.

use std::fmt;

use serde::Serialize;

use super::finding::{Finding, Verdict};

/// The findings, in the order in which they were asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Report(Vec<Finding>);

impl From<Vec<Finding>> for Report {
    fn from(findings: Vec<Finding>) -> Self {
        Self(findings)
    }
}

impl Report {
    /// Whether nothing was found with which the manager cannot do.
    pub fn may_start(&self) -> bool {
        self.0.iter().all(|finding| finding.result != Verdict::Fail)
    }

    /// An array of `{check, result, found, mend}`.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.0.iter().filter(|finding| finding.result == verdict).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
        for Finding { check, result, found, mend } in &self.0 {
            // Whatever AWS says, a check has its one line.
            write!(f, "{:<7}  {check:<width$}  {}", result.word(), on_one_line(found))?;
            match mend {
                Some(mend) => writeln!(f, "; mend: {}", on_one_line(mend))?,
                None => writeln!(f)?,
            }
        }
        let counts = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Unknown]
            .map(|verdict| format!("{} {}", self.count(verdict), verdict.word()));
        write!(f, "{}", counts.join(", "))
    }
}

/// Tells the log what is not as it should be.
pub fn log(findings: &[Finding]) {
    for Finding { check, result, found, mend } in findings {
        let mend = mend.as_deref().unwrap_or_default();
        match result {
            Verdict::Pass => {}
            Verdict::Unknown => tracing::info!(check, found, mend, "could not be checked"),
            Verdict::Warn => tracing::warn!(check, found, mend, "may go wrong"),
            Verdict::Fail => tracing::error!(check, found, mend, "will go wrong"),
        }
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::from(vec![
            Finding::pass("region", "ap-south-1"),
            Finding::warn("quota", "20 instances", "ask for more"),
            Finding::fail("launch template", "none is called\n\"games\"", "create it"),
            Finding::unknown("image", "not allowed", "allow ec2:DescribeImages"),
        ])
    }

    #[test]
    fn each_finding_has_its_line_and_each_that_is_no_pass_its_mend() {
        let expected = "\
pass     region           ap-south-1
warn     quota            20 instances; mend: ask for more
fail     launch template  none is called \"games\"; mend: create it
unknown  image            not allowed; mend: allow ec2:DescribeImages
1 pass, 1 warn, 1 fail, 1 unknown";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn a_program_reads_the_same_as_json() {
        let read: serde_json::Value = serde_json::from_str(&report().json()).expect("JSON");
        let pass = serde_json::json!({ "check": "region", "result": "pass", "found": "ap-south-1", "mend": null });
        assert_eq!((&read[0], &read[3]["result"]), (&pass, &"unknown".into()));
    }

    #[test]
    fn only_a_failure_stands_in_the_way_of_a_start() {
        assert!(!report().may_start());
        let rest = report().0.into_iter().filter(|finding| finding.result != Verdict::Fail).collect::<Vec<_>>();
        assert!(Report::from(rest).may_start());
    }
}
