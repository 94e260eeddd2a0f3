//! A database some milliseconds away: what a listing costs there is how often it
//! asks. Beside each figure stands that of a store that asks for one record at a
//! time, in the same run.

use crate::lengths::length;
use crate::over::store_over;
use crate::postgres::database;
use crate::support::{PERSON, Script, parts};
use dialback::app::verification::{self, AttemptFilter, StartRequest, VerificationFilter};
use dialback::app::{App, Window};
use dialback::clock::Clock;
use dialback::model::delivery::{About, Delivery, Fact, Report, Source};
use dialback::model::id::VerificationId;
use dialback::model::status::Status as Delivered;
use dialback::model::verification::{Status, Verification};
use dialback::store::postgres::{Options, Postgres};
use dialback::store::records::{self, Versioned};
use dialback::store::{Change, Maintenance};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// One way.
const AWAY: Duration = Duration::from_millis(1);

/// A store that asks for one record after another.
struct OneByOne(Arc<dyn Maintenance>);

store_over!(OneByOne, 0, [read commit due_in scan], {});

/// A way to a server on which everything arrives so much later, however much it is.
async fn way_to(target: SocketAddr, away: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(target).await else { continue };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(from_near, to_far, away));
            tokio::spawn(carry(from_far, to_near, away));
        }
    });
    addr
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin + Send + 'static,
    mut to: impl AsyncWriteExt + Unpin + Send + 'static,
    away: Duration,
) {
    let (under_way, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            if under_way.send((Instant::now() + away, piece[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    while let Some((at, piece)) = arriving.recv().await {
        tokio::time::sleep_until(at.into()).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// Verifications that were sent once, as many as are wanted.
async fn fill(store: &Arc<dyn Maintenance>, app: &App, clock: &Clock, many: u64) {
    let begun = verification::start(&app.verifying, StartRequest::to(PERSON), None).await.unwrap();
    let id = begun.view.verification.id;
    let first: Versioned<Verification> = records::get(&**store, id.as_str()).await.unwrap().unwrap();
    let mut changes: Vec<Change> = Vec::new();
    for n in 0..many {
        let mut random = [7; 15];
        random[..8].copy_from_slice(&n.to_be_bytes());
        let mut one = Verification { id: VerificationId::from_random(random), ..first.record.clone() };
        one.created_at = clock.now() - Duration::from_millis(n);
        one.outbox.clear();
        let sid = format!("SM{n:032x}");
        one.sends[0].sid = Some(sid.parse().unwrap());
        one.sends[0].state = dialback::model::verification::SendState::Accepted;
        let about = About { to: Some(PERSON.to_owned()), ..About::default() };
        let fact =
            Fact { status: Some(Delivered::Delivered), source: Source::StatusCallback, ..Fact::default() };
        let report = Report { sid: sid.parse().unwrap(), id: Some(one.delivery_id(1)), about, fact };
        changes.push(records::put(None, &one));
        changes.push(records::put(None, &Delivery::new(report, clock.now())));
        if changes.len() == Change::MAX_COMMIT || n + 1 == many {
            store.commit(std::mem::take(&mut changes)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_of_a_database_far_away_asks_a_few_times() {
    let Some(database) = database("a database far away").await else { return };
    let many = length("DIALBACK_TEST_FAR", 250);
    let url = database.url();
    let place: SocketAddr = url.split(['@', '/']).find_map(|part| part.parse().ok()).unwrap();
    let near: Arc<dyn Maintenance> = Arc::new(database.open().await);
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let gateway = Arc::<Script>::default();
    fill(&near, &App::new(parts(&near, &gateway, &clock)), &clock, many).await;
    let through = url.replace(&place.to_string(), &way_to(place, AWAY).await.to_string());
    let far: Arc<dyn Maintenance> = Arc::new(Postgres::open(&through, Options::default()).await.unwrap());
    let one_by_one: Arc<dyn Maintenance> = Arc::new(OneByOne(far.clone()));
    let (mut lines, mut took) = (Vec::new(), Vec::new());
    for (store, way) in [(&far, "many at once"), (&one_by_one, "one by one")] {
        let app = App::new(parts(store, &gateway, &clock));
        let page = async |limit, status| {
            let filter = VerificationFilter { status, ..VerificationFilter::default() };
            let window = Window { limit, after: None };
            let begun = Instant::now();
            let page = verification::verifications(
                &app.admission,
                &dialback::model::key::ServiceSet::all(),
                &filter,
                &window,
            )
            .await
            .unwrap();
            (page.items.len(), begun.elapsed())
        };
        let ((warm, _), (twenty, of_twenty), (hundred, of_hundred)) =
            (page(1, None).await, page(20, None).await, page(100, None).await);
        assert_eq!((warm, twenty, hundred), (1, 20, 100));
        let (nobody, of_nobody) = page(100, Some(Status::Canceled)).await;
        assert_eq!(nobody, 0);
        let begun = Instant::now();
        let longest = Duration::from_secs(600);
        let count = verification::count_attempts(
            &app.admission,
            &dialback::model::key::ServiceSet::all(),
            &AttemptFilter::default(),
            longest,
        )
        .await
        .unwrap();
        let of_all = begun.elapsed();
        assert_eq!((count.total, count.is_whole), (many + 1, true));
        took.push([of_hundred, of_nobody, of_all]);
        lines.push(format!(
            "{way}: 20 in {of_twenty:.1?}, 100 in {of_hundred:.1?}, a status that nobody of {many} has in \
             {of_nobody:.1?}, a summary of {many} attempts in {of_all:.1?}"
        ));
    }
    // Some trips against hundreds: on no machine is that near.
    assert!(took[0].iter().zip(took[1]).all(|(many, one)| *many * 2 < one), "{took:?}");
    for line in lines {
        let _ = writeln!(std::io::stderr(), "a database 2 ms away: {line}");
    }
}
