use super::BootArgs;
use crate::error::BootError;
use std::io::Read;
use std::path::Path;

/// Longest file, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

impl BootArgs {
    /// Reads a file. Blocks.
    ///
    /// # Errors
    /// [`BootError::Unreadable`] or [`BootError::File`].
    pub fn read(path: &Path) -> Result<Self, BootError> {
        let unreadable = |reason: String| BootError::Unreadable { path: path.to_owned(), reason };
        let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut text = String::new();
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(unreadable("it has more than 262,144 bytes".to_owned()));
        }
        Self::parse(path, &text)
    }

    /// Parses the text of a file; `path` is for messages. Paths in it are relative to the working
    /// directory, as flags are.
    ///
    /// # Errors
    /// [`BootError::File`] with the key that is unknown or has no valid value.
    pub fn parse(path: &Path, text: &str) -> Result<Self, BootError> {
        let failed = |key: String, reason: &str| BootError::File {
            path: path.to_owned(),
            key,
            reason: reason.lines().next().unwrap_or_default().to_owned(),
        };
        let toml = toml::Deserializer::parse(text)
            .map_err(|error| failed(line(text, error.span().map_or(0, |span| span.start)), error.message()))?;
        serde_path_to_error::deserialize(toml)
            .map_err(|error| failed(error.path().to_string(), error.inner().message()))
    }
}

fn line(text: &str, offset: usize) -> String {
    let before = text.as_bytes().iter().take(offset);
    format!("line {}", before.filter(|byte| **byte == b'\n').count() + 1)
}
