use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Entity tag of an object: an MD5, and the number of parts if it was a multipart upload.
///
/// Of a single part it is the MD5 of the bytes; of several, the MD5 of the parts' MD5s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ETag {
    md5: [u8; 16],
    parts: Option<u16>,
}

impl ETag {
    /// The tag of an object that was put in one piece.
    pub const fn of_md5(md5: [u8; 16]) -> Self {
        Self { md5, parts: None }
    }

    /// The tag of an object of `parts` parts; `md5` is that of their MD5s in order.
    pub const fn of_parts(md5: [u8; 16], parts: u16) -> Self {
        Self { md5, parts: Some(parts) }
    }

    /// The MD5.
    pub const fn md5(&self) -> &[u8; 16] {
        &self.md5
    }

    /// The number of parts of a multipart upload.
    pub const fn parts(&self) -> Option<u16> {
        self.parts
    }

    /// Parses a tag, with or without its quotes.
    ///
    /// # Errors
    /// `etag` if it is not 32 hexadecimal digits, with `-<parts>` behind them or not.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("etag", "must be 32 hexadecimal digits, and '-' and the parts behind them");
        let text = text.trim().trim_matches('"');
        let (digits, parts) = match text.split_once('-') {
            Some((digits, parts)) => (digits, Some(parts.parse().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let mut md5 = [0; 16];
        hex::decode_to_slice(digits, &mut md5).map_err(|_| invalid())?;
        Ok(Self { md5, parts })
    }
}

/// Without quotes: each door quotes as its protocol does.
impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        hex::encode_to_slice(self.md5, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)?;
        match self.parts {
            Some(parts) => write!(f, "-{parts}"),
            None => Ok(()),
        }
    }
}
