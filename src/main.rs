use std::process::ExitCode;

/// A request allocates much and keeps little of it, on all threads at once, which this
/// one is quicker at than the system's; `docs/performance.md` has by how much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dialback::cli::main()
}
