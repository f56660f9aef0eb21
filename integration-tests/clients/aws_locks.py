"""Object lock: default retention, retention, governance and its bypass, compliance, legal hold."""

import datetime

from checks import done, equal, true
from walk import aws, file, refused

B = "locks"


def from_now(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).isoformat(timespec="seconds")


def put(key, **options):
    return aws("put-object", bucket=B, key=key, body=file(b"x"), **options)["VersionId"]


aws("create-bucket", bucket="open")
refused("ObjectLockConfigurationNotFoundError", "get-object-lock-configuration", bucket="open")
refused("InvalidRequest", "put-object", bucket="open", key="k", body=file(b"x"), object_lock_legal_hold_status="ON")
enabled = {"ObjectLockEnabled": "Enabled"}
refused("InvalidBucketState", "put-object-lock-configuration", bucket="open", object_lock_configuration=enabled)

aws("create-bucket", bucket=B, object_lock_enabled_for_bucket=True)
equal(aws("get-bucket-versioning", bucket=B)["Status"], "Enabled")
equal(aws("get-object-lock-configuration", bucket=B)["ObjectLockConfiguration"], enabled)
suspended = {"Status": "Suspended"}
refused("InvalidBucketState", "put-bucket-versioning", bucket=B, versioning_configuration=suspended)

# Without a default nothing is held.
version = put("free")
refused("NoSuchObjectLockConfiguration", "get-object-retention", bucket=B, key="free")
aws("delete-object", bucket=B, key="free", version_id=version)

# The default holds what is new. A marker may be laid over it, but no version goes.
default = enabled | {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}}
aws("put-object-lock-configuration", bucket=B, object_lock_configuration=default)
equal(aws("get-object-lock-configuration", bucket=B)["ObjectLockConfiguration"], default)
version = put("held")
retention = aws("get-object-retention", bucket=B, key="held")["Retention"]
equal(retention["Mode"], "GOVERNANCE")
true(from_now(1) < retention["RetainUntilDate"] < from_now(3), retention)
head = aws("head-object", bucket=B, key="held")
equal((head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]), ("GOVERNANCE", retention["RetainUntilDate"]))
refused("AccessDenied", "delete-object", bucket=B, key="held", version_id=version)
true(aws("delete-object", bucket=B, key="held")["DeleteMarker"])

# Governance: longer is free, shorter takes the bypass, and so does the end of the version.
longer = {"Mode": "GOVERNANCE", "RetainUntilDate": from_now(9)}
aws("put-object-retention", bucket=B, key="held", version_id=version, retention=longer)
shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": from_now(1)}
refused("AccessDenied", "put-object-retention", bucket=B, key="held", version_id=version, retention=shorter)
bypass = {"bypass_governance_retention": True}
aws("put-object-retention", bucket=B, key="held", version_id=version, retention=shorter, **bypass)
errors = aws("delete-objects", bucket=B, delete={"Objects": [{"Key": "held", "VersionId": version}]})["Errors"]
equal([error["Code"] for error in errors], ["AccessDenied"])
aws("delete-object", bucket=B, key="held", version_id=version, **bypass)

# Compliance: nobody, not even with the bypass.
until = from_now(1)
version = put("kept", object_lock_mode="COMPLIANCE", object_lock_retain_until_date=until)
refused("AccessDenied", "delete-object", bucket=B, key="kept", version_id=version, **bypass)
for weaker in (longer, {"Mode": "COMPLIANCE", "RetainUntilDate": from_now(0.5)}):
    refused("AccessDenied", "put-object-retention", bucket=B, key="kept", retention=weaker, **bypass)
aws("put-object-retention", bucket=B, key="kept", retention={"Mode": "COMPLIANCE", "RetainUntilDate": from_now(2)})
past = {"Mode": "COMPLIANCE", "RetainUntilDate": from_now(-1)}
refused("InvalidArgument", "put-object-retention", bucket=B, key="kept", retention=past)

# A legal hold has no end but the one that is said.
held = {"object_lock_mode": "GOVERNANCE", "object_lock_retain_until_date": until}
version = put("hold", object_lock_legal_hold_status="ON", **held)
equal(aws("get-object-legal-hold", bucket=B, key="hold")["LegalHold"], {"Status": "ON"})
refused("AccessDenied", "delete-object", bucket=B, key="hold", version_id=version, **bypass)
aws("put-object-legal-hold", bucket=B, key="hold", legal_hold={"Status": "OFF"})
refused("AccessDenied", "delete-object", bucket=B, key="hold", version_id=version)
aws("delete-object", bucket=B, key="hold", version_id=version, **bypass)
refused("BucketNotEmpty", "delete-bucket", bucket=B)
done()
