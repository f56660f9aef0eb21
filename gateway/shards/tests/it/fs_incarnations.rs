//! What a shard remembers of the catalog that it served.

use crate::fs_compact::{Ledger, fill, options, thin_out};
use crate::samples::*;
use cofre_shards::{Backend, FsOptions};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_of_another_incarnation_of_the_catalog_count_for_nothing() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 20).await;
    let all = ledger.live.lock().unwrap().clone();
    thin_out(&shard, &ledger, 20, 4).await;
    drop(shard);
    let restored = FsOptions { incarnation: [7; 16], ..options() };
    for (options, listed) in [(options(), 5), (restored.clone(), 20), (restored.clone(), 20)] {
        let shard = root.open_with(options);
        assert_eq!(list_all(&shard).await.len(), listed);
        for (blob, at) in &all {
            let deleted = !ledger.live.lock().unwrap().contains_key(blob);
            assert_eq!(shard.is_deleted(*blob, at).await.unwrap(), deleted && listed == 5);
        }
    }
    // What is deleted from now on stays so, also over a file that says which incarnation it is and is torn later.
    let shard = root.open_with(restored.clone());
    shard.delete(vec![(blob(3), all[&blob(3)].clone())]).await.unwrap();
    drop(shard);
    assert_eq!(list_all(&root.open_with(restored.clone())).await.len(), 19);
    fs::write(root.path().join("cofre-incarnation"), "cofre").unwrap();
    assert_eq!(list_all(&root.open_with(restored)).await.len(), 20);
}
