//! The body of a request: until all of it is there, its connection waits for the client, and makes way for others.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, Incoming, SizeHint};
use warp::hyper::body::Bytes;

use super::connections::Progress;

/// A body on its way.
pub(super) struct Arriving {
    body: Incoming,
    /// By what its connection is told that it is there; none once it was.
    progress: Option<Progress>,
}

impl Arriving {
    /// The body of a request on this connection; none when that was cut off a moment before.
    pub(super) fn of(body: Incoming, progress: &Progress) -> Option<Self> {
        if body.is_end_stream() {
            return progress.answers().then_some(Self { body, progress: None });
        }
        Some(Self { body, progress: Some(progress.clone()) })
    }

    /// All of it is there, and its connection is told so. False when that was cut off a moment before.
    fn is_there(&mut self) -> bool {
        self.progress.take().is_none_or(|progress| progress.answers())
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let has_ended = frame.is_none() || self.body.is_end_stream();
        // Who is cut off is not answered: the conversation ends by that, and nothing wakes this.
        if has_ended && !self.is_there() { Poll::Pending } else { Poll::Ready(frame) }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
