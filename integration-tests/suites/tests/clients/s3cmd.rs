use crate::trees;
use anyhow::Result;
use cofre_harness::{Cofre, DataDir, Options, Tool};

fn s3cmd(cofre: &Cofre, arguments: &[&str]) -> Result<String> {
    let host = cofre.s3().to_string();
    let config = cofre.folder().join("s3cfg");
    let text = format!(
        "[default]\naccess_key = {}\nsecret_key = {}\nhost_base = {host}\nhost_bucket = {host}\nuse_https = False\n\
         multipart_chunk_size_mb = 5\n",
        cofre.signer().access_key,
        cofre.signer().secret_key
    );
    std::fs::write(&config, text)?;
    Tool::new("s3cmd").for_server(cofre).arg("--config").arg(config).args(arguments).run()
}

#[test]
fn puts_syncs_and_deletes() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let (sent, got) = (DataDir::new()?, DataDir::new()?);
    trees::write(sent.path())?;
    let (from, to) = (format!("{}/", sent.path().display()), format!("{}/", got.path().display()));
    s3cmd(&cofre, &["mb", "s3://s3cmd"])?;
    s3cmd(&cofre, &["sync", &from, "s3://s3cmd/tree/"])?;
    s3cmd(&cofre, &["sync", "s3://s3cmd/tree/", &to])?;
    trees::same(sent.path(), got.path())?;

    s3cmd(&cofre, &["cp", "s3://s3cmd/tree/block", "s3://s3cmd/copied"])?;
    s3cmd(&cofre, &["mv", "s3://s3cmd/copied", "s3://s3cmd/moved"])?;
    let info = s3cmd(&cofre, &["info", "s3://s3cmd/moved"])?;
    assert!(info.contains("65536"), "{info}");
    let listed = s3cmd(&cofre, &["ls", "s3://s3cmd"])?;
    assert!(listed.contains("s3://s3cmd/moved") && listed.contains("DIR"), "{listed}");
    s3cmd(&cofre, &["del", "--recursive", "--force", "s3://s3cmd"])?;
    s3cmd(&cofre, &["rb", "s3://s3cmd"])?;
    assert_eq!(s3cmd(&cofre, &["ls"])?, "");
    Ok(())
}
