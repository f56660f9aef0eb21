use crate::extract::Query;
use crate::routes::Routes;
use crate::{Admin, ApiError, convert};
use axum::extract::State;
use cofre_admin_types::{
    CopyCheck, InspectQuery, InspectedBlob, InspectedCopy, InspectedObject, InspectedVersion, Problem, Scope,
    ShardMode, ShardState,
};
use cofre_objects::{CopyState, Inspect, InspectedCopy as Copy, InspectedVersion as Version, VersionKind};
use cofre_types::{BucketName, ObjectKey, VersionId};
use std::fmt::Write;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(inspect))
}

/// Everything that is known of an object: its versions, their blobs, and where each copy stands and why.
///
/// With `check` every byte of every copy is read. Nothing is changed.
#[utoipa::path(get, path = "/v1/inspect", operation_id = "inspect", tag = "truth", params(InspectQuery),
    responses(
        (status = 200, description = "What is known.", body = InspectedObject),
        (status = 404, description = "There is no such bucket, object or version.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn inspect(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<InspectQuery>,
) -> Result<axum::Json<InspectedObject>, ApiError> {
    let version = query.version.as_deref().map(VersionId::parse).transpose();
    let request = Inspect {
        bucket: BucketName::parse(&query.bucket).map_err(|invalid| ApiError::invalid("bucket", invalid.reason))?,
        key: ObjectKey::parse(&query.key).map_err(|invalid| ApiError::invalid("key", invalid.reason))?,
        version: version.map_err(|invalid| ApiError::invalid("version", invalid.reason))?,
        check: query.check,
    };
    let versions = admin.objects.inspect(&admin.caller(), request).await.map_err(|error| match error {
        cofre_objects::Error::NoSuchVersion => ApiError::NotFound("such object or version".to_owned()),
        other => other.into(),
    })?;
    let versions = versions.into_iter().map(inspected).collect();
    Ok(axum::Json(InspectedObject { bucket: query.bucket, key: query.key, versions }))
}

fn inspected(version: Version) -> InspectedVersion {
    InspectedVersion {
        version: version.version.to_string(),
        delete_marker: version.kind == VersionKind::DeleteMarker,
        current: version.current,
        modified: convert::time_text(version.modified),
        size: version.size,
        storage_class: if version.class.is_empty() { "STANDARD".to_owned() } else { version.class },
        wanted_redundancy: version.wanted.to_string(),
        encryption: version.encryption.map(|method| format!("{method:?}")),
        blobs: version.blobs.into_iter().map(blob).collect(),
        more: version.more,
    }
}

fn blob(blob: cofre_objects::InspectedBlob) -> InspectedBlob {
    let heal = blob.heal;
    let record = blob.record;
    InspectedBlob {
        id: blob.id.to_string(),
        part: blob.part,
        recorded: record.is_some(),
        size: record.as_ref().map_or(0, |record| record.size),
        references: record.as_ref().map_or(0, |record| record.references),
        redundancy: record.as_ref().map(|record| record.scheme.to_string()).unwrap_or_default(),
        wanted_copies: record.as_ref().map_or(0, |record| record.scheme.width() as u64),
        written: record.as_ref().map(|record| convert::time_text(record.written)).unwrap_or_default(),
        waits_since: heal.as_ref().map(|heal| convert::time_text(heal.since)),
        suspects: heal.map(|heal| heal.suspects.into_iter().map(|shard| shard.0).collect()).unwrap_or_default(),
        copies: blob.copies.into_iter().map(copy).collect(),
    }
}

fn copy(copy: Copy) -> InspectedCopy {
    let mut locator = String::with_capacity(copy.locator.len() * 2);
    for byte in &copy.locator {
        // Writing to a string cannot fail.
        let _ = write!(locator, "{byte:02x}");
    }
    let why = why(&copy);
    let record = copy.record;
    InspectedCopy {
        shard: copy.shard.0,
        locator,
        piece: copy.piece,
        mode: record.as_ref().map_or("gone", |record| mode_text(record.mode)).to_owned(),
        state: copy.status.map_or(ShardState::Unreachable, |status| super::shards::state(status.state)),
        weight_percent: record.as_ref().map_or(0, |record| record.weight_percent),
        failure_domain: record.and_then(|record| record.failure_domain),
        check: match copy.checked {
            None => CopyCheck::NotAsked,
            Some(CopyState::Whole) => CopyCheck::Whole,
            Some(CopyState::Missing) => CopyCheck::Missing,
            Some(CopyState::Deleted) => CopyCheck::Deleted,
            Some(CopyState::Corrupt(reason)) => CopyCheck::Corrupt { reason },
            Some(CopyState::Unreachable(reason)) => CopyCheck::Unreachable { reason },
        },
        why,
    }
}

/// Why a copy is where it is, by what its shard may take now.
fn why(copy: &Copy) -> String {
    let Some(record) = &copy.record else { return "there is no such shard any more".to_owned() };
    let domain = match &record.failure_domain {
        Some(domain) => format!("alone in failure domain {domain}"),
        None => "the shard is a failure domain of its own".to_owned(),
    };
    match record.mode {
        cofre_blobs::ShardMode::Active if record.weight_percent == 0 => {
            format!("it was written before the weight became 0; {domain}")
        }
        cofre_blobs::ShardMode::Active => {
            format!("drawn by free room times a weight of {} %; {domain}", record.weight_percent)
        }
        cofre_blobs::ShardMode::ReadOnly => format!("it was written before the shard became read-only; {domain}"),
        cofre_blobs::ShardMode::Draining => "the shard drains: it is to move elsewhere (job drain)".to_owned(),
        cofre_blobs::ShardMode::Dead | cofre_blobs::ShardMode::Lost => {
            "the shard was given up: it does not count, and is kept until it is made anew elsewhere (job rebuild)"
                .to_owned()
        }
        cofre_blobs::ShardMode::Returning => {
            "the shard is back: it is being held against the catalog (job reconcile)".to_owned()
        }
    }
}

const fn mode_text(mode: cofre_blobs::ShardMode) -> &'static str {
    match mode {
        cofre_blobs::ShardMode::Active => "active",
        cofre_blobs::ShardMode::ReadOnly => "read_only",
        cofre_blobs::ShardMode::Draining => "draining",
        cofre_blobs::ShardMode::Dead => "dead",
        cofre_blobs::ShardMode::Lost => "lost",
        cofre_blobs::ShardMode::Returning => "returning",
    }
}

pub(super) const fn mode(mode: cofre_blobs::ShardMode) -> ShardMode {
    match mode {
        cofre_blobs::ShardMode::Active => ShardMode::Active,
        cofre_blobs::ShardMode::ReadOnly => ShardMode::ReadOnly,
        cofre_blobs::ShardMode::Draining => ShardMode::Draining,
        cofre_blobs::ShardMode::Dead => ShardMode::Dead,
        cofre_blobs::ShardMode::Lost => ShardMode::Lost,
        cofre_blobs::ShardMode::Returning => ShardMode::Returning,
    }
}
