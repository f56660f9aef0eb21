use super::Context;
use super::quota::{self, Limit};
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, or_dash};
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_types::{Bucket, BucketRedundancy};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every bucket of every account.
    List,
    /// What a bucket holds and may hold.
    Usage {
        /// Name of the bucket.
        name: String,
    },
    /// Change a bucket. Objects that exist are written anew under another redundancy in the background (job convert).
    Set {
        /// Name of the bucket.
        name: String,
        /// Its own redundancy, as replicas:2; `default` for that of the settings.
        #[arg(long, value_name = "SCHEME")]
        redundancy: String,
    },
    /// Set what a bucket may hold, or show it if no limit is given. A limit that is not given stays; `none` removes it, so
    /// that the one of the settings holds.
    Quota {
        /// Name of the bucket.
        name: String,
        /// Most bytes, over all versions: as 30GiB, or none.
        #[arg(long, value_name = "BYTES", value_parser = Limit::of_bytes)]
        bytes_max: Option<Limit>,
        /// Most objects, over all versions, or none.
        #[arg(long, value_name = "COUNT", value_parser = Limit::of_count)]
        objects_max: Option<Limit>,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let client = &context.client;
    match command {
        Command::List => {
            let buckets = client.buckets().await.map_err(explain)?;
            let headers = ["NAME", "OBJECTS", "BYTES", "OLD VERSIONS", "UPLOADS", "BYTES MAX", "OBJECTS MAX", "OWNER"];
            context.printer.list(&buckets, &headers, |bucket| {
                vec![
                    bucket.name.clone(),
                    bucket.usage.objects.to_string(),
                    bytes(bucket.usage.bytes),
                    bucket.usage.noncurrent_versions.to_string(),
                    bucket.usage.uploads.to_string(),
                    or_dash(bucket.quota.bytes_max.map(bytes)),
                    or_dash(bucket.quota.objects_max),
                    bucket.owner.clone(),
                ]
            })
        }
        Command::Usage { name } => show(context, &client.bucket(&name).await.map_err(explain)?),
        Command::Set { name, redundancy } => {
            let request = BucketRedundancy { redundancy: Some(redundancy).filter(|text| text != "default") };
            show(context, &client.set_bucket_redundancy(&name, &request).await.map_err(explain)?)
        }
        Command::Quota { name, bytes_max, objects_max } => {
            let bucket = client.bucket(&name).await.map_err(explain)?;
            match quota::changed(&bucket.quota, bytes_max, objects_max) {
                None => show(context, &bucket),
                Some(quota) => show(context, &client.set_bucket_quota(&name, &quota).await.map_err(explain)?),
            }
        }
    }
}

fn show(context: &Context, bucket: &Bucket) -> Result<()> {
    context.printer.value(bucket, |bucket| {
        let usage = &bucket.usage;
        fields(&[
            ("name", bucket.name.clone()),
            ("owner", bucket.owner.clone()),
            ("created", bucket.created.clone()),
            ("objects", format!("{}, {}", usage.objects, bytes(usage.bytes))),
            ("old versions", format!("{}, {}", usage.noncurrent_versions, bytes(usage.noncurrent_bytes))),
            ("delete markers", usage.delete_markers.to_string()),
            ("uploads under way", format!("{}, {}", usage.uploads, bytes(usage.upload_bytes))),
            ("bytes max", or_dash(bucket.quota.bytes_max.map(bytes))),
            ("objects max", or_dash(bucket.quota.objects_max)),
            ("redundancy", redundancy(bucket)),
        ])
    })
}

fn redundancy(bucket: &Bucket) -> String {
    match &bucket.redundancy {
        Some(own) => own.clone(),
        None => format!("{}, by the settings", bucket.redundancy_in_force),
    }
}
