//! What a process that holds secrets does first.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask};

/// Group and others.
const OTHERS: u32 = 0o077;

/// Has every file and directory that this process makes be for its own user only, and its memory for no one: no core
/// is written, and no other process of the user reads it.
pub(crate) fn keep() {
    umask(Mode::from_raw_mode(OTHERS));
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    for kept in [setrlimit(Resource::Core, no_core), set_dumpable_behavior(DumpableBehavior::NotDumpable)] {
        if let Err(error) = kept {
            // The log is not there yet.
            eprintln!("cofre: the memory of this process cannot be kept from others: {error}");
        }
    }
}
