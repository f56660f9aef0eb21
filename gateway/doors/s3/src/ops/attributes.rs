//! GetObjectAttributes.

use super::Operations;
use super::asked::{Asked, take};
use crate::layers::error_xml;
use crate::translate::checksums::{Shown, with_checksum};
use crate::translate::{names, times};
use cofre_objects::{Attributes, PAGE_ENTRIES_MAX, ReadObject};
use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectAttributes,
    ObjectPart, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers GetObjectAttributes.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let (input, asked) = take("GetObjectAttributes", request)?;
    let wanted = Wanted::parse(&input.object_attributes, &asked)?;
    let parts_max = names::page(input.max_parts, "x-amz-max-parts", PAGE_ENTRIES_MAX)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let after = u16::try_from(marker)
        .map_err(|_| s3_error!(InvalidArgument, "The part number marker is not a part's number."))?;
    let at = names::object(&input.bucket, input.key, input.version_id.as_deref())?;
    let key = at.key.clone();
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let ticket = ops.objects.begin_attributes(&asked.caller, at).await;
    let (ticket, customer_key) = asked.after_rights(ticket, asked.customer_key(), refuse)?;
    let read = ReadObject { conditions: asked.conditionals().read(), customer_key, ..ReadObject::default() };
    let outcome = ticket.tell(read, after, parts_max).await.map_err(refuse)?;
    Ok(S3Response::new(show(outcome, &wanted, parts_max, marker)))
}

/// Which attributes are asked for.
#[derive(Default)]
struct Wanted {
    etag: bool,
    checksum: bool,
    parts: bool,
    storage_class: bool,
    size: bool,
}

impl Wanted {
    fn parse(names: &[ObjectAttributes], asked: &Asked) -> S3Result<Self> {
        let mut wanted = Self::default();
        if names.iter().all(|names| names.as_str().trim().is_empty()) {
            return Err(s3_error!(InvalidRequest, "{}", error_xml::NO_ATTRIBUTES));
        }
        // A client may send one header with a list or several headers.
        for name in names.iter().flat_map(|names| names.as_str().split(',')) {
            *match name.trim() {
                ObjectAttributes::ETAG => &mut wanted.etag,
                ObjectAttributes::CHECKSUM => &mut wanted.checksum,
                ObjectAttributes::OBJECT_PARTS => &mut wanted.parts,
                ObjectAttributes::STORAGE_CLASS => &mut wanted.storage_class,
                ObjectAttributes::OBJECT_SIZE => &mut wanted.size,
                other => {
                    asked.exchange.argument("x-amz-object-attributes", other);
                    return Err(s3_error!(InvalidArgument, "Invalid attribute name specified."));
                }
            } = true;
        }
        Ok(wanted)
    }
}

fn show(found: Attributes, wanted: &Wanted, parts_max: usize, marker: i32) -> GetObjectAttributesOutput {
    let info = &found.info;
    let class = if info.storage_class.is_empty() { "STANDARD" } else { &info.storage_class };
    GetObjectAttributesOutput {
        checksum: (wanted.checksum && info.checksum.is_some())
            .then(|| checksum(Shown::new(info.checksum.as_ref(), info.etag.parts()))),
        e_tag: wanted.etag.then(|| names::etag(&info.etag)),
        last_modified: Some(times::to_dto(info.modified)),
        object_size: wanted.size.then(|| names::size(info.size)),
        storage_class: wanted.storage_class.then(|| StorageClass::from(class.to_owned())),
        version_id: info.version.map(|version| version.to_string()),
        object_parts: if wanted.parts { parts(&found, parts_max, marker) } else { None },
        ..GetObjectAttributesOutput::default()
    }
}

fn checksum(shown: Shown) -> Checksum {
    let kind = shown.kind.clone();
    with_checksum!(Checksum { checksum_type: kind, ..Checksum::default() }, shown)
}

/// The page of parts; none for an object that was put whole.
fn parts(found: &Attributes, parts_max: usize, marker: i32) -> Option<GetObjectAttributesParts> {
    let total = found.info.parts?;
    let part = |part: &cofre_objects::ObjectPart| {
        let checksum = Shown::new(part.checksum.as_ref(), None);
        let shown = ObjectPart {
            part_number: Some(i32::from(part.number)),
            size: Some(names::size(part.size)),
            ..ObjectPart::default()
        };
        with_checksum!(shown, checksum)
    };
    Some(GetObjectAttributesParts {
        is_truncated: Some(found.truncated),
        max_parts: Some(names::count(parts_max)),
        next_part_number_marker: found.parts.last().map(|part| i32::from(part.number)),
        part_number_marker: Some(marker),
        parts: Some(found.parts.iter().map(part).collect()),
        total_parts_count: Some(i32::from(total)),
    })
}
