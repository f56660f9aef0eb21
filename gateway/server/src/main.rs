//! The program `cofre`.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// Gives what requests have freed back to the system within seconds; that of the C library keeps it in an arena for each
/// thread.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cofre_server::run()
}
