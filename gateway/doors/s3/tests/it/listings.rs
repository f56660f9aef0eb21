//! Listings of objects.

use crate::bed::Bed;
use crate::sign::encode_path;

async fn filled(keys: &[&str]) -> Bed {
    let bed = Bed::with_bucket().await;
    for key in keys {
        bed.put(&format!("/bucket/{}", encode_path(key)), "x").await.is(200);
    }
    bed
}

#[tokio::test]
async fn version_one_goes_by_markers() {
    let bed = filled(&["a", "b/1", "b/2", "c"]).await;
    let all = bed.get("/bucket").await;
    assert_eq!(all.is(200).elements("Key"), ["a", "b/1", "b/2", "c"]);
    assert_eq!(
        (all.element("MaxKeys").as_deref(), all.element("IsTruncated").as_deref()),
        (Some("1000"), Some("false"))
    );
    assert_eq!(all.element("DisplayName").as_deref(), Some("alice"), "version 1 tells the owner");
    let first = bed.get("/bucket?max-keys=2&delimiter=/").await;
    assert_eq!(first.elements("Key"), ["a"]);
    assert_eq!(first.element("NextMarker").as_deref(), Some("b/"));
    let second = bed.get("/bucket?max-keys=2&delimiter=/&marker=b/").await;
    assert_eq!((second.elements("Key"), second.element("NextMarker")), (vec!["c".to_owned()], None));
    let plain = bed.get("/bucket?max-keys=2").await;
    assert_eq!((plain.element("NextMarker"), plain.element("IsTruncated").as_deref()), (None, Some("true")));
}

#[tokio::test]
async fn version_two_goes_by_opaque_tokens() {
    let bed = filled(&["a", "b/1", "b/2", "c"]).await;
    let first = bed.get("/bucket?list-type=2&max-keys=2&delimiter=/").await;
    assert_eq!((first.element("KeyCount").as_deref(), first.elements("Key")), (Some("2"), vec!["a".to_owned()]));
    assert!(first.element("Owner").is_none());
    let token = first.element("NextContinuationToken").unwrap();
    let second = bed.get(&format!("/bucket?list-type=2&max-keys=2&delimiter=/&continuation-token={token}")).await;
    assert_eq!(second.elements("Key"), ["c"]);
    assert_eq!(second.element("ContinuationToken"), Some(token));
    bed.get("/bucket?list-type=2&continuation-token=a").await.is_error(400, "InvalidArgument");
    let empty = bed.get("/bucket?list-type=2&continuation-token=").await;
    assert_eq!((empty.elements("Key").len(), empty.element("ContinuationToken").as_deref()), (4, Some("")));
    assert_eq!(bed.get("/bucket?list-type=2&start-after=b/1").await.elements("Key"), ["b/2", "c"]);
    assert!(bed.get("/bucket?list-type=2&fetch-owner=true").await.element("Owner").is_some());
}

#[tokio::test]
async fn pages_are_clamped() {
    let bed = filled(&["a"]).await;
    for address in ["/bucket?max-keys=5000", "/bucket?list-type=2&max-keys=5000", "/bucket?versions&max-keys=5000"] {
        assert_eq!(bed.get(address).await.element("MaxKeys").as_deref(), Some("1000"), "{address}");
    }
    let none = bed.get("/bucket?list-type=2&max-keys=0").await;
    assert_eq!((none.elements("Key").len(), none.element("IsTruncated").as_deref()), (0, Some("false")));
}

#[tokio::test]
async fn names_are_url_encoded_where_that_is_asked() {
    let bed = filled(&["asdf+b", "foo+1/bar", "foo/bar", "quux ab/thud"]).await;
    for version in ["", "list-type=2&"] {
        let listed = bed.get(&format!("/bucket?{version}delimiter=/&encoding-type=url")).await;
        assert_eq!(listed.element("EncodingType").as_deref(), Some("url"));
        assert_eq!(listed.elements("Key"), ["asdf%2Bb"]);
        let prefixes = listed.elements("CommonPrefixes").join("");
        assert_eq!(prefixes, "<Prefix>foo%2B1/</Prefix><Prefix>foo/</Prefix><Prefix>quux%20ab/</Prefix>");
    }
    let versions = bed.get("/bucket?versions&encoding-type=url&prefix=asdf%2Bb").await;
    assert_eq!(
        (versions.elements("Key"), versions.element("Prefix").as_deref()),
        (vec!["asdf%2Bb".to_owned()], Some("asdf%2Bb"))
    );
}

#[tokio::test]
async fn a_character_that_xml_cannot_hold_is_a_reference_and_the_rest_stays() {
    let bed = filled(&["a\u{1}b", "c\rd", "my summer+%.jpg", "x\u{ffff}"]).await;
    bed.post("/bucket/c%0Dd?uploads", "").await.is(200);
    for address in ["/bucket", "/bucket?list-type=2", "/bucket?versions"] {
        let listed = bed.get(address).await;
        assert_eq!(listed.is(200).element("EncodingType"), None, "{address}");
        let keys = ["a&#x1;b", "c&#xd;d", "my summer+%.jpg", "x&#xffff;"];
        assert_eq!(listed.elements("Key"), keys, "{address}");
        let asked =
            bed.get(&format!("{address}{}encoding-type=url", if address.contains('?') { '&' } else { '?' })).await;
        assert_eq!(asked.elements("Key"), ["a%01b", "c%0Dd", "my%20summer%2B%25.jpg", "x%EF%BF%BF"], "{address}");
    }
    let rolled = bed.get("/bucket?prefix=c%0D&delimiter=%0D").await;
    assert_eq!(rolled.is(200).element("Prefix").as_deref(), Some("c&#xd;"));
    assert_eq!(bed.get("/bucket?uploads").await.is(200).elements("Key"), ["c&#xd;d"]);
}

#[tokio::test]
async fn versions_and_delete_markers_stand_in_one_order() {
    let bed = Bed::with_bucket().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    bed.put("/bucket?versioning", enabled).await.is(200);
    for key in ["a", "b"] {
        bed.put(&format!("/bucket/{key}"), "1").await.is(200);
        bed.delete(&format!("/bucket/{key}")).await.is(204);
        bed.put(&format!("/bucket/{key}"), "2").await.is(200);
    }
    bed.delete("/bucket/b").await.is(204);
    let listed = bed.get("/bucket?versions").await;
    let text = listed.is(200).text();
    let kinds: Vec<_> =
        text.split('<').filter(|tag| tag.starts_with("Version>") || tag.starts_with("DeleteM")).collect();
    let (version, marker) = ("Version>", "DeleteMarker>");
    assert_eq!(kinds, [version, marker, version, marker, version, marker, version]);
    assert_eq!(listed.elements("Key"), ["a", "a", "a", "b", "b", "b", "b"]);
    assert_eq!(listed.header("content-type"), Some("application/xml"));
    assert!(text.contains("<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"), "{text}");
    let mut paged = Vec::new();
    let mut more = String::new();
    while !more.contains("false") {
        let page = bed.get(&format!("/bucket?versions&max-keys=1{more}")).await;
        paged.extend(page.is(200).elements("VersionId"));
        let next = |name| page.element(name).unwrap_or_else(|| "false".to_owned());
        more = format!("&key-marker={}&version-id-marker={}", next("NextKeyMarker"), next("NextVersionIdMarker"));
    }
    assert_eq!(paged, listed.elements("VersionId"));
}
