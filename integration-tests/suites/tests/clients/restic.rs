use crate::trees;
use anyhow::Result;
use cofre_harness::{Cofre, DataDir, Options, Tool};

fn restic(cofre: &Cofre, arguments: &[&str]) -> Result<String> {
    Tool::new("restic")
        .for_server(cofre)
        .env("RESTIC_REPOSITORY", &format!("s3:http://{}/restic", cofre.s3()))
        .env("RESTIC_PASSWORD", "a password of this test")
        .env("RESTIC_CACHE_DIR", &cofre.folder().join("restic-cache").display().to_string())
        .args(arguments)
        .run()
}

#[test]
fn backs_up_checks_prunes_and_restores() -> Result<()> {
    let cofre = Cofre::start(Options::new().shards(2).args(&["--redundancy", "replicas:2"]))?;
    let (saved, restored) = (DataDir::new()?, DataDir::new()?);
    trees::write(saved.path())?;
    let folder = saved.path().display().to_string();

    restic(&cofre, &["init"])?;
    restic(&cofre, &["backup", &folder])?;
    std::fs::remove_file(saved.path().join("multipart"))?;
    std::fs::write(saved.path().join("new"), "new")?;
    restic(&cofre, &["backup", &folder])?;
    restic(&cofre, &["check", "--read-data"])?;
    restic(&cofre, &["forget", "--keep-last", "1", "--prune"])?;
    restic(&cofre, &["check", "--read-data"])?;
    restic(&cofre, &["restore", "latest", "--target", &restored.path().display().to_string()])?;
    trees::same(saved.path(), &restored.path().join(folder.trim_start_matches('/')))
}
