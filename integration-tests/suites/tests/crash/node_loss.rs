//! A node under pieces that rots, dies for good, is given up, and comes back after all: each step as is told, and as it is on
//! the node's disk.

use crate::nodes::{admin_json, told, verify, whole};
use crate::remote::{Node, add_arguments, admin};
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Fill, Options, until};
use cofre_suites::{BUCKET, contents, put, succeeded, with_bucket};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Objects, and their sizes: whole copies, then pieces of one request and of several.
const OBJECTS: u64 = 12;
const SIZES: [usize; 3] = [3_000, 400_000, 24 << 20];
/// What the blobs of a shard on a node are called.
const BLOBS: &str = "node/blobs";
/// Where a byte of a piece is flipped: beyond its head, in its first block.
const FLIPPED_AT: u64 = 5_000;
/// The longest until a job has done its part.
const JOB_MAX: Duration = Duration::from_secs(120);

fn object(number: u64) -> (String, Vec<u8>) {
    (format!("object-{number:02}"), Fill(number).bytes(SIZES[(number % SIZES.len() as u64) as usize]))
}

fn all_read(cofre: &Cofre) -> Result<()> {
    (0..OBJECTS).map(object).try_for_each(|(key, body)| {
        ensure!(contents(cofre, &key)? == Some(body), "{key} is not what was written");
        Ok(())
    })
}

/// Files of blobs on the disk of a node.
fn blobs(node: &Path) -> Result<Vec<PathBuf>> {
    let folder = node.join(BLOBS);
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn flip(path: &Path) -> Result<()> {
    let file = std::fs::File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, FLIPPED_AT)?;
    Ok(file.write_all_at(&[!byte[0]], FLIPPED_AT)?)
}

/// Where the pieces of an object stand, every byte of each read: all must be whole, and on as many shards.
fn inspect(cofre: &Cofre, key: &str) -> Result<BTreeSet<u64>> {
    let shown = cofre.admin_command(&["inspect", &format!("s3://{BUCKET}/{key}"), "--check"])?;
    let blob = &shown["versions"][0]["blobs"][0];
    let copies = blob["copies"].as_array().with_context(|| shown.to_string())?;
    let whole = copies.iter().filter(|copy| copy["check"]["state"] == "whole");
    let (pieces, shards): (BTreeSet<_>, BTreeSet<_>) =
        whole.filter_map(|copy| Some((copy["piece"].as_u64()?, copy["shard"].as_u64()?))).unzip();
    ensure!(blob["redundancy"] == "ec:4+2" && pieces.len() == 6 && shards.len() == 6, "{shown}");
    Ok(shards)
}

/// Waits until a shard is in a mode.
fn in_mode(cofre: &Cofre, shard: u64, mode: &str) -> Result<()> {
    until(&format!("shard {shard} is {mode}"), JOB_MAX, || {
        Ok((admin_json(cofre, &format!("/v1/shards/{shard}"))?["mode"] == mode).then_some(()))
    })
}

/// What is wrong on a node is found by reading it, and made whole there.
fn rot_is_found_and_healed(cofre: &Cofre, folder: &Path) -> Result<()> {
    let mut stand = blobs(folder)?;
    stand.retain(|path| path.metadata().is_ok_and(|file| file.len() > FLIPPED_AT));
    let (flipped, removed) = stand.split_first().context("pieces on the node")?;
    let removed = removed.first().context("more pieces on the node")?;
    flip(flipped)?;
    std::fs::remove_file(removed)?;
    let found = cofre.admin_lines(&["verify", "--deep"]).err().context("something is wrong")?.to_string();
    ensure!(found.matches("its piece on shard").count() == 2, "one piece is corrupt and one is missing: {found}");
    whole(cofre)?;
    until("the corrupt piece is deleted", JOB_MAX, || {
        Ok((cofre.admin_command(&["job", "run", "reclaim"])?["remaining_objects"] == 0).then_some(()))
    })?;
    verify(cofre)?;
    all_read(cofre)
}

#[test]
fn a_node_under_pieces_rots_dies_is_given_up_and_comes_back() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(5))?;
    for text in ["shard", "a copy"] {
        cofre.log().expect(text);
    }
    let mut node = Node::s3s_fs()?;
    let added = admin(&cofre, &add_arguments(&cofre, &node.endpoint(), node.signer(), "node/")?)?;
    let shard = added["id"].as_u64().with_context(|| added.to_string())?;
    cofre.admin_command(&["settings", "set", "redundancy=ec:4+2", "jobs.heal.busy_share=1"])?;
    for number in 0..OBJECTS {
        let (key, body) = object(number);
        succeeded(cofre.send(put(&key, &body))?)?;
    }
    let (pieces, _) = object(1);
    ensure!(inspect(&cofre, &pieces)?.contains(&shard), "no piece went to the node");
    rot_is_found_and_healed(&cofre, &node.objects()?)?;

    println!("the node dies");
    node.kill()?;
    told(&cofre, shard, "unreachable")?;
    all_read(&cofre)?;
    let health = admin_json(&cofre, "/v1/health")?;
    let away = health["redundancy"]["away_copies"].as_u64();
    ensure!(away > Some(0) && health["status"] == "degraded", "{health}");
    let root = cofre.folder().join("shard-6");
    cofre.admin_command(&["shard", "add", &root.display().to_string()])?;
    cofre.admin_command(&["shard", "declare-dead", &shard.to_string()])?;
    until("nothing is named on the node", JOB_MAX, || {
        let left = |job: &str| anyhow::Ok(cofre.admin_command(&["job", "show", job])?["remaining_objects"].clone());
        Ok((left("rebuild")? == 0 && left("heal")? == 0).then_some(()))
    })?;
    ensure!(!inspect(&cofre, &pieces)?.contains(&shard), "a piece is named on a node that was given up");
    verify(&cofre)?;
    all_read(&cofre)?;

    println!("the node comes back");
    let before = blobs(&node.objects()?)?.len();
    node.start_again()?;
    told(&cofre, shard, "online")?;
    ensure!(before > 0 && blobs(&node.objects()?)?.len() == before, "something was deleted from it unasked");
    cofre.admin_command(&["shard", "take-back", &shard.to_string()])?;
    in_mode(&cofre, shard, "active")?;
    until("what is not needed is deleted from the node", JOB_MAX, || {
        cofre.admin_command(&["job", "run", "reclaim"])?;
        Ok(blobs(&node.objects()?)?.is_empty().then_some(()))
    })?;
    verify(&cofre)?;
    let health: Value = admin_json(&cofre, "/v1/health")?;
    ensure!(health["redundancy"]["away_copies"] == json!(0), "{health}");

    println!("and takes new pieces");
    let (key, body) = object(1);
    let again = until("a piece goes to the node", JOB_MAX, || {
        succeeded(cofre.send(put(&key, &body))?)?;
        Ok(inspect(&cofre, &key)?.contains(&shard).then_some(()))
    });
    again?;
    ensure!(!blobs(&node.objects()?)?.is_empty(), "it is told of a piece that is not there");
    all_read(&cofre)?;
    cofre.stop()
}
