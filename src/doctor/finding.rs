//! What one check came to.

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It could not be asked, or the answer does not tell.
    Unknown,
    /// It may do, and it may not.
    Warn,
    /// It will not do.
    Fail,
}

impl Verdict {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check: what was found, and what would mend it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: a few words, or the action that a permission is for.
    pub check: &'static str,
    /// How it came out.
    pub result: Verdict,
    /// What there is.
    pub found: String,
    /// What to do about it. None if nothing needs to be done.
    pub mend: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn pass(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, result: Verdict::Pass, found: found.into(), mend: None }
    }

    /// It could not be asked, or the answer does not tell.
    pub fn unknown(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, result: Verdict::Unknown, found: found.into(), mend: Some(mend.into()) }
    }

    /// It may do, and it may not.
    pub fn warn(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, result: Verdict::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    /// It will not do.
    pub fn fail(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, result: Verdict::Fail, found: found.into(), mend: Some(mend.into()) }
    }
}
