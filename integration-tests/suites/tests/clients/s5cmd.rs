use crate::trees;
use anyhow::Result;
use cofre_harness::{Cofre, DataDir, Options, Tool};

fn s5cmd(cofre: &Cofre, arguments: &[&str]) -> Result<String> {
    let endpoint = format!("http://{}", cofre.s3());
    Tool::python("s5cmd")
        .for_server(cofre)
        .env("S3_ENDPOINT_URL", &endpoint)
        .args(&["--retry-count", "0", "--log", "error"])
        .args(arguments)
        .run()
}

#[test]
fn copies_many_files_at_once() -> Result<()> {
    let cofre = Cofre::start(Options::new())?;
    let (sent, got) = (DataDir::new()?, DataDir::new()?);
    trees::write(sent.path())?;
    for number in 0..300 {
        std::fs::write(sent.path().join(format!("many-{number}")), number.to_string())?;
    }
    s5cmd(&cofre, &["mb", "s3://s5cmd"])?;
    s5cmd(&cofre, &["cp", "--part-size", "5", &format!("{}/", sent.path().display()), "s3://s5cmd/tree/"])?;
    s5cmd(&cofre, &["sync", "s3://s5cmd/tree/*", &format!("{}/", got.path().display())])?;
    trees::same(sent.path(), got.path())?;
    s5cmd(&cofre, &["rm", "s3://s5cmd/*"])?;
    s5cmd(&cofre, &["rb", "s3://s5cmd"])?;
    Ok(())
}
