//! A document with one of everything.

use serde_json::{Value, json};

/// One of everything.
pub(super) fn everything() -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*",
    }]});
    let logs = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
    }]});
    let key_policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
    }]});
    json!({
        "settings": {
            "quotas": {"bucket_objects_max": 5000},
            "timers": {"job_busy_share": 1},
            "storage_classes": {"GLACIER": "default"},
        },
        "accounts": [
            {"name": "ana", "email": "ana@example.com", "buckets_max": 7, "quota": {"bytes_max": 1000000},
             "id": "a1".repeat(32),
             "keys": [
                {"access_key_id": "ana-app", "secret_access_key": "kQ7zYw31pLm9XcVbn2", "note": "the app"},
                {"access_key_id": "ana-old", "secret_access_key": "pQ7zYw31pLm9XcVbn3", "disabled": true,
                 "expires": "2099-01-01T00:00:00+01:00"},
             ]},
            {"name": "béa", "disabled": true},
        ],
        "key_policies": [{"key": "eu", "policy": key_policy.to_string()}],
        "buckets": [
            {"name": "photos", "owner": "ana", "quota": {"bytes_max": 500000, "objects_max": 100},
             "redundancy": "replicas:1", "versioning": "enabled",
             "object_lock": {"default_retention": {"mode": "governance", "days": 3}},
             "encryption": {"algorithm": "AES256"}, "blocked_encryption_types": ["SSE-C"],
             "ownership": "bucket_owner_preferred",
             "acl": [{"account": "béa", "permission": "read"}, {"group": "all_users", "permission": "read"}],
             "policy": policy.to_string(),
             "public_access_block": {"restrict_public_buckets": true},
             "tags": {"team": "blue"}, "abac": true,
             "cors": [{"allowed_origins": ["https://a.example"], "allowed_methods": ["GET"], "max_age_seconds": 60}],
             "lifecycle": [
                {"id": "tmp", "filter": {"prefix": "tmp/"}, "expiration": {"days": 7},
                 "abort_incomplete_multipart_upload_days": 2},
                {"id": "big", "filter": {"tags": {"a": "b"}, "object_size_greater_than": 10},
                 "transitions": [{"days": 3, "storage_class": "GLACIER"}],
                 "noncurrent_version_expiration": {"noncurrent_days": 9, "newer_noncurrent_versions": 2}},
                {"id": "old", "enabled": false, "prefix": "x/", "expiration": {"date": "2030-01-01T00:00:00Z"}},
                {"id": "all", "expiration": {"expired_object_delete_marker": true}},
             ],
             "transition_default_minimum_object_size": "all_storage_classes_128K",
             "website": {"index_document": "index.html", "routing_rules": [
                {"condition": {"key_prefix_equals": "old/"}, "redirect": {"replace_key_prefix_with": "new/"}}]},
             "logging": {"target_bucket": "logs", "target_prefix": "photos/", "key_format": "partitioned_by_event_time"},
             "request_payer": "requester", "acceleration": true},
            {"name": "logs", "owner": "ana", "policy": logs.to_string()},
        ],
    })
}
