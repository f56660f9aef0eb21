"""Tags of a bucket that decide who may: ABAC, and the tags by the S3 Control API."""

import json
import os
import socket
from urllib.parse import urlsplit

import boto3
from botocore.client import Config

from checks import BUCKET, client, done, equal, other, refused

s3 = client()
s3.create_bucket(Bucket=BUCKET)
s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
ENDPOINT = urlsplit(os.environ["AWS_ENDPOINT_URL"])
ARN = f"arn:aws:s3:::{BUCKET}"
OF = {"AccountId": "111122223333", "ResourceArn": ARN}

# The client puts the account before the host, which no name server knows here.
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up(
    ENDPOINT.hostname if host.startswith(OF["AccountId"]) else host, *rest, **more
)
control = boto3.client("s3control", endpoint_url=ENDPOINT.geturl(), config=Config(retries={"max_attempts": 1}))


def tags():
    return {tag["Key"]: tag["Value"] for tag in control.list_tags_for_resource(**OF)["Tags"]}


equal(s3.get_bucket_abac(Bucket=BUCKET)["AbacStatus"], {"Status": "Disabled"})
equal(tags(), {})
control.tag_resource(**OF, Tags=[{"Key": "team", "Value": "red"}, {"Key": "ü", "Value": ""}])
control.tag_resource(**OF, Tags=[{"Key": "team", "Value": "blue"}])
equal(tags(), {"team": "blue", "ü": ""})
control.untag_resource(**OF, TagKeys=["ü", "none"])
equal(tags(), {"team": "blue"})
equal(s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"], [{"Key": "team", "Value": "blue"}])

statement = {
    "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*",
    "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
}
s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
refused("AccessDenied", other().get_object, Bucket=BUCKET, Key="k")
s3.put_bucket_abac(Bucket=BUCKET, AbacStatus={"Status": "Enabled"})
equal(s3.get_bucket_abac(Bucket=BUCKET)["AbacStatus"], {"Status": "Enabled"})
equal(other().get_object(Bucket=BUCKET, Key="k")["Body"].read(), b"x")
refused("InvalidBucketState", s3.put_bucket_tagging, Bucket=BUCKET, Tagging={"TagSet": []})
refused("InvalidBucketState", s3.delete_bucket_tagging, Bucket=BUCKET)
control.tag_resource(**OF, Tags=[{"Key": "team", "Value": "red"}])
refused("AccessDenied", other().get_object, Bucket=BUCKET, Key="k")
s3.put_bucket_abac(Bucket=BUCKET, AbacStatus={"Status": "Disabled"})
s3.delete_bucket_tagging(Bucket=BUCKET)
equal(tags(), {})
done()
