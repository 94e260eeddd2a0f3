//! A TCP proxy whose connections go wrong on demand: in front of the servers,
//! or between them and their database.
//!
//! It knows bytes and no protocol, but for the one answer that it gives itself:
//! a balancer whose server is gone says 502, as balancers do.

use dialback::entropy::Entropy;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What happens to connections, those that there are and those that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Nobody listens; what is connected stays so.
    Refuse,
    /// All that there are are reset, and so is every new one.
    Cut,
    /// Each piece comes so much later, in either direction.
    Delay(Duration),
    /// The far side is told that this one has ended; this one hears nothing of
    /// it, and nothing else any more.
    HalfClose,
    /// Connections are taken and nothing comes through. What was said meanwhile
    /// comes through when the mode ends, as of a network that lost packets.
    BlackHole,
    /// The next answer is cut in its middle, and its connection reset.
    CutAnswer,
}

/// How long a connection to a target may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes that are carried at once.
const PIECE: usize = 16 * 1024;
/// What a balancer answers in place of a server that is gone.
const GONE: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A proxy; it ends when it is dropped.
pub struct Proxy {
    addr: SocketAddr,
    mode: watch::Sender<Mode>,
    shared: Arc<Shared>,
    _task: Task,
}

struct Shared {
    targets: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
    /// Goes up when what is connected is to be reset once.
    cuts: watch::Sender<u64>,
    carried: AtomicU64,
    entropy: Entropy,
    is_balancer: bool,
}

struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Proxy {
    /// A proxy to one target.
    pub async fn to(target: SocketAddr, seed: u64) -> Self {
        Self::start(vec![target], seed, false).await
    }

    /// A balancer, which asks one target after the other.
    pub async fn balancer(seed: u64) -> Self {
        Self::start(Vec::new(), seed, true).await
    }

    async fn start(targets: Vec<SocketAddr>, seed: u64, is_balancer: bool) -> Self {
        // This one never listens: it keeps the port while nobody does.
        let keeper = TcpSocket::new_v4().unwrap();
        keeper.set_reuseaddr(true).unwrap();
        keeper.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addr = keeper.local_addr().unwrap();
        let mode = watch::Sender::new(Mode::Pass);
        let shared = Arc::new(Shared {
            targets: Mutex::new(targets),
            next: AtomicUsize::new(0),
            cuts: watch::Sender::new(0),
            carried: AtomicU64::new(0),
            entropy: Entropy::seeded(seed),
            is_balancer,
        });
        let listener = listen(addr).unwrap();
        let (modes, sharing) = (mode.subscribe(), shared.clone());
        let task = tokio::spawn(async move {
            accept(listener, addr, modes, sharing).await;
            drop(keeper);
        });
        Self { addr, mode, shared, _task: Task(task) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sets where connections go from now on.
    pub fn aim(&self, targets: Vec<SocketAddr>) {
        *self.shared.targets.lock().unwrap() = targets;
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Resets all that is connected now.
    pub fn cut_once(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Connections that were carried so far.
    pub fn carried(&self) -> u64 {
        self.shared.carried.load(Ordering::SeqCst)
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}

async fn accept(first: TcpListener, addr: SocketAddr, mut modes: watch::Receiver<Mode>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut listener = Some(first);
    loop {
        let mode = *modes.borrow_and_update();
        match (&listener, mode) {
            (Some(_), Mode::Refuse) => listener = None,
            (None, mode) if mode != Mode::Refuse => listener = Some(listen(addr).unwrap()),
            _ => {}
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => if let Ok((client, _)) = accepted {
                connections.spawn(carry(client, modes.clone(), shared.clone()));
            },
            changed = modes.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Why a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Both sides had said all.
    Done,
    /// It is to be reset.
    Reset,
}

async fn carry(mut client: TcpStream, mut modes: watch::Receiver<Mode>, shared: Arc<Shared>) {
    shared.carried.fetch_add(1, Ordering::SeqCst);
    while *modes.borrow_and_update() == Mode::BlackHole {
        if modes.changed().await.is_err() {
            return;
        }
    }
    if *modes.borrow() == Mode::Cut {
        return reset(&client);
    }
    let target = {
        let targets = shared.targets.lock().unwrap();
        let nth = shared.next.fetch_add(1, Ordering::SeqCst);
        (!targets.is_empty()).then(|| targets[nth % targets.len()])
    };
    let connected = match target {
        Some(target) => tokio::time::timeout(CONNECT, TcpStream::connect(target)).await,
        None => Ok(Err(io::ErrorKind::ConnectionRefused.into())),
    };
    let Ok(Ok(mut server)) = connected else {
        return if shared.is_balancer { refuse(client).await } else { reset(&client) };
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut cuts = shared.cuts.subscribe();
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, Way::Up, modes.clone(), &shared);
        let down = pump(from_server, to_client, Way::Down, modes.clone(), &shared);
        let both = async {
            let (up, down) = (std::pin::pin!(up), std::pin::pin!(down));
            match futures_util::future::select(up, down).await {
                futures_util::future::Either::Left((End::Done, down)) => down.await,
                futures_util::future::Either::Right((End::Done, up)) => up.await,
                _ => End::Reset,
            }
        };
        tokio::select! {
            end = both => end,
            () = until(&mut modes, Mode::Cut) => End::Reset,
            _ = cuts.changed() => End::Reset,
        }
    };
    if end == End::Reset {
        reset(&client);
        reset(&server);
    }
}

/// Waits until this is the mode; for ever when the proxy ends before.
async fn until(modes: &mut watch::Receiver<Mode>, wished: Mode) {
    if modes.wait_for(|mode| *mode == wished).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The connection is reset, not closed, when it is dropped.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Says 502 once the request has begun, and then no more.
async fn refuse(mut client: TcpStream) {
    let mut piece = vec![0; PIECE];
    let answered = async {
        let _begun = client.read(&mut piece).await?;
        client.write_all(GONE).await?;
        client.shutdown().await?;
        // What is left unread would reset the connection, and the answer with it.
        while client.read(&mut piece).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(CONNECT, answered).await;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From who asks to who answers.
    Up,
    Down,
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way,
    mut modes: watch::Receiver<Mode>,
    shared: &Shared,
) -> End {
    let mut piece = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => Some(read),
            () = until(&mut modes, Mode::HalfClose) => None,
        };
        let Some(read) = read else {
            // Who asks hears nothing any more, not even of the end.
            if way == Way::Up {
                let _ = to.shutdown().await;
            }
            return std::future::pending().await;
        };
        let Ok(length) = read else { return End::Reset };
        let mut mode = *modes.borrow_and_update();
        while mode == Mode::BlackHole {
            if modes.changed().await.is_err() {
                return End::Reset;
            }
            mode = *modes.borrow_and_update();
        }
        if let Mode::Delay(span) = mode {
            tokio::time::sleep(span).await;
        }
        if length == 0 {
            let _ = to.shutdown().await;
            return End::Done;
        }
        if mode == Mode::CutAnswer && way == Way::Down {
            let some = shared.entropy.below(length as u64) as usize;
            let _ = to.write_all(&piece[..some]).await;
            return End::Reset;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return End::Reset;
        }
    }
}

/// A target that says back what it is told.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    addr
}

/// Says something and gives what is said back.
async fn say(stream: &mut TcpStream, words: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(words).await?;
    let mut heard = vec![0; words.len()];
    stream.read_exact(&mut heard).await?;
    Ok(heard)
}

/// A connection breaks, sooner or later.
async fn breaks(stream: &mut TcpStream) {
    let broken = async { while say(stream, b"nine").await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), broken).await.expect("it breaks");
}

#[tokio::test]
async fn connections_go_wrong_as_they_are_told_to() {
    let proxy = Proxy::to(echo().await, 1).await;
    let connect = || TcpStream::connect(proxy.addr());
    let soon = |future| tokio::time::timeout(Duration::from_millis(150), future);
    let mut stream = connect().await.unwrap();
    assert_eq!(say(&mut stream, b"one").await.unwrap(), b"one");
    proxy.set(Mode::BlackHole);
    let mut late = connect().await.unwrap();
    assert!(soon(Box::pin(say(&mut late, b"two"))).await.is_err(), "nothing comes out of a black hole");
    proxy.set(Mode::Delay(Duration::from_millis(60)));
    let begun = std::time::Instant::now();
    let mut delayed = connect().await.unwrap();
    assert_eq!(say(&mut delayed, b"three").await.unwrap(), b"three");
    assert!(begun.elapsed() >= Duration::from_millis(120));
    proxy.set(Mode::CutAnswer);
    assert!(say(&mut delayed, b"four").await.is_err());
    proxy.set(Mode::Pass);
    let mut again = connect().await.unwrap();
    assert_eq!(say(&mut again, b"five").await.unwrap(), b"five");
    proxy.cut_once();
    breaks(&mut again).await;
    let mut half = connect().await.unwrap();
    assert_eq!(say(&mut half, b"seven").await.unwrap(), b"seven");
    proxy.set(Mode::HalfClose);
    assert!(soon(Box::pin(say(&mut half, b"eight"))).await.is_err(), "it hears nothing, not even an end");
    proxy.set(Mode::Cut);
    breaks(&mut half).await;
    proxy.set(Mode::Refuse);
    let refused = crate::wire::poll(|| async {
        connect().await.err().filter(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    });
    assert!(refused.await.is_some());
    proxy.set(Mode::Pass);
    let mut last = crate::wire::poll(|| async { connect().await.ok() }).await.unwrap();
    assert_eq!(say(&mut last, b"ten").await.unwrap(), b"ten");
    assert!(proxy.carried() >= 6);
}
