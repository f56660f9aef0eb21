use crate::bed::{Bed, bucket};
use cofre_objects::ListObjects;
use std::collections::BTreeSet;

const NAMES: [&str; 14] =
    ["a", "a/b", "a/b/c", "a//d", "a0", "b", "b/", "b/\u{0}x", "ab/c", "ключ/a", "ключ/b", "z%/1", "z%/2", "zz"];

/// What AWS's documentation of ListObjectsV2 says, done the slow way.
fn expected(prefix: &str, delimiter: &str, after: Option<&str>, max: usize) -> (Vec<String>, Vec<String>, bool) {
    let sorted: BTreeSet<&str> = NAMES.into_iter().collect();
    let (mut keys, mut prefixes) = (Vec::new(), Vec::<String>::new());
    for name in sorted.into_iter().filter(|name| name.starts_with(prefix)) {
        let rolled = (!delimiter.is_empty())
            .then(|| name[prefix.len()..].find(delimiter))
            .flatten()
            .map(|at| name[..prefix.len() + at + delimiter.len()].to_owned());
        let shown = rolled.as_deref().unwrap_or(name);
        if after.is_some_and(|after| shown <= after) || rolled.as_ref().is_some_and(|p| prefixes.last() == Some(p)) {
            continue;
        }
        if keys.len() + prefixes.len() == max {
            return (keys, prefixes, true);
        }
        match rolled {
            Some(rolled) => prefixes.push(rolled),
            None => keys.push(name.to_owned()),
        }
    }
    (keys, prefixes, false)
}

#[tokio::test]
async fn pages_are_what_the_documentation_says() {
    let bed = Bed::with_bucket().await;
    for name in NAMES {
        bed.put(name, b"v").await;
    }
    let afters = NAMES.iter().copied().chain(["a/", "A", "b/zzz", "ключ/", "zzz", "\u{10ffff}"]).map(Some);
    for after in std::iter::once(None).chain(afters) {
        for prefix in ["", "a", "a/", "b/", "nothing", "ключ"] {
            for delimiter in ["", "/", "b", "%/", "//", "ю"] {
                for max in [1, 2, 3, 1000] {
                    let request = ListObjects {
                        bucket: bucket("b"),
                        prefix: prefix.to_owned(),
                        delimiter: delimiter.to_owned(),
                        after: after.map(str::to_owned),
                        max,
                    };
                    let page = bed.objects.list_objects(&bed.alice, request).await.unwrap();
                    let got: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
                    let (keys, prefixes, more) = expected(prefix, delimiter, after, max);
                    let case = format!("prefix {prefix:?} delimiter {delimiter:?} after {after:?} max {max}");
                    assert_eq!((got, page.common_prefixes), (keys, prefixes), "{case}");
                    assert_eq!(page.next.is_some(), more, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn pages_put_together_are_the_whole() {
    let bed = Bed::with_bucket().await;
    for name in NAMES {
        bed.put(name, b"v").await;
    }
    for delimiter in ["", "/", "%/"] {
        let whole = bed.list("", delimiter).await;
        let (mut keys, mut prefixes, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let request = ListObjects {
                bucket: bucket("b"),
                prefix: String::new(),
                delimiter: delimiter.to_owned(),
                after,
                max: 2,
            };
            let page = bed.objects.list_objects(&bed.alice, request).await.unwrap();
            keys.extend(page.objects.into_iter().map(|object| object.key));
            prefixes.extend(page.common_prefixes);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((keys, prefixes), whole);
    }
}

#[tokio::test]
async fn no_entries_asked_for_are_none() {
    let bed = Bed::with_bucket().await;
    bed.put("k", b"v").await;
    let request =
        ListObjects { bucket: bucket("b"), prefix: String::new(), delimiter: String::new(), after: None, max: 0 };
    let page = bed.objects.list_objects(&bed.alice, request).await.unwrap();
    assert!(page.objects.is_empty() && page.next.is_none());
}
