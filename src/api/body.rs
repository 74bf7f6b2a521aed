//! Reading a request's body: JSON, of a limited size, in a limited time.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use warp::http::{HeaderMap, header};
use warp::hyper::body::Buf;

use super::{Kind, Problem};

/// The largest body that is read. The largest request there is has some hundred bytes.
const MOST: usize = 4096;

/// How long a body may take: whoever sends one byte after the other keeps a connection from others.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a body was not read.
#[derive(Clone, PartialEq, Debug)]
pub enum BodyError {
    /// The client is to be told so.
    Problem(Problem),
    /// The client is gone.
    Gone,
}

impl From<Problem> for BodyError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Reads a body; without one, or with `null`, what is meant by none.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub async fn read_json<T, B>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<T, BodyError>
where
    T: DeserializeOwned + Default,
    B: Buf,
{
    let read = timeout(PATIENCE, collect(body)).await;
    let late = |_| Problem::new(Kind::TooSlow, format!("the body did not come in {PATIENCE:?}"));
    let bytes = read.map_err(late)??;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("send content-type: application/json, not {kind:?}");
        return Err(Problem::new(Kind::UnsupportedType, detail).into());
    }
    // serde would take a list for an object without its names.
    if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'n')) {
        return Err(Problem::new(Kind::Malformed, "in the body: it is no JSON object").into());
    }
    let read: Result<Option<T>, _> = serde_json::from_slice(&bytes);
    read.map(Option::unwrap_or_default)
        .map_err(|error| Problem::new(Kind::Malformed, format!("in the body: {error}")).into())
}

async fn collect<B: Buf>(body: impl Stream<Item = Result<B, warp::Error>>) -> Result<Vec<u8>, BodyError> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        let mut part = part.map_err(|_| BodyError::Gone)?;
        while part.has_remaining() {
            let chunk = part.chunk();
            if bytes.len() + chunk.len() > MOST {
                return Err(Problem::new(Kind::TooLarge, format!("a body has {MOST} bytes at most")).into());
            }
            bytes.extend_from_slice(chunk);
            let read = chunk.len();
            part.advance(read);
        }
    }
    Ok(bytes)
}
