"""Policies, access control lists, ownership and the public access block of a bucket, and what they let others do."""

import json

from checks import anonymous, done, equal, other, true
from checks import refused as boto_refused
from walk import aws, file, refused

B = "access"
aws("create-bucket", bucket=B)
aws("put-object", bucket=B, key="public/page", body=file(b"for all"))
stranger = anonymous()


def reads(key="public/page"):
    """Whether anyone may read an object."""
    try:
        return stranger.get_object(Bucket=B, Key=key)["Body"].read()
    except stranger.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def policy(effect="Allow", principal="*", resource=f"arn:aws:s3:::{B}/public/*"):
    statement = {"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


# A policy opens, and tells that it does.
equal(reads(), "AccessDenied")
refused("NoSuchBucketPolicy", "get-bucket-policy", bucket=B)
equal(aws("get-bucket-policy-status", bucket=B)["PolicyStatus"], {"IsPublic": False})
aws("put-bucket-policy", bucket=B, policy=policy())
equal(json.loads(aws("get-bucket-policy", bucket=B)["Policy"]), policy())
equal(aws("get-bucket-policy-status", bucket=B)["PolicyStatus"], {"IsPublic": True})
equal(reads(), b"for all")
for wrong in ({"Version": "2012-10-17"}, policy(effect="Perhaps"), policy(resource="arn:aws:s3:::another/*")):
    refused("MalformedPolicy", "put-bucket-policy", bucket=B, policy=wrong)
equal(reads(), b"for all")

# The public access block closes what the policy opened, and refuses another such policy.
refused("NoSuchPublicAccessBlockConfiguration", "get-public-access-block", bucket=B)
block = {name: True for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
aws("put-public-access-block", bucket=B, public_access_block_configuration=block)
equal(aws("get-public-access-block", bucket=B)["PublicAccessBlockConfiguration"], block)
equal(reads(), "AccessDenied")
refused("AccessDenied", "put-bucket-policy", bucket=B, policy=policy())
refused("AccessDenied", "put-object", bucket=B, key="public/page", body=file(b"x"), acl="public-read")
aws("delete-public-access-block", bucket=B)
equal(reads(), b"for all")
aws("delete-bucket-policy", bucket=B)
equal(reads(), "AccessDenied")

# Lists of bucket and object. The reader named by id is the suite's second account.
mine = aws("list-buckets")["Owner"]["ID"]
theirs = other().list_buckets()["Owner"]["ID"]
grants = aws("get-bucket-acl", bucket=B)["Grants"]
equal([(grant["Grantee"]["ID"], grant["Permission"]) for grant in grants], [(mine, "FULL_CONTROL")])
boto_refused("AccessDenied", other().list_objects_v2, Bucket=B)
aws("put-bucket-acl", bucket=B, grant_read=f"id={theirs}", grant_write_acp=f"id={mine}")
equal(other().list_objects_v2(Bucket=B)["KeyCount"], 1)
grants = {(grant["Grantee"]["ID"], grant["Permission"]) for grant in aws("get-bucket-acl", bucket=B)["Grants"]}
equal(grants, {(theirs, "READ"), (mine, "WRITE_ACP")})
aws("put-bucket-acl", bucket=B, acl="private")
boto_refused("AccessDenied", other().list_objects_v2, Bucket=B)

aws("put-object-acl", bucket=B, key="public/page", acl="public-read")
equal(reads(), b"for all")
groups = [grant["Grantee"].get("URI") for grant in aws("get-object-acl", bucket=B, key="public/page")["Grants"]]
true("http://acs.amazonaws.com/groups/global/AllUsers" in groups)
refused("InvalidArgument", "put-object-acl", bucket=B, key="public/page", grant_read="id=nobody")
refused("NoSuchKey", "put-object-acl", bucket=B, key="missing", acl="private")

# Once the owner of the bucket owns all, lists say nothing any more and cannot be set.
refused("OwnershipControlsNotFoundError", "get-bucket-ownership-controls", bucket=B)
for ownership in ("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"):
    controls = {"Rules": [{"ObjectOwnership": ownership}]}
    aws("put-bucket-ownership-controls", bucket=B, ownership_controls=controls)
    equal(aws("get-bucket-ownership-controls", bucket=B)["OwnershipControls"], controls)
equal(reads(), "AccessDenied")
refused("AccessControlListNotSupported", "put-object-acl", bucket=B, key="public/page", acl="public-read")
refused("AccessControlListNotSupported", "put-bucket-acl", bucket=B, acl="public-read")
aws("put-object", bucket=B, key="allowed", body=file(b"x"), acl="bucket-owner-full-control")
aws("delete-bucket-ownership-controls", bucket=B)
equal(reads(), b"for all")
done()
