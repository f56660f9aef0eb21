//! Bucket tags in conditions of policies (AWS, "Using tags with S3 general purpose buckets").

use crate::bed::Bed;
use crate::sign::Draft;
use http::Method;
use serde_json::json;

async fn set(bed: &Bed, status: &str) {
    bed.put("/bucket?abac", format!("<AbacStatus><Status>{status}</Status></AbacStatus>")).await.is(200);
}

async fn status(bed: &Bed) -> Option<String> {
    bed.get("/bucket?abac").await.is(200).element("Status")
}

fn tagging(value: &str) -> String {
    format!("<Tagging><TagSet><Tag><Key>team</Key><Value>{value}</Value></Tag></TagSet></Tagging>")
}

#[tokio::test]
async fn abac_is_off_until_it_is_set() {
    let bed = Bed::with_bucket().await;
    assert_eq!(status(&bed).await.as_deref(), Some("Disabled"));
    for wanted in ["Enabled", "Disabled", "Enabled"] {
        set(&bed, wanted).await;
        assert_eq!(status(&bed).await.as_deref(), Some(wanted));
    }
    for body in ["<AbacStatus><Status>On</Status></AbacStatus>", "<AbacStatus/>", "<Other/>"] {
        bed.put("/bucket?abac", body).await.is_error(400, "MalformedXML");
    }
    bed.put("/bucket?abac", "").await.is_error(400, "MissingRequestBodyError");
    bed.delete("/bucket?abac").await.is_error(405, "MethodNotAllowed");
    bed.get("/nowhere?abac").await.is_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn bucket_tags_decide_while_abac_is_on() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?tagging", tagging("red")).await.is(204);
    bed.put("/bucket/k", "x").await.is(200);
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "red", "s3:BucketTag/team": "red"}}}});
    bed.put("/bucket?policy", policy.to_string()).await.is(204);
    let reads = || [Draft::new(Method::GET, "/bucket/k"), Draft::new(Method::GET, "/bucket?list-type=2")];
    for (wanted, status) in [("Disabled", 403), ("Enabled", 200), ("Disabled", 403)] {
        set(&bed, wanted).await;
        for draft in reads() {
            bed.by_bob(draft).await.is(status);
        }
    }
    bed.put("/bucket?tagging", tagging("blue")).await.is(204);
    set(&bed, "Enabled").await;
    for draft in reads() {
        bed.by_bob(draft).await.is_error(403, "AccessDenied");
    }
}

#[tokio::test]
async fn while_abac_is_on_tags_are_not_set_the_old_way() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket?tagging", tagging("red")).await.is(204);
    set(&bed, "Enabled").await;
    let refused = bed.put("/bucket?tagging", tagging("blue")).await;
    assert!(refused.is_error(409, "InvalidBucketState").element("Message").unwrap().contains("TagResource"));
    bed.delete("/bucket?tagging").await.is_error(409, "InvalidBucketState");
    assert_eq!(bed.get("/bucket?tagging").await.is(200).element("Value").as_deref(), Some("red"));
    set(&bed, "Disabled").await;
    bed.put("/bucket?tagging", tagging("blue")).await.is(204);
    bed.delete("/bucket?tagging").await.is(204);
}

/// A request to the S3 Control API.
fn control(method: Method, bucket: &str, query: &str) -> Draft {
    let address = format!("/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A{bucket}{query}");
    Draft::new(method, &address).header("x-amz-account-id", "111122223333")
}

fn tags(pairs: &[(&str, &str)]) -> String {
    let tag = |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let set: String = pairs.iter().map(tag).collect();
    format!(
        "<TagResourceRequest xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><Tags>{set}</Tags></TagResourceRequest>"
    )
}

async fn listed(bed: &Bed) -> Vec<(String, String)> {
    let answer = bed.send(control(Method::GET, "bucket", "")).await;
    assert!(answer.is(200).text().contains("<ListTagsForResourceResult xmlns=\"http://awss3control"));
    answer.elements("Key").into_iter().zip(answer.elements("Value")).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn tags_are_set_by_resource_with_abac_and_without() {
    let bed = Bed::with_bucket().await;
    assert_eq!(listed(&bed).await, []);
    for status in ["Disabled", "Enabled"] {
        set(&bed, status).await;
        bed.send(control(Method::POST, "bucket", "").body(tags(&[("a", "1"), ("team", "red")]))).await.is(204);
        bed.send(control(Method::POST, "bucket", "").body(tags(&[("team", "blue"), ("b", "2")]))).await.is(204);
        assert_eq!(listed(&bed).await, pairs(&[("a", "1"), ("b", "2"), ("team", "blue")]), "{status}");
        assert_eq!(bed.get("/bucket?tagging").await.elements("Key"), ["a", "b", "team"]);
        bed.send(control(Method::DELETE, "bucket", "?tagKeys=a&tagKeys=b&tagKeys=none")).await.is(204);
        assert_eq!(listed(&bed).await, pairs(&[("team", "blue")]));
        // A host with the account before it, as SDKs have it, names no bucket.
        let host = "111122223333.localhost:9000";
        bed.send(control(Method::DELETE, "bucket", "?tagKeys=team").header("host", host)).await.is(204);
        assert_eq!(listed(&bed).await, []);
    }
}

#[tokio::test]
async fn tags_by_resource_have_rights_of_their_own() {
    let bed = Bed::with_bucket().await;
    let drafts = || {
        [
            ("s3:ListTagsForResource", control(Method::GET, "bucket", "")),
            ("s3:TagResource", control(Method::POST, "bucket", "").body(tags(&[("team", "red")]))),
            ("s3:UntagResource", control(Method::DELETE, "bucket", "?tagKeys=team")),
        ]
    };
    for (index, (action, _)) in drafts().into_iter().enumerate() {
        let statement = |effect: &str| {
            json!({"Statement": {"Effect": effect, "Principal": "*", "Action": action,
            "Resource": "arn:aws:s3:::bucket"}})
        };
        bed.put("/bucket?policy", statement("Allow").to_string()).await.is(204);
        for (asked, (_, draft)) in drafts().into_iter().enumerate() {
            let answer = bed.by_bob(draft).await;
            assert_eq!(answer.status.is_success(), asked == index, "{action}: {}", answer.text());
        }
        for (asked, (_, draft)) in drafts().into_iter().enumerate() {
            let answer = bed.by_anyone(draft).await;
            let may = asked == index && action == "s3:ListTagsForResource";
            assert_eq!(answer.status.is_success(), may, "{action} by anyone: {}", answer.text());
        }
        bed.put("/bucket?policy", statement("Deny").to_string()).await.is(204);
        let (_, draft) = drafts().into_iter().nth(index).unwrap();
        bed.send(draft).await.is_error(403, "AccessDenied");
        bed.delete("/bucket?policy").await.is(204);
    }
    let condition = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:TagResource",
        "Resource": "arn:aws:s3:::bucket", "Condition": {"StringEquals": {"aws:RequestTag/team": "red"}}}});
    bed.put("/bucket?policy", condition.to_string()).await.is(204);
    let tag = |value| control(Method::POST, "bucket", "").body(tags(&[("team", value)]));
    bed.by_bob(tag("red")).await.is(204);
    bed.by_bob(tag("blue")).await.is_error(403, "AccessDenied");
}

#[tokio::test]
async fn tags_by_resource_are_held_to_the_rules_of_tags() {
    let bed = Bed::with_bucket().await;
    let tag = |body: String| bed.send(control(Method::POST, "bucket", "").body(body));
    for body in ["", "<TagResourceRequest/>", "<TagResourceRequest><Tags/></TagResourceRequest>", "<Other/>", "x"] {
        tag(body.to_owned()).await.is_error(400, "MalformedXML");
    }
    tag(tags(&[("a", "1"), ("a", "2")])).await.is_error(400, "InvalidTag");
    tag(tags(&[("aws:a", "1")])).await.is_error(400, "InvalidTag");
    let many: Vec<_> = (0..50).map(|number| format!("k{number}")).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    tag(tags(&many)).await.is(204);
    let answer = tag(tags(&[("one more", "v")])).await;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.text());
    assert_eq!(listed(&bed).await.len(), 50);

    bed.send(control(Method::DELETE, "bucket", "")).await.is_error(400, "InvalidArgument");
    bed.send(control(Method::PUT, "bucket", "")).await.is_error(405, "MethodNotAllowed");
    bed.send(control(Method::GET, "nowhere", "")).await.is_error(404, "NoSuchBucket");
    bed.send(control(Method::GET, "bucket%2Fkey", "")).await.is_error(400, "InvalidArgument");
    let wrong = Draft::new(Method::GET, "/v20180820/tags/bucket").header("x-amz-account-id", "1");
    bed.send(wrong).await.is_error(400, "InvalidArgument");
    // Without the header it is an object like any other.
    bed.get("/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Abucket").await.is_error(404, "NoSuchBucket");
}
