//! Requests of one kind, handled in this process for callgrind to count: from the
//! parsed head to the answer, without sockets and disks, on one thread.
//!
//! `dialback-instructions KIND REQUESTS` prepares everything, handles some requests so
//! that all is warm, and then so many more inside [`counted`], which is the one function
//! that is collected. `.ci/instructions` runs it and holds the bounds against it. It
//! refuses to know what a clock says.

mod requests;
mod world;

use requests::Kind;
use world::World;

/// Requests before the counting: what is made at the first use is made by then.
const WARM: usize = 16;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().and_then(|name| Kind::named(&name));
    let count = arguments.next().and_then(|count| count.parse::<usize>().ok());
    let (Some(kind), Some(count)) = (kind, count) else {
        panic!("usage: dialback-instructions {} REQUESTS", Kind::ALL.map(Kind::name).join("|"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (world, mut requests) = runtime.block_on(async {
        let world = World::new();
        let requests = kind.requests(&world, WARM + count).await;
        (world, requests)
    });
    let counting = requests.split_off(WARM);
    let handle = |requests| runtime.block_on(world.handle_all(requests));
    let statuses = [handle(requests), counted(|| handle(counting))].concat();
    for status in &statuses {
        assert_eq!(*status, kind.answer(), "an answer of another kind was counted");
    }
    assert_eq!(
        world.measured(kind.route()),
        statuses.len() as u64,
        "the route's own meter counted otherwise"
    );
}

/// What callgrind collects, by this name.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    std::hint::black_box(work())
}
