//! The command line. Everything is in the library; see [`scantill::app`].

use std::process::ExitCode;

fn main() -> ExitCode {
    scantill::app::main()
}
