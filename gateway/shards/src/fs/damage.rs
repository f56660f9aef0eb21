//! Places that the disk of a shard does not give, as listings find them.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;

/// Most files that are remembered.
const FILES_MAX: usize = 64;

/// What a disk fails to give at once, in bytes.
pub(super) const PAGE_BYTES: usize = 4096;

/// Whether a call failed for a place that its disk does not give.
pub(super) fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Bytes of a file that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Where the first of them stands.
    pub(super) at: u64,
    pub(super) bytes: u64,
}

/// The files of a shard that could not be read, or not whole. A file is forgotten once a listing got through it.
#[derive(Default)]
pub(super) struct Damage(Mutex<BTreeMap<String, Found>>);

struct Found {
    what: Unreadable,
    /// Whether the listing that is under way came by it.
    fresh: bool,
}

impl Damage {
    /// A listing begins with a file.
    pub(super) fn begin(&self, file: &str) {
        if let Some(found) = self.0.lock().get_mut(file) {
            found.fresh = false;
        }
    }

    /// A listing came by something in a file that cannot be read.
    pub(super) fn note(&self, file: &str, what: Unreadable) {
        let mut files = self.0.lock();
        let known = files.get_mut(file);
        if let Some(found) = known {
            let more = if found.fresh { found.what.bytes } else { 0 };
            let at = if found.fresh { found.what.at.min(what.at) } else { what.at };
            *found = Found { what: Unreadable { at, bytes: what.bytes + more }, fresh: true };
            return;
        }
        tracing::warn!(file, at = what.at, bytes = what.bytes, "a place on a shard cannot be read, and is passed");
        if files.len() < FILES_MAX {
            files.insert(file.to_owned(), Found { what, fresh: true });
        }
    }

    /// A listing got to the end of a file.
    pub(super) fn end(&self, file: &str) {
        let mut files = self.0.lock();
        if files.get(file).is_some_and(|found| !found.fresh) {
            files.remove(file);
        }
    }

    /// Forgets files that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.0.lock().retain(|file, _| is_there(file));
    }

    /// What is known, for an operator.
    pub(super) fn told(&self) -> Option<String> {
        let files = self.0.lock();
        let (first, Found { what, .. }) = files.first_key_value()?;
        let more = match files.len() {
            1 => String::new(),
            count => format!(", and of {} more files", count - 1),
        };
        Some(format!("{} bytes of {first} from byte {}{more}", what.bytes, what.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_again_is_forgotten_and_what_is_not_adds_up_once() {
        let damage = Damage::default();
        let page = |at| Unreadable { at, bytes: 4096 };
        for _ in 0..2 {
            damage.begin("a");
            damage.note("a", page(8192));
            damage.note("a", page(16384));
            damage.end("a");
            assert_eq!(damage.told().as_deref(), Some("8192 bytes of a from byte 8192"));
        }
        damage.note("b", page(0));
        assert!(damage.told().is_some_and(|told| told.ends_with(", and of 1 more files")));
        for file in ["a", "b"] {
            damage.begin(file);
            damage.end(file);
        }
        assert_eq!(damage.told(), None);
        damage.note("c", page(0));
        damage.keep(|file| file != "c");
        assert_eq!(damage.told(), None);
    }
}
