"""Two accounts and anyone: what a policy or a list lets them do in a bucket, and who owns what they put."""

import json

from checks import BUCKET, anonymous, client, done, equal, other, refused, true

s3, bob, anyone = client(), other(), anonymous()
ME, BOB = (account.list_buckets()["Owner"]["ID"] for account in (s3, bob))
s3.create_bucket(Bucket=BUCKET)
s3.put_object(Bucket=BUCKET, Key="shared/k", Body=b"shared")
s3.put_object(Bucket=BUCKET, Key="own/k", Body=b"own")
equal(bob.list_buckets()["Buckets"], [])


def read(who, key, **arguments):
    return who.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


def allow(*statements):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


def statement(principal, actions, resource, effect="Allow", **more):
    resource = f"arn:aws:s3:::{BUCKET}{resource}"
    return {"Effect": effect, "Principal": principal, "Action": actions, "Resource": resource, **more}


# Nobody but the owner, at first.
for who in (bob, anyone):
    refused("AccessDenied", who.list_objects_v2, Bucket=BUCKET)
    refused("AccessDenied", who.get_object, Bucket=BUCKET, Key="shared/k")
    refused("AccessDenied", who.put_object, Bucket=BUCKET, Key="shared/k", Body=b"x")
    refused("AccessDenied", who.delete_object, Bucket=BUCKET, Key="shared/k")
    refused(403, who.head_bucket, Bucket=BUCKET)
refused("BucketAlreadyExists", bob.create_bucket, Bucket=BUCKET)

# A policy for one account: to read below a prefix, and to list it.
theirs = {"AWS": BOB}
allow(
    statement(theirs, "s3:GetObject", "/shared/*"),
    statement(theirs, "s3:ListBucket", "", Condition={"StringLike": {"s3:prefix": "shared/*"}}),
)
equal(read(bob, "shared/k"), b"shared")
refused("AccessDenied", bob.get_object, Bucket=BUCKET, Key="own/k")
equal([entry["Key"] for entry in bob.list_objects_v2(Bucket=BUCKET, Prefix="shared/")["Contents"]], ["shared/k"])
refused("AccessDenied", bob.list_objects_v2, Bucket=BUCKET)
refused("AccessDenied", anyone.get_object, Bucket=BUCKET, Key="shared/k")
# What is not there is told only to who may list.
refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="own/none")
refused("AccessDenied", bob.get_object, Bucket=BUCKET, Key="own/none")

# A copy asks for the right to read its source, and to write its target.
bob.create_bucket(Bucket="bobs")
bob.copy_object(Bucket="bobs", Key="k", CopySource={"Bucket": BUCKET, "Key": "shared/k"})
refused("AccessDenied", bob.copy_object, Bucket="bobs", Key="k", CopySource={"Bucket": BUCKET, "Key": "own/k"})
refused("AccessDenied", bob.copy_object, Bucket=BUCKET, Key="shared/new", CopySource={"Bucket": "bobs", "Key": "k"})

# A denial wins, even over an allowance for all.
allow(statement("*", "s3:GetObject", "/*"), statement(theirs, "s3:GetObject", "/own/*", effect="Deny"))
equal((read(anyone, "own/k"), read(bob, "shared/k")), (b"own", b"shared"))
refused("AccessDenied", bob.get_object, Bucket=BUCKET, Key="own/k")

# To put under a condition, and who owns that.
give = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
allow(statement(theirs, "s3:PutObject", "/in/*", Condition=give))
refused("AccessDenied", bob.put_object, Bucket=BUCKET, Key="in/k", Body=b"x")
refused("AccessDenied", bob.put_object, Bucket=BUCKET, Key="in/k", Body=b"x", ACL="private")
bob.put_object(Bucket=BUCKET, Key="in/k", Body=b"from bob", ACL="bucket-owner-full-control")
equal(read(s3, "in/k"), b"from bob")
equal(s3.get_object_acl(Bucket=BUCKET, Key="in/k")["Owner"]["ID"], BOB)
controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=controls)
bob.put_object(Bucket=BUCKET, Key="in/k", Body=b"x", ACL="bucket-owner-full-control")
equal(s3.get_object_acl(Bucket=BUCKET, Key="in/k")["Owner"]["ID"], ME)
s3.delete_bucket_ownership_controls(Bucket=BUCKET)
s3.delete_bucket_policy(Bucket=BUCKET)

# Lists: to read one object, to write to the bucket, and what stays the writer's.
s3.put_object_acl(Bucket=BUCKET, Key="own/k", GrantRead=f'id="{BOB}"')
equal(read(bob, "own/k"), b"own")
refused("AccessDenied", anyone.get_object, Bucket=BUCKET, Key="own/k")
refused("AccessDenied", bob.get_object_acl, Bucket=BUCKET, Key="own/k")
s3.put_bucket_acl(Bucket=BUCKET, GrantWrite=f'id="{BOB}"', GrantFullControl=f'id="{ME}"')
bob.put_object(Bucket=BUCKET, Key="bobs", Body=b"bob's")
refused("AccessDenied", s3.get_object, Bucket=BUCKET, Key="bobs")
refused("AccessDenied", bob.list_objects_v2, Bucket=BUCKET)
s3.delete_object(Bucket=BUCKET, Key="bobs")
refused("AccessDenied", bob.get_object, Bucket=BUCKET, Key="bobs")

# Anyone, by a list of the object or of the bucket.
s3.put_object(Bucket=BUCKET, Key="open", Body=b"open", ACL="public-read")
equal(read(anyone, "open"), b"open")
refused("AccessDenied", anyone.list_objects_v2, Bucket=BUCKET)
s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read")
true("open" in [entry["Key"] for entry in anyone.list_objects_v2(Bucket=BUCKET)["Contents"]])
refused("AccessDenied", anyone.put_object, Bucket=BUCKET, Key="open", Body=b"x")
s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
anyone.put_object(Bucket=BUCKET, Key="anyones", Body=b"x")
# The list of all is for signed requests too.
s3.put_object_acl(Bucket=BUCKET, Key="open", ACL="authenticated-read")
equal(read(bob, "open"), b"open")
refused("AccessDenied", anyone.get_object, Bucket=BUCKET, Key="open")
done()
