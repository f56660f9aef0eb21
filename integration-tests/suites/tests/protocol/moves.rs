//! Data directories and mount points that stand elsewhere than at the last start.

use anyhow::Result;
use cofre_harness::{Cofre, Options};
use cofre_suites::{contents, put, succeeded, with_bucket};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn kept(cofre: &Cofre) -> Result<()> {
    assert_eq!(contents(cofre, "object")?.as_deref(), Some(&b"kept"[..]));
    succeeded(cofre.send(put("again", b"written"))?).map(drop)
}

/// The places of all shards, by number.
fn places(cofre: &Cofre) -> Result<Vec<PathBuf>> {
    let shards = cofre.admin_command(&["shard", "list"])?;
    let shards = shards.as_array().expect("a list").clone();
    Ok(shards.iter().map(|shard| PathBuf::from(shard["place"]["path"].as_str().expect("a path"))).collect())
}

/// What a start says that is refused.
fn refused(cofre: &Cofre, shards: &[&Path]) -> Result<String> {
    let mut command = Command::new(Cofre::binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"]).arg(cofre.data());
    for shard in shards {
        command.arg("--shard").arg(shard);
    }
    let output = command.output()?;
    assert!(!output.status.success());
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_data_directory_is_moved_with_the_shards_in_it() -> Result<()> {
    for named in [false, true] {
        let folder = cofre_harness::DataDir::new()?;
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let options = Options::new().data(a.clone());
        let mut cofre = with_bucket(if named { options.shard(a.join("disk")) } else { options })?;
        succeeded(cofre.send(put("object", b"kept"))?)?;
        cofre.stop()?;
        fs::rename(&a, &b)?;
        cofre.set_data(b.clone());
        // Nothing need name a shard that moves with its catalog.
        cofre.set_shards(Vec::new());
        cofre.start_again()?;
        kept(&cofre)?;
        assert_eq!(places(&cofre)?, [b.join(if named { "disk" } else { "shard-1" })]);
        cofre.stop()?;
    }
    Ok(())
}

#[test]
fn mount_points_that_moved_or_were_mixed_up_are_found_by_identity() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(2).args(&["--redundancy", "replicas:2"]))?;
    succeeded(cofre.send(put("object", b"kept"))?)?;
    let [one, two] = <[PathBuf; 2]>::try_from(cofre.shards()).expect("two shards");
    let (aside, third) = (cofre.folder().join("aside"), cofre.folder().join("three"));
    cofre.stop()?;

    // Mixed up, as mounts are when disks change their names.
    fs::rename(&one, &aside)?;
    fs::rename(&two, &one)?;
    fs::rename(&aside, &two)?;
    cofre.start_again()?;
    kept(&cofre)?;
    assert_eq!(places(&cofre)?, [two.clone(), one.clone()]);
    let events = cofre.admin_command(&["events", "--kind", "shard.changed"])?;
    let told = json!(format!("{} -> {}", one.display(), two.display()));
    let events = events["items"].as_array().expect("a list").clone();
    assert!(events.iter().any(|event| event["subject"] == "1" && event["details"]["path"] == told), "{events:?}");
    cofre.stop()?;

    // At another mount point, which the operator names; the old one is an empty directory.
    fs::rename(&one, &third)?;
    fs::create_dir(&one)?;
    cofre.set_shards(vec![two.clone(), third.clone()]);
    cofre.start_again()?;
    kept(&cofre)?;
    assert_eq!(places(&cofre)?, [two, third]);
    cofre.stop()
}

#[test]
fn a_copy_of_a_shard_is_not_taken_for_the_shard() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(1))?;
    succeeded(cofre.send(put("object", b"kept"))?)?;
    let (shard, copy) = (cofre.shards().remove(0), cofre.folder().join("copy"));
    cofre.stop()?;
    assert!(Command::new("cp").arg("-a").args([&shard, &copy]).status()?.success());
    let said = refused(&cofre, &[&copy])?;
    for told in ["shards: ", "shard 1", shard.to_str().expect("a path"), copy.to_str().expect("a path"), "copy"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    // By another path to it, it is no copy.
    let link = cofre.folder().join("link");
    std::os::unix::fs::symlink(&shard, &link)?;
    cofre.set_shards(vec![link]);
    cofre.start_again()?;
    kept(&cofre)?;
    assert_eq!(places(&cofre)?, std::slice::from_ref(&shard));
    cofre.stop()?;

    // With the old one out of the way, the operator's word counts.
    fs::rename(&shard, cofre.folder().join("old"))?;
    cofre.set_shards(vec![copy.clone()]);
    cofre.start_again()?;
    assert_eq!(places(&cofre)?, [copy]);
    cofre.stop()
}

#[test]
fn an_operator_says_where_a_shard_stands_while_it_serves() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(1))?;
    succeeded(cofre.send(put("object", b"kept"))?)?;
    let (shard, other) = (cofre.shards().remove(0), cofre.folder().join("other"));
    for told in ["a shard is away", "stands elsewhere now"] {
        cofre.log().expect(told);
    }
    let set = |cofre: &Cofre, path: &Path| {
        cofre.admin_command(&["shard", "set", "1", "--path", path.to_str().expect("a path")])
    };
    for (path, told) in [(&other, "there is no shard of this Cofre"), (&cofre.data(), "there is no shard")] {
        let refused = set(&cofre, path).expect_err("it is refused").to_string();
        assert!(refused.contains(told) && refused.contains("path"), "{refused}");
    }
    assert!(Command::new("cp").arg("-a").args([&shard, &other]).status()?.success());
    let refused = set(&cofre, &other).expect_err("a copy is refused").to_string();
    assert!(refused.contains("is a copy"), "{refused}");
    fs::remove_dir_all(&other)?;

    fs::rename(&shard, &other)?;
    let set = set(&cofre, &other)?;
    assert_eq!((&set["place"]["path"], &set["health"]["state"]), (&json!(other), &json!("online")));
    kept(&cofre)?;
    cofre.stop()?;
    // What the settings name still is no shard any more, and becomes none by itself.
    cofre.start_again()?;
    kept(&cofre)?;
    assert_eq!(places(&cofre)?, [other]);
    assert!(cofre.log().text()?.contains("shard 1 stands elsewhere now"));
    cofre.stop()
}
