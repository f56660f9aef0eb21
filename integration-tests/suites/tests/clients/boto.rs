use anyhow::Result;
use cofre_harness::{Cofre, Options, Tool};
use std::path::Path;

fn script(name: &str, options: Options) -> Result<()> {
    let cofre = Cofre::start(options)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients").join(name);
    let said = Tool::python("python").arg(path).for_server(&cofre).run()?;
    // A script that checks nothing must not pass.
    assert!(said.contains(" checks passed") && !said.contains("\n0 checks"), "{said}");
    Ok(())
}

#[test]
fn objects() -> Result<()> {
    script("boto_objects.py", Options::new())
}

#[test]
fn multipart() -> Result<()> {
    script("boto_multipart.py", Options::new().shards(2))
}

#[test]
fn checksums() -> Result<()> {
    script("boto_checksums.py", Options::new())
}

#[test]
fn listings() -> Result<()> {
    script("boto_listings.py", Options::new())
}
