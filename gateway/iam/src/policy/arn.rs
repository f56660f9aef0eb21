use cofre_types::AccountId;

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

/// The name or pattern of a key in the ARN of one, as AWS KMS writes it (`arn:aws:kms:REGION:ACCOUNT:key/NAME`, whatever
/// partition, region and account) or MinIO does (`arn:minio:kms:::NAME`).
pub(crate) fn key(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(ARN_PARTS, ':');
    let [scheme, partition, service] = [parts.next()?, parts.next()?, parts.next()?];
    let name = parts.nth(2)?;
    if scheme != "arn" || service != "kms" {
        return None;
    }
    if partition == "minio" { Some(name) } else { name.strip_prefix("key/") }
}

/// The ARN of a key as policies are held against it. A key here is of no region and of no account.
pub(crate) fn of_key(name: &str) -> String {
    format!("arn:aws:kms:::key/{name}")
}

/// The name of a key that is given by its name or by an ARN: as AWS KMS writes it,
/// `arn:aws:kms:REGION:ACCOUNT:key/NAME`, whatever partition, region and account, or as MinIO does,
/// `arn:minio:kms:::NAME`.
pub fn key_name(given: &str) -> &str {
    key(given).filter(|name| !name.is_empty()).unwrap_or(given)
}

/// The number of an account, 12 digits as in AWS: what ARNs name it by. It is made of the account's id,
/// which is random, so two accounts share one with a chance of one in 10^12.
pub fn account_number(account: AccountId) -> String {
    let [first, ..] = account.as_bytes().as_chunks::<8>().0 else { return String::new() };
    format!("{:012}", u64::from_be_bytes(*first) % 1_000_000_000_000)
}
