use super::{delete, everything, key, names, put, snapshot};
use crate::{Batch, ReadExt, Revision, Scan, Store, Visit, VisitStep};
use std::ops::Bound;
use std::sync::Arc;

async fn letters(store: &dyn Store) {
    let mut batch = Batch::new();
    for letter in 'a'..='z' {
        batch.put(letter.to_string().into_bytes(), b"x".to_vec());
    }
    store.commit(batch).await.expect("commits");
}

fn range(from: Bound<&str>, to: Bound<&str>) -> Scan {
    Scan { from: from.map(key), to: to.map(key), ..everything() }
}

/// Keeps what it sees and does what it was told for some keys.
struct Told {
    steps: Vec<(Vec<u8>, VisitStep)>,
    seen: String,
}

impl Told {
    fn to(steps: &[(&str, VisitStep)]) -> Self {
        Self { steps: steps.iter().map(|(name, step)| (key(name), step.clone())).collect(), seen: String::new() }
    }
}

impl Visit for Told {
    fn visit(&mut self, key: &[u8], _: Revision, _: &[u8]) -> VisitStep {
        self.seen.push_str(&String::from_utf8_lossy(key));
        let told = self.steps.iter().find(|(name, _)| name == key);
        told.map_or(VisitStep::Continue, |(_, step)| step.clone())
    }
}

async fn seen(store: &dyn Store, range: Scan, steps: &[(&str, VisitStep)]) -> String {
    snapshot(store).await.scan(range, Told::to(steps)).await.expect("scans").seen
}

fn seek(name: &str) -> VisitStep {
    VisitStep::Seek(key(name))
}

pub(super) async fn keys_come_in_byte_order(store: Arc<dyn Store>) {
    let mut keys: Vec<Vec<u8>> = vec![
        vec![1],
        vec![1, 0],
        vec![1, 0, 0],
        vec![1, 0, 0xff],
        vec![1, 0, 1],
        b"a".to_vec(),
        b"a\0".to_vec(),
        b"a/b".to_vec(),
        b"aa".to_vec(),
        b"b".to_vec(),
        vec![0xc3, 0xa4],
        vec![0xff],
        vec![0xff, 0],
        vec![0xff, 0xff],
    ];
    for name in keys.iter().rev() {
        let mut batch = Batch::new();
        batch.put(name.clone(), Vec::new());
        store.commit(batch).await.expect("commits");
    }
    keys.sort();
    let view = snapshot(&*store).await;
    let page = view.page(everything(), 100).await.expect("scans");
    assert_eq!(page.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), keys);
    keys.reverse();
    let page = view.page(everything().reversed(), 100).await.expect("scans");
    assert_eq!(page.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), keys);
}

pub(super) async fn bounds_hold_in_both_directions(store: Arc<dyn Store>) {
    use Bound::{Excluded, Included, Unbounded};
    letters(&*store).await;
    let cases = [
        (range(Included("c"), Included("f")), "cdef"),
        (range(Excluded("c"), Included("f")), "def"),
        (range(Included("c"), Excluded("f")), "cde"),
        (range(Excluded("c"), Excluded("f")), "de"),
        (range(Included("cc"), Excluded("ff")), "def"),
        (range(Unbounded, Excluded("c")), "ab"),
        (range(Excluded("x"), Unbounded), "yz"),
        (Scan::prefix(b"q"), "q"),
        (Scan::prefix(b"").after(key("w")), "xyz"),
    ];
    for (scan, expected) in cases {
        assert_eq!(names(&*store, scan.clone()).await.concat(), expected, "{scan:?}");
        let backward: String = expected.chars().rev().collect();
        assert_eq!(names(&*store, scan.clone().reversed()).await.concat(), backward, "{scan:?} reversed");
    }
}

pub(super) async fn a_prefix_of_0xff_has_no_end(store: Arc<dyn Store>) {
    for name in [vec![0xfe, 0xff], vec![0xff], vec![0xff, 0xff], vec![0xff, 0xff, 7], vec![0xfe, 0xff, 0xff]] {
        let mut batch = Batch::new();
        batch.put(name, Vec::new());
        store.commit(batch).await.expect("commits");
    }
    let view = snapshot(&*store).await;
    for (prefix, expected) in [(&[0xff, 0xff][..], 2), (&[0xff], 3), (&[0xfe, 0xff], 2), (&[0xfe], 2)] {
        assert_eq!(view.page(Scan::prefix(prefix), 100).await.expect("scans").len(), expected, "{prefix:?}");
    }
}

pub(super) async fn seek_skips_in_both_directions(store: Arc<dyn Store>) {
    letters(&*store).await;
    let steps = [("b", seek("d")), ("e", seek("w")), ("x", seek("yy"))];
    assert_eq!(seen(&*store, everything(), &steps).await, "abdewxz");
    let steps = [("y", seek("w")), ("v", seek("dd")), ("b", seek("aa"))];
    assert_eq!(seen(&*store, everything().reversed(), &steps).await, "zywvdcba");
}

pub(super) async fn seek_never_goes_back(store: Arc<dyn Store>) {
    letters(&*store).await;
    let scan = range(Bound::Included("m"), Bound::Included("p"));
    let steps = [("m", seek("a")), ("n", seek("n")), ("o", seek("z"))];
    assert_eq!(seen(&*store, scan.clone(), &steps).await, "mno");
    let steps = [("p", seek("z")), ("o", seek("o")), ("n", seek("a"))];
    assert_eq!(seen(&*store, scan.reversed(), &steps).await, "pon");
}

pub(super) async fn seek_beyond_the_range_ends_it(store: Arc<dyn Store>) {
    letters(&*store).await;
    let scan = range(Bound::Included("b"), Bound::Excluded("y"));
    assert_eq!(seen(&*store, scan.clone(), &[("b", seek("y"))]).await, "b");
    assert_eq!(seen(&*store, scan.clone(), &[("b", seek("zz"))]).await, "b");
    assert_eq!(seen(&*store, scan.clone().reversed(), &[("x", seek("a"))]).await, "x");
    assert_eq!(seen(&*store, scan.reversed(), &[("x", seek("b"))]).await, "xb");
}

pub(super) async fn stop_stops(store: Arc<dyn Store>) {
    letters(&*store).await;
    assert_eq!(seen(&*store, everything(), &[("c", VisitStep::Stop)]).await, "abc");
    assert_eq!(seen(&*store, everything().reversed(), &[("y", VisitStep::Stop)]).await, "zy");
}

pub(super) async fn a_page_ends_at_its_limit(store: Arc<dyn Store>) {
    letters(&*store).await;
    let view = snapshot(&*store).await;
    let mut all = String::new();
    let mut range = everything();
    loop {
        let page = view.page(range.clone(), 7).await.expect("scans");
        let Some((last, _)) = page.last().cloned() else { break };
        assert!(page.len() <= 7);
        all.extend(page.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()));
        range = range.after(last);
    }
    assert_eq!(all, ('a'..='z').collect::<String>());
    assert!(view.page(everything(), 0).await.expect("scans").is_empty());
}

pub(super) async fn a_range_without_room_is_empty(store: Arc<dyn Store>) {
    use Bound::{Excluded, Included};
    letters(&*store).await;
    for scan in [
        range(Included("f"), Included("c")),
        range(Excluded("c"), Excluded("c")),
        range(Included("c"), Excluded("c")),
        range(Excluded("c"), Included("c")),
        range(Excluded("z"), Included("b")),
    ] {
        assert!(names(&*store, scan.clone()).await.is_empty(), "{scan:?}");
        assert!(names(&*store, scan.clone().reversed()).await.is_empty(), "{scan:?} reversed");
    }
}

pub(super) async fn deleted_keys_are_not_visited(store: Arc<dyn Store>) {
    letters(&*store).await;
    for letter in 'b'..='y' {
        delete(&*store, &letter.to_string()).await;
    }
    put(&*store, "k", "again").await;
    assert_eq!(names(&*store, everything()).await.concat(), "akz");
    assert_eq!(seen(&*store, everything().reversed(), &[("z", seek("m"))]).await, "zka");
}

pub(super) async fn a_scan_shows_at_most_what_it_says(store: Arc<dyn Store>) {
    letters(&*store).await;
    for (keys, expected) in
        [(0, ""), (1, "a"), (3, "abc"), (26, "abcdefghijklmnopqrstuvwxyz"), (100, "abcdefghijklmnopqrstuvwxyz")]
    {
        assert_eq!(seen(&*store, everything().at_most(keys), &[]).await, expected);
    }
    assert_eq!(seen(&*store, everything().at_most(5).at_most(2), &[]).await, "ab");
    assert_eq!(seen(&*store, everything().at_most(2).at_most(5), &[]).await, "ab");
    assert_eq!(seen(&*store, everything().reversed().at_most(3), &[]).await, "zyx");
    // What is sought over does not count, whether the engine steps over it or opens anew.
    assert_eq!(seen(&*store, everything().at_most(4), &[("a", seek("d")), ("e", seek("w"))]).await, "adew");
    assert_eq!(seen(&*store, everything().at_most(4), &[("b", VisitStep::Stop)]).await, "ab");
    let page = store.page(everything().at_most(2), 10).await.expect("scans");
    assert_eq!(page.len(), 2);
}

/// Notes the values that it is shown.
#[derive(Default)]
struct Values(Vec<(Vec<u8>, Revision, Vec<u8>)>);

impl Visit for Values {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        self.0.push((key.to_vec(), revision, value.to_vec()));
        VisitStep::Continue
    }
}

pub(super) async fn a_scan_without_values_shows_the_same_keys(store: Arc<dyn Store>) {
    let revision = put(&*store, "a", "1").await;
    put(&*store, "b", "2").await;
    let shown = store.scan(everything().without_values(), Values::default()).await.expect("scans").0;
    assert_eq!(shown[0], (key("a"), revision, Vec::new()));
    assert_eq!((shown.len(), &shown[1].2), (2, &Vec::new()));
    assert_eq!(store.keys(everything(), 10).await.expect("scans"), [key("a"), key("b")]);
    assert_eq!(store.keys(everything().reversed(), 1).await.expect("scans"), [key("b")]);
    assert_eq!(snapshot(&*store).await.keys(everything().after(key("a")), 10).await.expect("scans"), [key("b")]);
    assert!(store.keys(everything(), 0).await.expect("scans").is_empty());
}

pub(super) async fn a_count_ends_at_its_limit(store: Arc<dyn Store>) {
    letters(&*store).await;
    for (max, expected) in [(0, 0), (1, 1), (25, 25), (26, 26), (27, 26), (usize::MAX, 26)] {
        assert_eq!(store.count(everything(), max).await.expect("counts"), expected);
    }
    assert_eq!(store.count(Scan::prefix(b"c"), 10).await.expect("counts"), 1);
    assert_eq!(store.count(Scan::prefix(b"cc"), 10).await.expect("counts"), 0);
}

pub(super) async fn a_store_scans_what_is_now(store: Arc<dyn Store>) {
    put(&*store, "a", "1").await;
    let held = snapshot(&*store).await;
    put(&*store, "b", "1").await;
    assert_eq!(store.keys(everything(), 10).await.expect("scans"), [key("a"), key("b")]);
    assert_eq!(held.keys(everything(), 10).await.expect("scans"), [key("a")]);
    delete(&*store, "a").await;
    assert_eq!(store.count(everything(), 10).await.expect("counts"), 1);
    assert_eq!(seen(&*store, everything().reversed(), &[]).await, "b");
}
