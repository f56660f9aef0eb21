//! The program `cofre`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cofre_server::run()
}
