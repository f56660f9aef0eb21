use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Mode of a directory that only its owner may enter.
const PRIVATE: u32 = 0o700;

/// Makes a directory and those above it that are missing, so that a power cut cannot take them from under what is
/// written in them. Blocks.
///
/// # Errors
/// If one of them cannot be made or synced.
pub fn make_directories(path: &Path) -> io::Result<()> {
    make(path, DirBuilder::new().recursive(true))
}

/// As [`make_directories`], and nobody but this user may enter the directory: also where it was there before. Its place
/// in the directory above is synced in any case.
///
/// # Errors
/// If one of them cannot be made or synced, or belongs to another user.
pub fn make_private_directories(path: &Path) -> io::Result<()> {
    make(path, DirBuilder::new().recursive(true).mode(PRIVATE))?;
    let open = path.metadata()?.permissions().mode() & 0o777;
    if open & !PRIVATE != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(PRIVATE))?;
    }
    match sync_parent(path) {
        // Who may not read the directory above did not make this one.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

fn make(path: &Path, builder: &DirBuilder) -> io::Result<()> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(missing).collect();
    builder.create(path)?;
    missing.into_iter().try_for_each(sync_parent)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}
