//! A step that took some time.

use std::borrow::Cow;

use actors::model::Timestamp;
use rand::RngExt;

/// A step of a trace.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Span {
    /// The trace it belongs to; never 0.
    pub(super) trace: u128,
    /// Its own id; never 0.
    pub(super) id: u64,
    /// The step that it is a part of.
    pub(super) parent: Option<u64>,
    /// That step is another program's.
    pub(super) parent_is_remote: bool,
    pub(super) kind: Kind,
    pub(super) name: Cow<'static, str>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub(super) failed: Option<String>,
}

/// Whose work a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Somebody asked this program.
    Server,
    /// This program asked another one.
    Client,
    /// Its own.
    Internal,
}

/// What is told of a step.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl Span {
    /// The whole of a trace, or of this program's part in it.
    pub(super) fn root(trace: u128, kind: Kind, name: &'static str, from: Timestamp, to: Timestamp) -> Self {
        Self {
            trace,
            id: rand::rng().random_range(1..=u64::MAX),
            parent: None,
            parent_is_remote: false,
            kind,
            name: name.into(),
            from,
            to,
            attributes: Vec::new(),
            failed: None,
        }
    }

    /// A part of it.
    pub(super) fn part(&self, kind: Kind, name: &'static str, from: Timestamp, to: Timestamp) -> Self {
        Self { parent: Some(self.id), ..Self::root(self.trace, kind, name, from, to) }
    }

    /// The same, with this told of it if it is known.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.attributes.extend(value.map(|value| (name, value.into())));
        self
    }
}

/// A new trace's id.
pub(super) fn new_trace() -> u128 {
    rand::rng().random_range(1..=u128::MAX)
}

/// The step of another program that asked for this one, as it says in its headers: W3C Trace Context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parent {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) is_sampled: bool,
}
