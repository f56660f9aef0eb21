//! Access control lists from headers and XML. Accounts are still as the client names them: whether they
//! are there is for the operation to find out.

use cofre_objects::{AclGrantee, AclPermission, CannedAcl};
use cofre_types::AccountId;
use http::HeaderMap;
use s3s::dto::{self, AccessControlPolicy, BucketCannedACL};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Most grants of a list (AWS, "Access control list (ACL) overview").
const GRANTS_MAX: usize = 100;

const GROUPS: [(&str, AclGrantee); 3] = [
    ("http://acs.amazonaws.com/groups/global/AllUsers", AclGrantee::AllUsers),
    ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", AclGrantee::AuthenticatedUsers),
    ("http://acs.amazonaws.com/groups/s3/LogDelivery", AclGrantee::LogDelivery),
];

/// What lists are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOf {
    Bucket,
    Object,
}

/// A list as a client writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    Canned(CannedAcl),
    Grants(Vec<(Named, AclPermission)>),
}

/// A grantee as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// By canonical id.
    Id(AccountId),
    /// By address.
    Email(String),
    /// A group.
    Group(AclGrantee),
}

const GRANT_HEADERS: [(&str, AclPermission); 5] = [
    ("x-amz-grant-read", AclPermission::Read),
    ("x-amz-grant-write", AclPermission::Write),
    ("x-amz-grant-read-acp", AclPermission::ReadAcp),
    ("x-amz-grant-write-acp", AclPermission::WriteAcp),
    ("x-amz-grant-full-control", AclPermission::FullControl),
];

/// Reads `x-amz-acl` and `x-amz-grant-*`; none if there is neither.
pub(crate) fn from_headers(headers: &HeaderMap, of: ListOf) -> S3Result<Option<Written>> {
    let mut grants = Vec::new();
    for (header, permission) in GRANT_HEADERS {
        for value in headers.get_all(header) {
            let value = value.to_str().map_err(|_| malformed_header())?;
            for grantee in value.split(',').filter(|grantee| !grantee.trim().is_empty()) {
                grants.push((grantee_of(grantee)?, permission));
            }
        }
    }
    match (headers.get("x-amz-acl"), grants.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => within_bound(grants).map(Some),
        (Some(name), true) => canned(name.to_str().unwrap_or_default(), of).map(Written::Canned).map(Some),
        (Some(_), false) => {
            Err(s3_error!(InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed"))
        }
    }
}

/// Reads an `AccessControlPolicy`.
pub(crate) fn from_dto(list: AccessControlPolicy) -> S3Result<Written> {
    let malformed = || S3Error::new(S3ErrorCode::MalformedACLError);
    let mut grants = Vec::new();
    for grant in list.grants.unwrap_or_default() {
        let dto::Grant { grantee, permission } = grant;
        let grantee = grantee.ok_or_else(malformed)?;
        let named = match (grantee.type_.as_str(), grantee.id, grantee.email_address, grantee.uri) {
            (dto::Type::CANONICAL_USER, Some(id), None, None) => id_of(&id)?,
            (dto::Type::AMAZON_CUSTOMER_BY_EMAIL, None, Some(email), None) => Named::Email(email),
            (dto::Type::GROUP, None, None, Some(uri)) => group_of(&uri)?,
            _ => return Err(malformed()),
        };
        let permission = match permission.as_ref().map(dto::Permission::as_str) {
            Some(dto::Permission::READ) => AclPermission::Read,
            Some(dto::Permission::WRITE) => AclPermission::Write,
            Some(dto::Permission::READ_ACP) => AclPermission::ReadAcp,
            Some(dto::Permission::WRITE_ACP) => AclPermission::WriteAcp,
            Some(dto::Permission::FULL_CONTROL) => AclPermission::FullControl,
            _ => return Err(malformed()),
        };
        grants.push((named, permission));
    }
    within_bound(grants)
}

/// The name of a group in answers.
pub(crate) fn group_uri(group: AclGrantee) -> Option<&'static str> {
    GROUPS.iter().find(|(_, own)| *own == group).map(|(uri, _)| *uri)
}

/// A permission as answers name it.
pub(crate) fn permission_to_dto(permission: AclPermission) -> dto::Permission {
    dto::Permission::from_static(match permission {
        AclPermission::Read => dto::Permission::READ,
        AclPermission::Write => dto::Permission::WRITE,
        AclPermission::ReadAcp => dto::Permission::READ_ACP,
        AclPermission::WriteAcp => dto::Permission::WRITE_ACP,
        AclPermission::FullControl => dto::Permission::FULL_CONTROL,
    })
}

fn canned(name: &str, of: ListOf) -> S3Result<CannedAcl> {
    Ok(match name {
        BucketCannedACL::PRIVATE => CannedAcl::Private,
        BucketCannedACL::PUBLIC_READ => CannedAcl::PublicRead,
        BucketCannedACL::PUBLIC_READ_WRITE => CannedAcl::PublicReadWrite,
        BucketCannedACL::AUTHENTICATED_READ => CannedAcl::AuthenticatedRead,
        // It grants to EC2, which is not here, and else says what `private` says.
        "aws-exec-read" => CannedAcl::Private,
        "bucket-owner-read" => CannedAcl::BucketOwnerRead,
        "bucket-owner-full-control" => CannedAcl::BucketOwnerFullControl,
        "log-delivery-write" if of == ListOf::Bucket => CannedAcl::LogDeliveryWrite,
        _ => return Err(s3_error!(InvalidArgument, "The canned access control list is not valid.")),
    })
}

/// Reads `id="..."`, `emailAddress="..."` or `uri="..."`, with the quotes or without.
fn grantee_of(text: &str) -> S3Result<Named> {
    let (kind, value) = text.split_once('=').ok_or_else(malformed_header)?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    match kind.trim() {
        "id" => id_of(value),
        "emailAddress" => Ok(Named::Email(value.to_owned())),
        "uri" => group_of(value),
        _ => Err(malformed_header()),
    }
}

fn id_of(id: &str) -> S3Result<Named> {
    AccountId::parse(id).map(Named::Id).map_err(|_| invalid_id())
}

/// The answer to the id of an account that is not there.
pub(crate) fn invalid_id() -> S3Error {
    s3_error!(InvalidArgument, "Invalid id")
}

fn group_of(uri: &str) -> S3Result<Named> {
    let found = GROUPS.iter().find(|(own, _)| *own == uri);
    found.map(|(_, group)| Named::Group(*group)).ok_or_else(|| s3_error!(InvalidArgument, "Invalid group uri"))
}

fn within_bound(grants: Vec<(Named, AclPermission)>) -> S3Result<Written> {
    if grants.len() > GRANTS_MAX {
        return Err(s3_error!(InvalidArgument, "An access control list has at most 100 grants."));
    }
    Ok(Written::Grants(grants))
}

fn malformed_header() -> S3Error {
    s3_error!(InvalidArgument, "Argument format not recognized")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn read(headers: &[(&'static str, &str)], of: ListOf) -> Result<Option<Written>, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        from_headers(&map, of).map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn reads_headers() {
        let id = "ab".repeat(32);
        let named = Named::Id(AccountId::parse(&id).unwrap());
        assert_eq!(read(&[], ListOf::Object), Ok(None));
        assert_eq!(
            read(&[("x-amz-acl", "public-read")], ListOf::Object),
            Ok(Some(Written::Canned(CannedAcl::PublicRead)))
        );
        let grants = read(
            &[
                ("x-amz-grant-full-control", &format!("id={id}")),
                (
                    "x-amz-grant-read",
                    "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\", emailAddress=\"ann@example.com\"",
                ),
            ],
            ListOf::Object,
        );
        assert_eq!(
            grants,
            Ok(Some(Written::Grants(vec![
                (Named::Group(AclGrantee::AllUsers), AclPermission::Read),
                (Named::Email("ann@example.com".to_owned()), AclPermission::Read),
                (named, AclPermission::FullControl),
            ])))
        );
    }

    #[test]
    fn refuses_what_it_cannot_grant() {
        let code = |headers: &[(&'static str, &str)], of| read(headers, of).unwrap_err();
        assert_eq!(code(&[("x-amz-acl", "public-ready")], ListOf::Object), "InvalidArgument");
        assert_eq!(code(&[("x-amz-acl", "log-delivery-write")], ListOf::Object), "InvalidArgument");
        assert!(read(&[("x-amz-acl", "log-delivery-write")], ListOf::Bucket).is_ok());
        assert_eq!(code(&[("x-amz-grant-read", "id=ann")], ListOf::Object), "InvalidArgument");
        assert_eq!(code(&[("x-amz-grant-read", "uri=http://everyone")], ListOf::Object), "InvalidArgument");
        assert_eq!(code(&[("x-amz-grant-read", "everyone")], ListOf::Object), "InvalidArgument");
        let both = [("x-amz-acl", "private"), ("x-amz-grant-read", "emailAddress=a@b")];
        assert_eq!(code(&both, ListOf::Object), "InvalidRequest");
        let many = vec!["emailAddress=a@b"; GRANTS_MAX + 1].join(",");
        assert_eq!(code(&[("x-amz-grant-read", &many)], ListOf::Object), "InvalidArgument");
    }
}
