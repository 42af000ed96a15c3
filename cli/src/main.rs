//! The command `crashpoint`. Its code is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    crashpoint_cli::main()
}
