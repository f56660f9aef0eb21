/// What the names of S3's resources begin with.
pub(super) const RESOURCE: &str = "arn:aws:s3:::";

/// Parts of an ARN: `arn:partition:service:region:account:resource`.
pub(super) const ARN_PARTS: usize = 6;

/// What the ARN of an identity begins with.
const IDENTITY: &str = "arn:aws:iam::";

/// The account that an account's own ARN names, as its number or its canonical id.
pub(super) fn account_root(arn: &str) -> Option<&str> {
    arn.strip_prefix(IDENTITY)?.strip_suffix(":root")
}

/// Whether a text is an account's number: 12 digits.
pub(super) fn is_number(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
