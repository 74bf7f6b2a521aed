//! A client's connection, which is read and written by one, and looked at beside that by another.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// A connection. Those who have it are parts of the same task: none waits for a lock, and whoever is woken looks at both.
pub(super) struct Wire<'a> {
    read: Mutex<ReadHalf<'a>>,
    write: Mutex<WriteHalf<'a>>,
}

impl<'a> Wire<'a> {
    /// Of its two directions.
    pub(super) fn new(read: ReadHalf<'a>, write: WriteHalf<'a>) -> Self {
        Self { read: Mutex::new(read), write: Mutex::new(write) }
    }

    /// Is ready when nothing will come any more. While something is there that was not read, that is not seen.
    pub(super) fn poll_end(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut first = [0];
        match ready!(locked(&self.read).poll_peek(context, &mut ReadBuf::new(&mut first))) {
            Ok(0) | Err(_) => Poll::Ready(()),
            Ok(_) => Poll::Pending,
        }
    }
}

/// A direction is whole again after each call, whatever came of it.
fn locked<T>(half: &Mutex<T>) -> MutexGuard<'_, T> {
    half.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for &Wire<'_> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *locked(&self.read)).poll_read(context, into)
    }
}

impl AsyncWrite for &Wire<'_> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *locked(&self.write)).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *locked(&self.write)).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *locked(&self.write)).poll_shutdown(context)
    }
}
