use super::Context;
use super::quota::{self, Limit};
use crate::cli::connect::explain;
use crate::cli::print::{bytes, fields, or_dash};
use anyhow::Result;
use clap::Subcommand;
use cofre_admin_types::{Bucket, BucketOwner, BucketRedundancy, CreateBucket};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every bucket of every account.
    List,
    /// What a bucket holds and may hold.
    Usage {
        /// Name of the bucket.
        name: String,
    },
    /// Make a bucket for an account.
    Create {
        /// Name of the bucket.
        name: String,
        /// Name or canonical id of the account that is to own it.
        #[arg(long, value_name = "ACCOUNT")]
        owner: String,
        /// Its region; that of the server if absent.
        #[arg(long)]
        region: Option<String>,
        /// Enable object lock, and versioning with it.
        #[arg(long)]
        object_lock: bool,
    },
    /// Delete a bucket that holds no object, version or delete marker.
    Delete {
        /// Name of the bucket.
        name: String,
    },
    /// Hand a bucket over to another account, which owns every object in it from then on: access control lists are
    /// disabled. Its policy stays as it is.
    HandOver {
        /// Name of the bucket.
        name: String,
        /// Name or canonical id of the account that is to own it.
        #[arg(long, value_name = "ACCOUNT")]
        to: String,
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
        #[arg(long = "bytes", alias = "bytes-max", value_name = "BYTES", value_parser = Limit::of_bytes)]
        bytes_max: Option<Limit>,
        /// Most objects, over all versions, or none.
        #[arg(long = "objects", alias = "objects-max", value_name = "COUNT", value_parser = Limit::of_count)]
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
                    bucket.owner_name.clone(),
                ]
            })
        }
        Command::Create { name, owner, region, object_lock } => {
            let request = CreateBucket { name, owner, region, object_lock };
            show(context, &client.create_bucket(&request).await.map_err(explain)?)
        }
        Command::Delete { name } => {
            client.delete_bucket(&name).await.map_err(explain)?;
            context.printer.done(&format!("deleted the bucket {name}"))
        }
        Command::HandOver { name, to } => {
            show(context, &client.set_bucket_owner(&name, &BucketOwner { owner: to }).await.map_err(explain)?)
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
            ("owner", format!("{} ({})", bucket.owner_name, bucket.owner)),
            ("created", bucket.created.clone()),
            ("objects", format!("{}, {}", usage.objects, bytes(usage.bytes))),
            ("old versions", format!("{}, {}", usage.noncurrent_versions, bytes(usage.noncurrent_bytes))),
            ("delete markers", usage.delete_markers.to_string()),
            ("uploads under way", format!("{}, {}", usage.uploads, bytes(usage.upload_bytes))),
            ("in grace", bytes(usage.grace_bytes)),
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
