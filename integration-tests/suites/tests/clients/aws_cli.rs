use crate::trees;
use anyhow::Result;
use cofre_harness::{Cofre, DataDir, Options, Tool};

fn aws(cofre: &Cofre, arguments: &[&str]) -> Result<String> {
    Tool::python("aws").for_server(cofre).args(arguments).run()
}

#[test]
fn copies_syncs_and_removes_trees() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let (sent, got) = (DataDir::new()?, DataDir::new()?);
    trees::write(sent.path())?;
    let (from, to) = (sent.path().display().to_string(), got.path().display().to_string());

    aws(&cofre, &["s3", "mb", "s3://cli"])?;
    aws(&cofre, &["s3", "cp", "--recursive", "--quiet", &from, "s3://cli/tree"])?;
    aws(&cofre, &["s3", "sync", "--quiet", "s3://cli/tree", &to])?;
    trees::same(sent.path(), got.path())?;

    // A second sync finds nothing to do, either way.
    assert_eq!(aws(&cofre, &["s3", "sync", &from, "s3://cli/tree"])?, "");
    std::fs::remove_file(sent.path().join("multipart"))?;
    assert!(
        aws(&cofre, &["s3", "sync", "--delete", &from, "s3://cli/tree"])?.contains("delete: s3://cli/tree/multipart")
    );

    aws(&cofre, &["s3", "mv", "s3://cli/tree/block", "s3://cli/moved"])?;
    let listed = aws(&cofre, &["s3", "ls", "--recursive", "s3://cli"])?;
    assert!(listed.contains(" 65536 moved") && !listed.contains("tree/block\n"), "{listed}");
    aws(&cofre, &["s3", "rb", "--force", "s3://cli"])?;
    assert_eq!(aws(&cofre, &["s3", "ls"])?, "");
    Ok(())
}

#[test]
fn presigns_for_others() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let folder = DataDir::new()?;
    let file = folder.path().join("file");
    std::fs::write(&file, "for others")?;
    aws(&cofre, &["s3", "mb", "s3://cli"])?;
    aws(&cofre, &["s3", "cp", &file.display().to_string(), "s3://cli/a b+c"])?;
    // For this region the CLI signs links as it did before 2014, which AWS takes for old buckets only.
    aws(&cofre, &["configure", "set", "default.s3.signature_version", "s3v4"])?;
    let link = aws(&cofre, &["s3", "presign", "s3://cli/a b+c"])?;
    let read = Tool::new("curl").args(&["--silent", "--show-error", "--fail", link.trim()]).run()?;
    assert_eq!(read, "for others");
    Ok(())
}

#[test]
fn reports_errors_as_people_know_them() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    aws(&cofre, &["s3", "mb", "s3://cli"])?;
    for (arguments, code) in [
        (vec!["s3api", "get-object", "--bucket", "cli", "--key", "missing", "/dev/null"], "NoSuchKey"),
        (vec!["s3api", "list-objects-v2", "--bucket", "missing-bucket"], "NoSuchBucket"),
        (vec!["s3api", "get-bucket-policy", "--bucket", "cli"], "NoSuchBucketPolicy"),
        (vec!["s3api", "get-bucket-tagging", "--bucket", "cli"], "NoSuchTagSet"),
        (vec!["s3api", "get-bucket-lifecycle-configuration", "--bucket", "cli"], "NoSuchLifecycleConfiguration"),
    ] {
        let error = aws(&cofre, &arguments).expect_err("it fails").to_string();
        assert!(error.contains(code), "{arguments:?}: {error}");
    }
    Ok(())
}
