use std::process::ExitCode;

fn main() -> ExitCode {
    dialback::cli::main()
}
