//! Fraud in a generated world: what the signals of fraud refuse, beside authgear's model and
//! beside nothing, over one and the same stream of requests.
//!
//! `cargo bench --bench fraud` runs the world of `benches/fraud/world.toml` and prints what
//! of the attackers' messages was refused and what they cost, how many honest people were
//! hindered, and which aims were met. `docs/generated-world.md` has what each figure means.
//!
//! `-- [--world FILE] [--seed N[,N…]] [--days N] [--only ATTACK[,ATTACK…]|all|none]
//! [--policy FILE] [--models NAME[,NAME…]] [--why]`

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
    let printed = world::Arguments::read(&args).and_then(|arguments| world::run(&arguments));
    match printed {
        Ok(reports) => {
            reports.iter().for_each(|report| println!("{report}"));
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
