//! The accept loop over raw TCP: what slow, big, broken and many clients get.

use dialback::server::{Drained, Incoming, Limits, serve};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use warp::Filter;
use warp::http::StatusCode;

/// Longer than anything here takes when it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(600);

struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    drained: JoinHandle<Drained>,
    /// Slow requests that ran to their end.
    finished: Arc<AtomicUsize>,
    /// Requests that wait to be released.
    held: Arc<AtomicUsize>,
    /// Releases one.
    release: Arc<Notify>,
}

impl Server {
    async fn start(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits {
            // Nothing ends by itself unless a test wants it to: a busy machine may
            // stand still for longer than any short limit.
            head_timeout: FOR_EVER,
            idle_timeout: FOR_EVER,
            request_timeout: FOR_EVER,
            write_stall_timeout: FOR_EVER,
            drain_timeout: FOR_EVER,
            ..Limits::default()
        };
        change(&mut limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let finished = Arc::new(AtomicUsize::new(0));
        let (held, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let service =
            warp::service(routes(finished.clone()).or(hold(finished.clone(), held.clone(), release.clone())));
        let drained = tokio::spawn(serve(listener, service, limits, async {
            let _ = stopped.await;
        }));
        Self { addr, stop, drained, finished, held, release }
    }

    async fn connect(&self) -> TcpStream {
        timeout(PATIENCE, TcpStream::connect(self.addr)).await.unwrap().unwrap()
    }

    /// Waits until so many requests are held.
    async fn holding(&self, count: usize) {
        let all = async {
            while self.held.load(Ordering::SeqCst) < count {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, all).await.expect("they are all being answered");
    }

    /// Sends `bytes` on a new connection and reads until the server closes it.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut client = self.connect().await;
        client.write_all(bytes).await.unwrap();
        read_to_end(&mut client).await
    }
}

fn routes(
    finished: Arc<AtomicUsize>,
) -> impl Filter<Extract = impl warp::Reply, Error = warp::Rejection> + Clone {
    let raw = warp::path("raw").and(warp::ext::get::<Incoming>()).map(|incoming: Incoming| {
        assert!(incoming.peer.ip().is_loopback());
        incoming.uri.to_string()
    });
    let echo = warp::path("echo").and(warp::body::bytes()).map(|body: bytes::Bytes| body.to_vec());
    let headers =
        warp::path("headers").and(warp::header::headers_cloned()).map(|headers: warp::http::HeaderMap| {
            headers.get_all("x-twilio-signature").iter().count().to_string()
        });
    let panics = warp::path("panic").map(|| -> String { panic!("on purpose") });
    let slow = warp::path!("slow" / u64).then(move |ms| {
        let finished = finished.clone();
        async move {
            sleep(Duration::from_millis(ms)).await;
            finished.fetch_add(1, Ordering::SeqCst);
            "done"
        }
    });
    let big = warp::path("big").map(|| "x".repeat(64 * 1024 * 1024));
    let empty = warp::path("empty").map(|| StatusCode::NO_CONTENT);
    raw.or(echo).or(headers).or(panics).or(slow).or(big).or(empty)
}

/// Answers when it is released.
fn hold(
    finished: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    release: Arc<Notify>,
) -> impl Filter<Extract = (&'static str,), Error = warp::Rejection> + Clone {
    warp::path("hold").then(move || {
        let (finished, held, release) = (finished.clone(), held.clone(), release.clone());
        async move {
            held.fetch_add(1, Ordering::SeqCst);
            release.notified().await;
            finished.fetch_add(1, Ordering::SeqCst);
            "held"
        }
    })
}

async fn read_to_end(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer still leaves the answer.
    let _ = timeout(PATIENCE, client.read_to_end(&mut answer)).await.expect("the server closes in time");
    String::from_utf8(answer).unwrap()
}

/// Reads one answer that has a body of known length, or none.
async fn read_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, client.read_u8()).await.expect("an answer in time").unwrap());
    }
    let head = String::from_utf8(answer).unwrap();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    timeout(PATIENCE, client.read_exact(&mut body)).await.expect("a body in time").unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

const CLOSE: &str = "host: a\r\nconnection: close\r\n";

#[tokio::test]
async fn a_handler_that_only_reads_learns_that_its_client_has_left() {
    let (begun, told) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (begun, told) = (begun.clone(), told.clone());
        warp::any().then(move || {
            let (begun, told) = (begun.clone(), told.clone());
            async move {
                begun.notify_one();
                dialback::server::caller_gone().await;
                told.notify_one();
                StatusCode::OK
            }
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let limits = Limits { request_timeout: FOR_EVER, ..Limits::default() };
    let server = tokio::spawn(serve(listener, warp::service(handler), limits, std::future::pending()));
    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(b"GET /count HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    timeout(PATIENCE, begun.notified()).await.unwrap();
    drop(client);
    timeout(PATIENCE, told.notified()).await.expect("it is told");
    server.abort();
}

#[tokio::test]
async fn the_uri_arrives_as_it_was_sent() {
    let server = Server::start(|_| ()).await;
    let answer =
        server.exchange(format!("GET /raw/%41//b/?q=%2b+'&&a HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
    assert!(answer.ends_with("\r\n\r\n/raw/%41//b/?q=%2b+'&&a"), "{answer}");
}

#[tokio::test]
async fn a_slow_head_is_cut_while_an_idle_connection_may_rest() {
    let short = |limits: &mut Limits| {
        limits.head_timeout = Duration::from_secs(2);
        limits.idle_timeout = PATIENCE;
    };
    let server = Server::start(short).await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_answer(&mut idle).await;

    let began = Instant::now();
    let mut slow = server.connect().await;
    let (mut answers, mut drops) = slow.split();
    let dripping = async {
        for byte in b"GET /empty HTTP/1.1\r\nhost: aaaaaaaaaaaaaaaaaaaaaaaa".iter().cycle() {
            if drops.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = answers.read_to_end(&mut answer) => {}
        () = dripping => {}
    }
    assert!(answer.is_empty());
    assert!(began.elapsed() >= Duration::from_secs(2));

    idle.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(read_answer(&mut idle).await.starts_with("HTTP/1.1 204"));
}

#[tokio::test]
async fn an_idle_connection_does_not_rest_for_ever() {
    let server = Server::start(|limits| limits.idle_timeout = Duration::from_secs(1)).await;
    let mut idle = server.connect().await;
    let began = Instant::now();
    idle.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_answer(&mut idle).await;
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_head_that_stops_after_a_rest_is_cut_by_the_shorter_limit() {
    let server = Server::start(|limits| limits.head_timeout = Duration::from_secs(2)).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_answer(&mut client).await;
    client.write_all(b"GET /em").await.unwrap();
    assert_eq!(read_to_end(&mut client).await, "");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut() {
    let server = Server::start(|limits| limits.head_timeout = Duration::from_millis(200)).await;
    assert_eq!(server.exchange(b"").await, "");
}

#[tokio::test]
async fn a_slow_body_gets_408() {
    let server = Server::start(|limits| limits.request_timeout = Duration::from_millis(500)).await;
    let answer = server.exchange(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_slow_handler_gets_503_and_still_ends_its_work() {
    let server = Server::start(|limits| limits.request_timeout = Duration::from_millis(100)).await;
    let answer = server.exchange(b"GET /slow/300 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    server.stop.send(()).unwrap();
    assert_eq!(server.drained.await.unwrap(), Drained::default());
    assert_eq!(server.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn heads_that_are_too_big_or_too_many_get_431_and_nonsense_400() {
    let server = Server::start(|_| ()).await;
    let big = format!("GET /empty HTTP/1.1\r\n{CLOSE}x-big: {}\r\n\r\n", "b".repeat(200 * 1024));
    assert!(server.exchange(big.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET /empty HTTP/1.1\r\n{CLOSE}{}\r\n", "x-many: m\r\n".repeat(63));
    assert!(server.exchange(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let enough = format!("GET /empty HTTP/1.1\r\n{CLOSE}{}\r\n", "x-many: m\r\n".repeat(62));
    assert!(server.exchange(enough.as_bytes()).await.starts_with("HTTP/1.1 204"));
    for nonsense in ["\0\0\0\0 / HTTP/1.1\r\n\r\n", "GET /empty HTTP/1.1\r\nno colon\r\n\r\n"] {
        assert!(server.exchange(nonsense.as_bytes()).await.starts_with("HTTP/1.1 400"), "{nonsense:?}");
    }
}

#[tokio::test]
async fn cleartext_http_2_is_not_spoken() {
    let server = Server::start(|_| ()).await;
    let answer = server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(!answer.contains("204") && !answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn a_repeated_signature_header_is_passed_on_as_two() {
    let server = Server::start(|_| ()).await;
    let twice = "X-Twilio-Signature: a\r\nx-twilio-signature: b\r\n";
    let answer = server.exchange(format!("GET /headers HTTP/1.1\r\n{CLOSE}{twice}\r\n").as_bytes()).await;
    assert!(answer.ends_with("\r\n\r\n2"), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_arrives_whole_and_an_ambiguous_one_not_at_all() {
    let server = Server::start(|_| ()).await;
    let chunks = "4\r\nSms=\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
    let head = format!("POST /echo HTTP/1.1\r\n{CLOSE}transfer-encoding: chunked\r\n");
    let answer = server.exchange(format!("{head}\r\n{chunks}").as_bytes()).await;
    assert!(answer.ends_with("\r\n\r\nSms=abc"), "{answer}");
    let broken = server.exchange(format!("{head}\r\nzz\r\nSms=\r\n0\r\n\r\n").as_bytes()).await;
    assert!(!broken.contains("200 OK"), "{broken}");
    let two = format!("POST /echo HTTP/1.1\r\n{CLOSE}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd");
    assert!(server.exchange(two.as_bytes()).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(|_| ()).await;
    let answer = server
        .exchange(
            format!(
                "GET /slow/50 HTTP/1.1\r\nhost: a\r\n\r\n\
                 POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc\
                 GET /empty HTTP/1.1\r\n{CLOSE}\r\n"
            )
            .as_bytes(),
        )
        .await;
    let places: Vec<_> =
        ["\r\n\r\ndone", "\r\n\r\nabc", "HTTP/1.1 204"].map(|part| answer.find(part)).to_vec();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{answer}");
    assert_eq!(count(&answer, "HTTP/1.1 "), 3);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_connection_lives_on() {
    let server = Server::start(|_| ()).await;
    let requests = format!("GET /panic HTTP/1.1\r\nhost: a\r\n\r\nGET /empty HTTP/1.1\r\n{CLOSE}\r\n");
    let answer = server.exchange(requests.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_its_handler() {
    let server = Server::start(|_| ()).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.holding(1).await;
    drop(client);
    server.stop.send(()).unwrap();
    sleep(Duration::from_millis(200)).await;
    assert!(!server.drained.is_finished());
    server.release.notify_one();
    assert_eq!(server.drained.await.unwrap(), Drained::default(), "the drain waits for it");
    assert_eq!(server.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let short = |limits: &mut Limits| {
        limits.max_connections = 1;
        limits.write_stall_timeout = Duration::from_millis(300);
    };
    let server = Server::start(short).await;
    let began = Instant::now();
    let mut greedy = server.connect().await;
    greedy.write_all(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // The only slot comes free although the first client never reads or leaves.
    let answer = server.exchange(format!("GET /empty HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    drop(greedy);
}

#[tokio::test]
async fn connections_over_the_limit_wait_their_turn_while_all_are_busy() {
    let server = Server::start(|limits| limits.max_connections = 2).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        client.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        busy.push(client);
    }
    server.holding(2).await;
    let mut third = server.connect().await;
    third.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(timeout(Duration::from_millis(100), third.read_u8()).await.is_err(), "no seat, no answer");
    server.release.notify_one();
    assert!(read_answer(&mut third).await.starts_with("HTTP/1.1 204"));
}

#[tokio::test]
async fn whoever_keeps_the_server_waiting_makes_room_for_whoever_comes() {
    let server = Server::start(|limits| limits.max_connections = 4).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.holding(1).await;
    let mut resting = server.connect().await;
    resting.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_answer(&mut resting).await;
    // Silent ones, slow heads and slow bodies: more than there are seats.
    let mut slow = Vec::new();
    for bytes in ["", "GET /em", "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf"].repeat(8)
    {
        let mut client = server.connect().await;
        client.write_all(bytes.as_bytes()).await.unwrap();
        slow.push(client);
    }
    for _ in 0..5 {
        let answer = server.exchange(format!("GET /empty HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    assert_eq!(read_to_end(&mut slow[0]).await, "", "the first to wait is the first to go");
    server.release.notify_one();
    assert!(read_answer(&mut busy).await.ends_with("held"), "and who is served is served");
}

#[tokio::test]
async fn a_peer_has_its_share_unless_everybody_is_behind_it() {
    let server = Server::start(|limits| limits.max_connections_per_peer = 1).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.holding(1).await;
    let mut refused = server.connect().await;
    assert_eq!(read_to_end(&mut refused).await, "");
    server.release.notify_one();
    read_answer(&mut busy).await;
    // It rests now, and gives way.
    let answer = server.exchange(format!("GET /empty HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(read_to_end(&mut busy).await, "");

    let behind_a_proxy = |limits: &mut Limits| {
        limits.max_connections_per_peer = 1;
        limits.uncounted_peers = ["127.0.0.0/8".parse().unwrap()].into();
    };
    let server = Server::start(behind_a_proxy).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = server.connect().await;
        client.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        clients.push(client);
    }
    server.holding(8).await;
}

#[tokio::test]
async fn bodies_have_a_budget_and_the_slowest_makes_room() {
    let server = Server::start(|limits| limits.max_body_bytes_in_flight = 10_000).await;
    let begin = async |sent: usize| {
        let mut client = server.connect().await;
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9000\r\n\r\n";
        client.write_all(format!("{head}{}", "x".repeat(sent)).as_bytes()).await.unwrap();
        client
    };
    let mut slow = begin(6000).await;
    let mut slower = begin(6000).await;
    // There is room for one of them: the one that was there first, if both have
    // waited, else the other.
    let (mut first, mut second) = ([0; 12], [0; 12]);
    let lost = timeout(PATIENCE, async {
        tokio::select! {
            _ = slow.read_exact(&mut first) => first,
            _ = slower.read_exact(&mut second) => second,
        }
    });
    assert_eq!(&lost.await.unwrap(), b"HTTP/1.1 503");
    for _ in 0..5 {
        let head = format!("POST /echo HTTP/1.1\r\n{CLOSE}content-length: 8000\r\n\r\n");
        let answer = server.exchange(format!("{head}{}", "y".repeat(8000)).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("yyy"), "{answer}");
    }
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n";
    let answer = server.exchange(format!("{head}{}", "z".repeat(20_000)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
}

#[tokio::test]
async fn a_drain_ends_what_is_in_flight_and_takes_nothing_new() {
    let server = Server::start(|_| ()).await;
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    idle.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_answer(&mut idle).await;
    busy.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.holding(1).await;
    server.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(TcpStream::connect(server.addr).await.is_err());
    server.release.notify_one();
    let answer = read_to_end(&mut busy).await;
    assert!(answer.ends_with("\r\n\r\nheld") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.drained.await.unwrap(), Drained::default());
}

#[tokio::test]
async fn a_request_sent_just_before_the_stop_is_answered() {
    let server = Server::start(|_| ()).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.write_all(b"GET /empty HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        clients.push(client);
    }
    server.stop.send(()).unwrap();
    for client in &mut clients {
        assert!(read_to_end(client).await.starts_with("HTTP/1.1 204"));
    }
}

#[tokio::test]
async fn a_drain_has_a_deadline_and_says_what_it_cut() {
    let server = Server::start(|limits| limits.drain_timeout = Duration::from_millis(800)).await;
    let mut client = server.connect().await;
    client.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    server.holding(1).await;
    server.stop.send(()).unwrap();
    assert_eq!(server.drained.await.unwrap(), Drained { connections_cut: 1, requests_unfinished: 1 });
    assert_eq!(read_to_end(&mut client).await, "");
}
