use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a directory and those above it that are missing, so that a power cut cannot take them from under what is
/// written in them. Blocks.
///
/// # Errors
/// If one of them cannot be made or synced.
pub fn make_directories(path: &Path) -> io::Result<()> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(missing).collect();
    std::fs::create_dir_all(path)?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}
