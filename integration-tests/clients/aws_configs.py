"""Buckets and their configurations: each is absent, set, read, changed and deleted."""

from checks import done, equal, true
from walk import aws, file, refused

B = "configs"

# Buckets.
equal(aws("create-bucket", bucket=B)["Location"], "/configs")
aws("head-bucket", bucket=B)
refused("404", "head-bucket", bucket="missing-bucket")
equal(aws("get-bucket-location", bucket=B), {"LocationConstraint": None})
true(B in [bucket["Name"] for bucket in aws("list-buckets")["Buckets"]])
refused("InvalidBucketName", "create-bucket", bucket="Not_A_Name")

# Versioning.
equal(aws("get-bucket-versioning", bucket=B), {})
for status in ("Enabled", "Suspended"):
    aws("put-bucket-versioning", bucket=B, versioning_configuration={"Status": status})
    equal(aws("get-bucket-versioning", bucket=B), {"Status": status})

# What is set and deleted: the name, how `get` says that it is not there, and two values.
for name, argument, absent, values in (
    ("tagging", "tagging", "NoSuchTagSet", [
        {"TagSet": [{"Key": "team", "Value": "a"}]},
        {"TagSet": [{"Key": "team", "Value": "b"}, {"Key": "ü", "Value": ""}]},
    ]),
    ("cors", "cors_configuration", "NoSuchCORSConfiguration", [
        {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
        {"CORSRules": [{
            "ID": "site", "AllowedHeaders": ["*"], "AllowedMethods": ["PUT", "DELETE"],
            "AllowedOrigins": ["https://*.example.com"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60,
        }]},
    ]),
    ("website", "website_configuration", "NoSuchWebsiteConfiguration", [
        {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "https"}},
        {
            "IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"},
            "RoutingRules": [{
                "Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"},
            }],
        },
    ]),
    ("encryption", "server_side_encryption_configuration", "ServerSideEncryptionConfigurationNotFoundError", [
        {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]},
        {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]},
    ]),
    ("lifecycle-configuration", "lifecycle_configuration", "NoSuchLifecycleConfiguration", [
        {"Rules": [{"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}]},
        {"Rules": [
            {
                "ID": "logs", "Status": "Disabled",
                "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "keep", "Value": "no"}]}},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 2},
            },
            {
                "ID": "uploads", "Status": "Enabled", "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            },
        ]},
    ]),
):
    refused(absent, f"get-bucket-{name}", bucket=B)
    for value in values:
        aws(f"put-bucket-{name}", bucket=B, **{argument: value})
        got = aws(f"get-bucket-{name}", bucket=B)
        got = got.get("ServerSideEncryptionConfiguration", got)
        got.pop("TransitionDefaultMinimumObjectSize", None)
        equal(got, value, name)
    if name == "encryption":
        told = aws("put-object", bucket=B, key="encrypted", body=file(b"x"))
        equal((told["ServerSideEncryption"], told["BucketKeyEnabled"]), ("aws:kms", True))
    delete = "delete-bucket-lifecycle" if name.startswith("lifecycle") else f"delete-bucket-{name}"
    aws(delete, bucket=B)
    refused(absent, f"get-bucket-{name}", bucket=B)
    aws(delete, bucket=B)
true("ServerSideEncryption" not in aws("put-object", bucket=B, key="plain", body=file(b"x")))

# What is said by one word, and cannot be deleted.
for name, argument, field, values, absent in (
    ("request-payment", "request_payment_configuration", "Payer", ("Requester", "BucketOwner"), "BucketOwner"),
    ("accelerate-configuration", "accelerate_configuration", "Status", ("Enabled", "Suspended"), None),
):
    equal(aws(f"get-bucket-{name}", bucket=B).get(field), absent, name)
    for value in values:
        aws(f"put-bucket-{name}", bucket=B, **{argument: {field: value}})
        equal(aws(f"get-bucket-{name}", bucket=B), {field: value}, name)

# What is malformed changes nothing.
aws("put-bucket-tagging", bucket=B, tagging={"TagSet": [{"Key": "kept", "Value": "1"}]})
twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
refused("InvalidTag", "put-bucket-tagging", bucket=B, tagging={"TagSet": twice})
equal(aws("get-bucket-tagging", bucket=B)["TagSet"], [{"Key": "kept", "Value": "1"}])
rule = {"ID": "none", "Status": "Enabled", "Filter": {"Prefix": ""}}
refused("InvalidRequest", "put-bucket-lifecycle-configuration", bucket=B, lifecycle_configuration={"Rules": [rule]})
rule = {"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]}
refused("InvalidRequest", "put-bucket-cors", bucket=B, cors_configuration={"CORSRules": [rule]})

# What no bucket has here: it reads as absent, an empty one may be set, and any other is refused.
equal(aws("get-bucket-notification-configuration", bucket=B), {})
aws("put-bucket-notification-configuration", bucket=B, notification_configuration={})
queue = {"QueueConfigurations": [{"QueueArn": "arn:aws:sqs:us-east-1:1:q", "Events": ["s3:ObjectCreated:*"]}]}
refused("NotImplemented", "put-bucket-notification-configuration", bucket=B, notification_configuration=queue)
refused("ReplicationConfigurationNotFoundError", "get-bucket-replication", bucket=B)

# A bucket goes once it is empty.
refused("BucketNotEmpty", "delete-bucket", bucket=B)
for entry in aws("list-object-versions", bucket=B)["Versions"]:
    aws("delete-object", bucket=B, key=entry["Key"], version_id=entry["VersionId"])
aws("delete-bucket", bucket=B)
refused("NoSuchBucket", "get-bucket-location", bucket=B)
done()
