use rustix::process::geteuid;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Mode bits of all but the owner.
const NOT_OWNER: u32 = 0o077;

/// Mode bit by which a group may read.
const GROUP_READS: u32 = 0o040;

/// User id of root.
const ROOT: u32 = 0;

/// The mode of a file of secrets that more may read than should, as `644`; none if it is private. It is if its owner
/// alone may read it. A group may too where root owns it and this process is not root's: so service managers hand
/// secrets over (systemd, "Credentials"; Kubernetes, `fsGroup`).
pub fn open_mode(file: &Metadata) -> Option<String> {
    is_open(file.mode(), file.uid(), geteuid().as_raw()).then(|| format!("{:03o}", file.mode() & 0o777))
}

fn is_open(mode: u32, owner: u32, user: u32) -> bool {
    let is_handed_over = owner == ROOT && user != ROOT;
    let fine = if is_handed_over { GROUP_READS } else { 0 };
    mode & NOT_OWNER & !fine != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_read_what_root_hands_over() {
        for (mode, owner, user, open) in [
            (0o600, 1000, 1000, false),
            (0o640, 1000, 1000, true),
            (0o400, 0, 1000, false),
            (0o440, 0, 1000, false),
            (0o640, 0, 1000, false),
            (0o660, 0, 1000, true),
            (0o650, 0, 1000, true),
            (0o644, 0, 1000, true),
            (0o604, 0, 1000, true),
            (0o600, 0, 0, false),
            (0o640, 0, 0, true),
        ] {
            assert_eq!(is_open(0o100_000 | mode, owner, user), open, "{mode:03o} {owner} {user}");
        }
    }
}
