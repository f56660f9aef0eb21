//! The `Range` header (RFC 9110, section 14) as S3 reads it.

use cofre_types::ByteRange;

/// Reads a `Range` header. `None` means the whole object: RFC 9110 lets a server ignore a header
/// that it does not understand, and S3 does so with other units, several ranges and ranges that end
/// before they begin.
pub(crate) fn parse(header: &[u8]) -> Option<ByteRange> {
    let spec = std::str::from_utf8(header).ok()?.trim().strip_prefix("bytes=")?;
    if spec.contains(',') {
        return None;
    }
    match spec.split_once('-')? {
        ("", length) => Some(ByteRange::Suffix { length: digits(length)? }),
        (first, "") => Some(ByteRange::From { first: digits(first)?, last: None }),
        (first, last) => {
            let (first, last) = (digits(first)?, digits(last)?);
            (first <= last).then_some(ByteRange::From { first, last: Some(last) })
        }
    }
}

/// Reads `x-amz-copy-source-range`, which S3 takes only as `bytes=first-last`.
pub(crate) fn parse_copy(header: &str) -> Option<ByteRange> {
    match parse(header.as_bytes())? {
        range @ ByteRange::From { last: Some(_), .. } => Some(range),
        ByteRange::From { last: None, .. } | ByteRange::Suffix { .. } => None,
    }
}

/// A number too large for 64 bits stands for "past every end", not for an error.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_three_forms() {
        assert_eq!(parse(b"bytes=2-5"), Some(ByteRange::From { first: 2, last: Some(5) }));
        assert_eq!(parse(b"bytes=2-"), Some(ByteRange::From { first: 2, last: None }));
        assert_eq!(parse(b"bytes=-5"), Some(ByteRange::Suffix { length: 5 }));
        assert_eq!(parse(b"bytes=0-99999999999999999999"), Some(ByteRange::From { first: 0, last: Some(u64::MAX) }));
    }

    #[test]
    fn ignores_what_s3_ignores() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=+1-2",
            "bytes= -1",
            "bytes= 0-1",
        ] {
            assert_eq!(parse(header.as_bytes()), None, "{header}");
        }
        assert_eq!(parse(b"bytes=\xff-"), None);
    }

    #[test]
    fn a_copy_range_names_both_ends() {
        assert_eq!(parse_copy("bytes=0-4"), Some(ByteRange::From { first: 0, last: Some(4) }));
        for header in ["bytes=0-", "bytes=-4", "0-4", "bytes=4-0"] {
            assert_eq!(parse_copy(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(first in 0..u64::MAX / 2, more in 0..u64::MAX / 2) {
            let last = first + more;
            let header = format!("bytes={first}-{last}");
            prop_assert_eq!(parse(header.as_bytes()), Some(ByteRange::From { first, last: Some(last) }));
        }

        #[test]
        fn any_bytes_are_read_or_ignored(header in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&header);
        }
    }
}
