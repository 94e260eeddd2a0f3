//! The client: as cheap as can be, so that it measures the server.

use crate::requests::Script;
use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::LocalSet;

/// What to do.
pub struct Load {
    /// Connections are dealt out to these in turn.
    pub addrs: Vec<SocketAddr>,
    pub script: Rc<Script>,
    /// Whether a connection carries many requests or one.
    pub kept: bool,
    pub connections: usize,
    /// Ends after this time, or with the script.
    pub span: Duration,
    /// The status that each answer has; another ends the benchmark.
    pub expected: u16,
}

/// What was done.
pub struct Done {
    pub requests: u64,
    pub elapsed: Duration,
    /// From the first byte sent, or the connection's begin, to the whole
    /// answer, in microseconds.
    pub latency: Histogram<u64>,
}

struct Driver {
    load: Load,
    next: Cell<usize>,
    deadline: Instant,
    latency: RefCell<Histogram<u64>>,
}

/// Drives a server from one thread; each connection waits for its answers.
pub fn drive(load: Load) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let start = Instant::now();
    let latency = RefCell::new(Histogram::new(3).expect("three digits are possible"));
    let driver = Rc::new(Driver { next: Cell::new(0), deadline: start + load.span, latency, load });
    let tasks = LocalSet::new();
    for nth in 0..driver.load.connections {
        let addr = driver.load.addrs[nth % driver.load.addrs.len()];
        tasks.spawn_local(Rc::clone(&driver).connection(addr));
    }
    runtime.block_on(tasks);
    let latency = driver.latency.borrow().clone();
    Done { requests: latency.len(), elapsed: start.elapsed(), latency }
}

impl Driver {
    async fn connection(self: Rc<Self>, addr: SocketAddr) {
        let mut kept = None;
        let mut buffer = vec![0; LONGEST_ANSWER];
        while let Some(places) = self.take() {
            for at in places {
                let began = Instant::now();
                if began >= self.deadline {
                    return;
                }
                let mut stream = match kept.take() {
                    Some(stream) => stream,
                    None => connect(addr).await,
                };
                let (status, _) = exchange(&mut stream, self.load.script.request(at), &mut buffer).await;
                assert_eq!(status, self.load.expected, "an answer that was not expected");
                let micros = began.elapsed().as_micros() as u64;
                self.latency.borrow_mut().record(micros).expect("in bounds");
                kept = self.load.kept.then_some(stream);
            }
        }
    }

    /// The next requests of the script: those of one delivery, when in order.
    fn take(&self) -> Option<Range<usize>> {
        let start = self.next.get();
        let end = self.load.script.len().min(start + Script::STRIDE);
        self.next.set(end);
        (start < end).then_some(start..end)
    }
}

/// From an address of its own each time: a port that is used again while the
/// other side still remembers it waits a second for its turn.
pub async fn connect(addr: SocketAddr) -> TcpStream {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [_, a, b, c] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_nodelay(true).expect("a socket option");
    // 127.0.0.0 is nobody's address; from 127.1.0.0 on all are.
    socket.bind(([127, a % 128 + 1, b, c], 0).into()).expect("a loopback address");
    socket.connect(addr).await.expect("the server accepts")
}

/// No answer is longer, in bytes: the first page holds the list of countries.
pub const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends a request, and answers the status and the body of what comes back.
pub async fn exchange<'b>(stream: &mut TcpStream, request: &[u8], buffer: &'b mut [u8]) -> (u16, &'b str) {
    stream.write_all(request).await.expect("the server takes a request");
    let whole = message(stream, buffer).await.expect("the server answers");
    let status = str::from_utf8(&buffer[9..12]).ok().and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, body(&buffer[..whole]))
}

/// Reads one message; how long it is, or nothing where the other side has ended.
pub async fn message(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<usize> {
    let (mut filled, mut whole) = (0, None);
    while whole.is_none_or(|whole| filled < whole) {
        let read = stream.read(&mut buffer[filled..]).await.ok()?;
        if read == 0 {
            return None;
        }
        filled += read;
        whole = whole.or_else(|| length(&buffer[..filled]));
    }
    whole
}

/// What stands behind a message's head.
pub fn body(message: &[u8]) -> &str {
    let head = find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    str::from_utf8(&message[head..]).unwrap_or_default()
}

/// How many bytes an answer has, once its head is here.
fn length(bytes: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let head = find(bytes, b"\r\n\r\n")?;
    let body = find(&bytes[..head], NAME).map_or(0, |at| {
        let digits = bytes[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
    });
    Some(head + 4 + body)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
