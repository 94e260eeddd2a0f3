//! What the process asks of the machine before it does anything else: that what
//! it writes and what it holds in memory are its owner's alone, and, for who
//! serves, room for connections.
//!
//! It refuses to know what the files and the connections are for.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// New files are the owner's alone, whatever the shell's mask was, and no core
/// dump takes the memory's keys to a disk. On Linux nobody else of the same user
/// can read the memory either; a debugger then has to be root's.
///
/// To be called before there is a second thread: the mask is the process's.
pub(super) fn keep_to_ourselves() {
    umask(Mode::RWXG | Mode::RWXO);
    // Less than there was is always granted.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Raises the soft limit of descriptors to the hard one, and says how many there
/// are then; `None` where there is no limit.
pub(super) fn descriptors() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let more = Rlimit { current: maximum, maximum };
    match current == maximum || setrlimit(Resource::Nofile, more).is_err() {
        true => current,
        false => maximum,
    }
}
