//! What commands say: the one way to standard output and standard error.
//!
//! `println!` panics when nobody reads on, as behind `| head -1`. Here a reader
//! that has left ends the process quietly, as the signal of a broken pipe ends
//! other programs; any other failure to write is told. On standard error nobody
//! need read anything: what cannot be said there is not said.
//!
//! It refuses to know what is said. `serve` and `sandbox` print their banners
//! past it, for a closed output is no reason not to serve.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// What a shell shows of a process that SIGPIPE ended: 128 and the signal's 13.
const READER_LEFT: i32 = 141;

/// As `print!`, and written out at once.
macro_rules! out {
    ($($said:tt)*) => { $crate::cli::out::say(format_args!($($said)*)) };
}

/// Prints a line, as `println!` does, into a closed pipe too.
macro_rules! outln {
    ($($said:tt)*) => { $crate::cli::out::say(format_args!("{}\n", format_args!($($said)*))) };
}

/// Prints a line to standard error, as `eprintln!` does, into a closed pipe too.
macro_rules! errln {
    ($($said:tt)*) => { $crate::cli::out::note(format_args!("{}\n", format_args!($($said)*))) };
}

pub(super) use {errln, out, outln};

/// Writes to standard output; ends the process where that is in vain.
pub(super) fn say(said: Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_fmt(said).and_then(|()| stdout.flush()) {
        give_up(&error);
    }
}

/// Writes to standard error, where it is heard.
pub(super) fn note(said: Arguments<'_>) {
    // One write, so that lines of several processes do not mix.
    let _ = io::stderr().write_all(said.to_string().as_bytes());
}

/// Ends the process as [`say`] does, for what writes by itself. The store bears
/// it: a process may end at any instruction.
pub(super) fn give_up(error: &io::Error) {
    match error.kind() {
        // Whoever writes tries again.
        ErrorKind::Interrupted => return,
        ErrorKind::BrokenPipe => std::process::exit(READER_LEFT),
        _ => {}
    }
    note(format_args!("dialback: cannot write to standard output: {error}\n"));
    std::process::exit(1);
}

/// Standard output for what writes bytes.
#[derive(Debug)]
pub(super) struct Stdout(io::Stdout);

impl Stdout {
    /// The process's own.
    pub(super) fn new() -> Self {
        Self(io::stdout())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(give_up)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().inspect_err(give_up)
    }
}
