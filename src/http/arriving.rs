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
    /// What it ended with, while that is held back.
    last: Option<Option<Part>>,
}

type Part = Result<Frame<Bytes>, hyper::Error>;

impl Arriving {
    /// The body of a request on this connection; none when that was cut off a moment before.
    pub(super) fn of(body: Incoming, progress: &Progress) -> Option<Self> {
        if body.is_end_stream() {
            return progress.answers().then_some(Self { body, progress: None, last: None });
        }
        Some(Self { body, progress: Some(progress.clone()), last: None })
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Part>> {
        if let Some(last) = self.last.take() {
            return Poll::Ready(last);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let has_ended = frame.is_none() || self.body.is_end_stream();
        let Some(progress) = self.progress.take_if(|_| has_ended) else { return Poll::Ready(frame) };
        // Who is cut off is not answered: the conversation ends by that, and nothing wakes this. Of all others the next turn
        // begins with a look whether they are gone.
        if progress.answers() {
            self.last = Some(frame);
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
