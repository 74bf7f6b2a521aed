//! The body of an answer, which may go on for hours: until then its connection waits for no next request. It is handed on in
//! parts: what a connection is written from keeps the room of the largest of them for as long as it is open.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Frame, SizeHint};
use warp::http::Response;
use warp::hyper::body::Bytes;
use warp::reply::Response as Answer;

use super::connections::Progress;

/// The largest part, in bytes.
const PART: usize = 16 * 1024;

/// A body, as its answer has it.
pub(super) struct Streamed {
    body: <Answer as IntoBody>::Body,
    /// What came of it and was not handed on yet.
    rest: Bytes,
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
            Self { body, rest: Bytes::new(), _until: until }
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
        if self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let next = self.rest.len().min(PART);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(next)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut size, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = size.upper() {
            size.set_upper(upper + rest);
        }
        size.set_lower(size.lower() + rest);
        size
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use warp::Reply;

    use super::*;

    #[tokio::test]
    async fn a_large_answer_comes_whole_and_in_parts() {
        for length in [0, 1, PART, PART + 1, 3 * PART] {
            let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let body = Response::new(Bytes::from(text.clone())).into_response().into_body();
            let mut body = Streamed { body, rest: Bytes::new(), _until: None };
            let mut parts: Vec<Vec<u8>> = Vec::new();
            loop {
                let left = length - parts.concat().len();
                assert_eq!(body.size_hint().exact(), Some(left as u64), "of {length}");
                let Some(frame) = body.frame().await else { break };
                parts.push(frame.expect("no error").into_data().expect("data").to_vec());
            }
            assert!(body.is_end_stream() && parts.concat() == text);
            assert!(parts.iter().all(|part| part.len() <= PART), "of {length}");
        }
    }
}
