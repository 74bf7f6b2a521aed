//! The body of an answer, which may go on for hours: until then its connection waits for no next request.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use warp::http::Response;
use warp::hyper::body::Bytes;
use warp::reply::Response as Answer;

use super::connections::Progress;

/// A body, as its answer has it.
pub(super) struct Streamed {
    body: <Answer as IntoBody>::Body,
    /// Of a stream, what tells its connection that it is over.
    _until: Option<Until>,
}

impl Streamed {
    /// Wraps an answer. A connection that was answered waits for the next request; where the answer is a stream, from its
    /// end on.
    pub(super) fn of(answer: Answer, progress: &Progress) -> Response<Self> {
        answer.map(|body| {
            // What is there already has a length.
            let is_stream = body.size_hint().exact().is_none();
            let until = is_stream.then(|| Until(progress.clone()));
            if until.is_none() {
                progress.answered();
            }
            Self { body, _until: until }
        })
    }
}

/// Tells a connection that it was answered, when it is let go of.
struct Until(Progress);

impl Drop for Until {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// warp does not export the type of its bodies.
trait IntoBody {
    type Body;
}

impl<B> IntoBody for Response<B> {
    type Body = B;
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = warp::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, warp::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
