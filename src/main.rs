use std::process::ExitCode;

/// A request allocates much and keeps little of it, on all threads at once, which this
/// one is made for; `docs/performance.md` says what it costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dialback::cli::main()
}
