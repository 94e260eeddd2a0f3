//! Whether whoever started the process is still there: for a process that nobody
//! shall have to stop. It works the same on Linux and on macOS.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::process::getppid;
use std::io::Read;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often is looked whether the parent is still the same.
const LOOK: Duration = Duration::from_millis(250);

/// Ends when the process has another parent than now, because its own is gone, or
/// when standard input ends. The input counts where it is a pipe or a socket that
/// somebody holds open now: a terminal, `/dev/null` (a shell's `&`) and a pipe that
/// was closed before say nothing about anybody.
///
/// "Now" is when this is called, and not when it is first waited for: whoever is
/// told that the process is ready may be gone a moment later.
pub(super) fn gone() -> impl Future<Output = ()> + Send + 'static {
    let parent = getppid();
    let end = input_end();
    let changed = async move {
        while getppid() == parent {
            tokio::time::sleep(LOOK).await;
        }
    };
    async move {
        match end {
            Some(end) => tokio::select! {
                () = changed => {}
                // The thread's end means the same as its word.
                _ = end => {}
            },
            None => changed.await,
        }
    }
}

fn input_end() -> Option<oneshot::Receiver<()>> {
    is_held().then(|| {
        let (tell, told) = oneshot::channel();
        // A read that blocks ends with the process, which waits for no thread.
        std::thread::spawn(move || {
            let (mut input, mut rest) = (std::io::stdin().lock(), [0; 1024]);
            while input.read(&mut rest).is_ok_and(|count| count > 0) {}
            let _ = tell.send(());
        });
        told
    })
}

fn is_held() -> bool {
    let input = std::io::stdin();
    let kind = fstat(&input).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if !matches!(kind, Ok(FileType::Fifo | FileType::Socket)) {
        return false;
    }
    let mut asked = [PollFd::new(&input, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let told = poll(&mut asked, Some(&at_once));
    told.is_ok() && !asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}
