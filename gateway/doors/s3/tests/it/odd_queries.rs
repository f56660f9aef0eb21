//! Control characters and worse in every parameter that an answer repeats.

use crate::bed::Bed;

const ODD: [&str; 9] = ["%00", "%01", "a%00b", "%0d", "%1f", "%7f", "%ef%bf%be", "%ef%bf%bf", "%ef%a3%be000041"];

/// Addresses that answer with what was asked, up to the value of a parameter.
const REPEATED: [&str; 31] = [
    "/?prefix=",
    "/?continuation-token=",
    "/?bucket-region=",
    "/?max-buckets=",
    "/bucket?prefix=",
    "/bucket?marker=",
    "/bucket?delimiter=",
    "/bucket?max-keys=",
    "/bucket?encoding-type=",
    "/bucket?encoding-type=url&prefix=",
    "/bucket?encoding-type=url&marker=",
    "/bucket?list-type=2&prefix=",
    "/bucket?list-type=2&start-after=",
    "/bucket?list-type=2&delimiter=",
    "/bucket?list-type=2&continuation-token=",
    "/bucket?versions&prefix=",
    "/bucket?versions&key-marker=",
    "/bucket?versions&delimiter=",
    "/bucket?versions&key-marker=a&version-id-marker=",
    "/bucket?uploads&prefix=",
    "/bucket?uploads&key-marker=",
    "/bucket?uploads&delimiter=",
    "/bucket?uploads&key-marker=a&upload-id-marker=",
    "/bucket/key?uploadId=",
    "/bucket/key?versionId=",
    "/bucket/key?partNumber=",
    "/bucket/key?response-content-type=",
    "/bucket/key?response-content-disposition=",
    "/bucket/key?acl&versionId=",
    "/bucket/key?tagging&versionId=",
    "/bucket/",
];

#[tokio::test]
async fn odd_parameters_are_never_the_servers_fault() {
    let bed = Bed::with_bucket().await;
    bed.put("/bucket/key", "content").await.is(200);
    let mut wrong = Vec::new();
    for address in REPEATED {
        for odd in ODD {
            let address = format!("{address}{odd}");
            let answer = bed.get(&address).await;
            if answer.status.is_server_error() {
                wrong.push(format!("{address}: {}", answer.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
