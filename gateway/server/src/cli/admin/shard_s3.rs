//! Remote shards on the command line.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use cofre_admin_types::{PatchS3Place, RegisterS3Place};
use std::path::{Path, PathBuf};

/// Variable that holds a secret access key.
const SECRET_VARIABLE: &str = "COFRE_SHARD_S3_SECRET_KEY";
/// Longest file of a secret or of certificates, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Who Cofre is at the endpoint, and how it knows it.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// Access key for the endpoint.
    #[arg(long = "s3-access-key-id", value_name = "ID")]
    access_key_id: Option<String>,
    /// File that holds the secret of the access key. COFRE_SHARD_S3_SECRET_KEY, the secret itself, goes before it.
    #[arg(long = "s3-secret-key-file", value_name = "FILE", requires = "access_key_id")]
    secret_key_file: Option<PathBuf>,
    /// File with certificates, PEM, that the endpoint's may come from, in place of the server's own.
    #[arg(long = "s3-ca-file", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Room that placement goes by, in bytes or as 2TiB: S3 tells none [default: 1 TiB].
    #[arg(long = "s3-capacity-bytes", value_name = "BYTES", value_parser = cofre_settings::parse_bytes)]
    capacity_bytes: Option<u64>,
}

/// A prefix of a bucket of a remote endpoint.
#[derive(Debug, Args)]
pub(super) struct NewPlace {
    /// Bucket of the endpoint, which must be there.
    #[arg(long = "s3-bucket", value_name = "BUCKET", requires = "s3_endpoint")]
    bucket: Option<String>,
    /// What every name in the bucket begins with; it ends in '/', and nothing is under it.
    #[arg(long = "s3-prefix", value_name = "PREFIX", requires = "s3_endpoint")]
    prefix: Option<String>,
    /// Region that requests are signed for [default: us-east-1].
    #[arg(long = "s3-region", value_name = "REGION", requires = "s3_endpoint")]
    region: Option<String>,
    #[command(flatten)]
    access: Access,
}

impl NewPlace {
    /// The place to register.
    pub(super) fn at(self, endpoint: String) -> Result<RegisterS3Place> {
        let Self { bucket, prefix, region, access } = self;
        let secret_access_key = access.secret()?.with_context(|| no_secret("--s3-access-key-id"))?;
        Ok(RegisterS3Place {
            endpoint,
            region,
            bucket: bucket.context("name the bucket with --s3-bucket")?,
            prefix: prefix.unwrap_or_default(),
            ca_pem: access.ca_pem()?,
            capacity_bytes: access.capacity_bytes,
            access_key_id: access.access_key_id.context("name the access key with --s3-access-key-id")?,
            secret_access_key,
        })
    }
}

impl Access {
    /// What is to change of a remote shard; nothing if nothing was named.
    pub(super) fn patch(self, endpoint: Option<String>) -> Result<Option<PatchS3Place>> {
        let secret_access_key = match &self.access_key_id {
            Some(_) => Some(self.secret()?.with_context(|| no_secret("--s3-access-key-id"))?),
            None => None,
        };
        let patch = PatchS3Place {
            endpoint,
            ca_pem: self.ca_pem()?,
            capacity_bytes: self.capacity_bytes,
            access_key_id: self.access_key_id,
            secret_access_key,
        };
        Ok((patch != PatchS3Place::default()).then_some(patch))
    }

    fn secret(&self) -> Result<Option<String>> {
        // A flag for the secret itself would show in the process list.
        if let Some(secret) = std::env::var(SECRET_VARIABLE).ok().filter(|secret| !secret.is_empty()) {
            return Ok(Some(secret));
        }
        let Some(path) = &self.secret_key_file else { return Ok(None) };
        let secret = read(path).with_context(|| format!("--s3-secret-key-file {}", path.display()))?;
        Ok(Some(secret.trim().to_owned()))
    }

    fn ca_pem(&self) -> Result<Option<String>> {
        let Some(path) = &self.ca_file else { return Ok(None) };
        read(path).with_context(|| format!("--s3-ca-file {}", path.display())).map(Some)
    }
}

fn no_secret(flag: &str) -> String {
    format!("{flag} needs its secret: name a file with --s3-secret-key-file, or set {SECRET_VARIABLE}")
}

fn read(path: &Path) -> Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        bail!("it has more than {FILE_BYTES_MAX} bytes");
    }
    Ok(text)
}
