//! A client's request for a place, from its head to its answer.

use std::sync::Arc;

use actors::model::{AllocationId, Timestamp};
use warp::http::StatusCode;

use super::Recording;
use super::span::{Kind, Parent, Span, Value, new_trace};

/// A request that is traced, or not. Its trace is sent when it is answered.
#[must_use]
pub struct Request(Option<Box<Traced>>);

struct Traced {
    recording: Arc<Recording>,
    name: &'static str,
    parent: Option<Parent>,
    trace: u128,
    from: Timestamp,
    /// When the fleet was asked, and when it answered.
    asked: Option<(Timestamp, Timestamp)>,
    attributes: Vec<(&'static str, Value)>,
}

impl Request {
    pub(super) const fn untraced() -> Self {
        Self(None)
    }

    pub(super) fn traced(recording: &Arc<Recording>, name: &'static str, parent: Option<Parent>) -> Self {
        Self(Some(Box::new(Traced {
            recording: Arc::clone(recording),
            name,
            parent,
            trace: parent.map_or_else(new_trace, |parent| parent.trace),
            from: recording.now(),
            asked: None,
            attributes: Vec::new(),
        })))
    }

    /// What is to be allocated has this id. A trace that began with the request has the same.
    pub fn is_for(&mut self, allocation: AllocationId) {
        if let Some(traced) = self.0.as_deref_mut().filter(|traced| traced.parent.is_none()) {
            traced.trace = allocation.number().max(1);
        }
    }

    /// The fleet is asked now.
    pub fn asks(&mut self) {
        if let Some(traced) = &mut self.0 {
            let now = traced.recording.now();
            traced.asked = Some((now, now));
        }
    }

    /// The fleet has answered.
    pub fn is_told(&mut self) {
        if let Some(Traced { recording, asked: Some((_, to)), .. }) = self.0.as_deref_mut() {
            *to = recording.now();
        }
    }

    /// Something is to be told of it, if it is traced.
    pub fn tell(&mut self, name: &'static str, value: impl FnOnce() -> String) {
        if let Some(traced) = &mut self.0 {
            traced.attributes.push((name, Value::Text(value())));
        }
    }

    /// Its trace's id, for the log.
    pub fn id(&self) -> Option<String> {
        self.0.as_ref().map(|traced| format!("{:032x}", traced.trace))
    }

    /// The client is answered now.
    pub fn answered(self, status: StatusCode) {
        let Some(traced) = self.0 else { return };
        let Traced { recording, name, parent, trace, from, asked, attributes } = *traced;
        let mut root = Span::root(trace, Kind::Server, name, from, recording.now());
        root.parent = parent.map(|parent| parent.id);
        root.parent_is_remote = parent.is_some();
        root.attributes = attributes;
        root.attributes.push(("http.response.status_code", u32::from(status.as_u16()).into()));
        // A request that cannot be met is the client's business.
        root.failed = status.is_server_error().then(|| status.to_string());
        let asked = asked.map(|(from, to)| root.part(Kind::Internal, "ask the fleet", from, to));
        recording.send(std::iter::once(root).chain(asked).collect());
    }
}
