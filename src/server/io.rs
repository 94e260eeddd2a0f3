//! The socket as hyper sees it: with the two deadlines that hyper does not keep,
//! slow heads apart from idle connections and answers that nobody takes, and
//! without the requests that are none to the letter.

use super::head::Refusal;
use super::inspect::{Inspector, Wrong};
use super::room::{Sign, Wait};
use hyper::rt::{Read, ReadBufCursor, Sleep as HyperSleep, Timer, Write};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// hyper starts its header timer when a connection begins to wait, so that one
/// number bounds slow heads and idle connections alike. This timer tells them
/// apart: it is set for the longer idle time and drawn in by the first byte.
#[derive(Clone)]
pub(super) struct HeadTimer(Arc<Shared>);

struct Shared {
    head: Duration,
    idle: Duration,
    began: Instant,
    /// Waits so far: the first is for a connection's first request.
    waits: AtomicU64,
    /// When the first byte since the wait began was read, in milliseconds from
    /// `began` and never zero; zero while there was none.
    first_byte: AtomicU64,
    /// Whether hyper waits for a head, having answered what was before it.
    wants_head: AtomicBool,
    /// Where it is told that we wait.
    sign: Sign,
}

impl HeadTimer {
    pub(super) fn new(head: Duration, idle: Duration, sign: Sign) -> Self {
        let (began, waits, first_byte) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let wants_head = AtomicBool::new(false);
        Self(Arc::new(Shared { head, idle, began, waits, first_byte, wants_head, sign }))
    }

    /// A head is whole, and its request is under way.
    pub(super) fn met(&self) {
        self.0.wants_head.store(false, Ordering::Relaxed);
    }

    /// Notes that bytes arrived.
    fn heard(&self) {
        if self.0.first_byte.load(Ordering::Relaxed) == 0 {
            self.0.first_byte.store(self.0.now().max(1), Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When the present wait is over, should nothing more arrive.
    fn deadline(&self, quiet: Instant) -> Instant {
        match self.first_byte.load(Ordering::Relaxed) {
            0 => quiet,
            at => self.began + Duration::from_millis(at) + self.head,
        }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn HyperSleep>> {
        self.sleep_until(std::time::Instant::now() + duration)
    }

    /// hyper asks for this once for each head, when it begins to wait for it.
    fn sleep_until(&self, _deadline: std::time::Instant) -> Pin<Box<dyn HyperSleep>> {
        self.0.first_byte.store(0, Ordering::Relaxed);
        self.0.wants_head.store(true, Ordering::Relaxed);
        let first = self.0.waits.fetch_add(1, Ordering::Relaxed) == 0;
        self.0.sign.waits(if first { Wait::Head } else { Wait::Rest });
        let quiet = Instant::now() + if first { self.0.head } else { self.0.idle };
        Box::pin(HeadSleep { shared: self.0.clone(), quiet, sleep: Box::pin(sleep_until(quiet)) })
    }
}

struct HeadSleep {
    shared: Arc<Shared>,
    /// When to end if nothing arrives.
    quiet: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl HyperSleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.shared.deadline(self.quiet);
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// The most bytes that are read at once.
const READ: usize = 8 * 1024;

/// A socket that tells the timer what arrives, gives up on a reader that takes
/// nothing, and passes on no request that is wrong.
pub(super) struct Watched {
    io: TokioIo<TcpStream>,
    timer: HeadTimer,
    inspector: Inspector,
    /// What stands behind the bytes that were passed on.
    wrong: Option<Wrong>,
    /// Set when the reading has ended before a wrong head.
    refused: Option<Refusal>,
    /// Whether the kernel has all that was written.
    is_flushed: bool,
    stall: Duration,
    /// Runs while bytes wait for a client to take them.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, timer: HeadTimer, inspector: Inspector, stall: Duration) -> Self {
        let io = TokioIo::new(stream);
        Self { io, timer, inspector, wrong: None, refused: None, is_flushed: true, stall, stalled: None }
    }

    /// The socket, and why the next request on it is refused, when that is why the
    /// connection ended.
    pub(super) fn into_parts(self) -> (TcpStream, Option<Refusal>) {
        (self.io.into_inner(), self.refused)
    }

    /// Ends the reading before what is wrong. A head waits until whoever came before
    /// it on this connection has been answered: hyper asks again then, or is woken
    /// when the answer has left.
    fn stop(&mut self, wrong: Wrong) -> Poll<io::Result<()>> {
        let is_next = self.timer.0.wants_head.load(Ordering::Relaxed) && self.is_flushed;
        match wrong {
            Wrong::Head(_) if !is_next => return Poll::Pending,
            Wrong::Head(refusal) => self.refused = Some(refusal),
            Wrong::Body => {}
        }
        Poll::Ready(Err(ErrorKind::InvalidData.into()))
    }

    /// Bounds the wait of a write: an error once nothing was taken for too long.
    fn bound<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Read for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(wrong) = self.wrong {
            return self.stop(wrong);
        }
        let mut bytes = [0; READ];
        let mut read = ReadBuf::new(&mut bytes[..buf.remaining().min(READ)]);
        let outcome = ready!(Pin::new(self.io.inner_mut()).poll_read(cx, &mut read));
        self.timer.heard();
        outcome?;
        let (passed, wrong) = self.inspector.pass(read.filled());
        self.wrong = wrong;
        match wrong {
            Some(wrong) if passed == 0 => self.stop(wrong),
            _ => {
                buf.put_slice(&read.filled()[..passed]);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Write for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.bound(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_flushed = false;
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.bound(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        if flushed.is_ready() && !std::mem::replace(&mut self.is_flushed, true) && self.wrong.is_some() {
            cx.waker().wake_by_ref();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
