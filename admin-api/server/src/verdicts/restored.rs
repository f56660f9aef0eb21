//! What a catalog that was restored waits for.

use super::{counted, verdict};
use cofre_admin_types::{Promise, Severity, Verdict};
use cofre_blobs::Restore;

/// What a catalog that was restored has yet to learn of the shards, and waits for.
pub(super) fn verdict_of(restore: &Restore) -> Option<Verdict> {
    let taken = restore.backup_taken.map_or_else(|| "an unknown time".to_owned(), crate::convert::time_text);
    let (what, than) = match restore.found_behind {
        true => (format!("an older copy of it was put back, whose last event is of {taken}"), "that"),
        false => (format!("restored from a backup of {taken}"), "the backup"),
    };
    let of = format!("{what}; {} of {} shards compared", restore.compared, restore.shards);
    let found = format!(
        "{} newer than {than} in no record",
        match restore.newer.objects {
            1 => "1 object is".to_owned(),
            objects => format!("{objects} objects are"),
        },
    );
    let message = if restore.compared < restore.shards {
        let so_far = if restore.waiting { format!("; so far {found}") } else { String::new() };
        format!("{of}: nothing is deleted from the others before they are (job orphans){so_far}")
    } else if restore.unreadable > 0 {
        format!(
            "{of}, and places on {} could not be read: what stands there may be newer; {found}; once their disks read, run \
             `cofre admin job run orphans`, which compares them anew, else drain and remove those shards",
            counted(restore.unreadable, "shard")
        )
    } else if restore.waiting {
        format!(
            "{of}: {found}, and {} that are older; nothing of that is deleted before you say so with `cofre admin \
             restore discard`",
            match restore.older.copies {
                1 => "1 copy".to_owned(),
                copies => format!("{copies} copies"),
            },
        )
    } else {
        return None;
    };
    let verdict = verdict(Severity::Warning, Promise::Durability, "catalog-restored", "catalog", message);
    Some(verdict.with("compared", restore.compared).with("shards", restore.shards).with("newer", restore.newer.objects))
}
