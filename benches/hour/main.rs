//! A scripted hour against a Twilio that is awkward: carriers fail, an account is busy, a
//! sender is filtered, receipts get lost and come twice, Twilio is away, and WhatsApp has
//! paused the template. Who is reached how soon, and at what cost, under each policy.
//!
//! `cargo bench --bench hour` runs the hour of `benches/hour/hour.toml` and prints a table;
//! it fails where something came to be that must not. `docs/awkward-hour.md` has what each
//! figure means.
//!
//! `-- [--world FILE] [--seed N[,N…]] [--minutes N] [--policies NAME[,NAME…]] [--healthy]`

mod world;

use std::process::ExitCode;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    // Run as a test, it is only there to be compiled.
    if args.iter().any(|arg| arg == "--test") {
        return ExitCode::SUCCESS;
    }
    match world::Arguments::read(&args).and_then(|arguments| world::run(&arguments)) {
        Ok(reports) => told(&reports),
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

/// Prints them, and fails where something is that must not be.
fn told(reports: &[world::report::Report]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for report in reports {
        println!("{report}");
        eprintln!("took {:.1} s", report.took.as_secs_f64());
        for wrong in report.wrong() {
            eprintln!("seed {}: {wrong}", report.seed);
            code = ExitCode::FAILURE;
        }
    }
    code
}
