//! The walks that are written in Python: `aws s3api` and boto3, each script against a server of its own.

use anyhow::Result;
use cofre_harness::{Account, Cofre, Options, Tool};
use std::path::Path;

/// Runs a script of `integration-tests/clients`, with what `prepare` adds to its environment.
fn script(name: &str, options: Options, prepare: impl FnOnce(&Cofre, Tool) -> Result<Tool>) -> Result<()> {
    let cofre = Cofre::start(options)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients").join(name);
    // Nor may it litter the tree.
    let tool = Tool::python("python").arg("-B").arg(path).for_server(&cofre);
    let said = prepare(&cofre, tool)?.run()?;
    // A script that checks nothing must not pass.
    assert!(said.contains(" checks passed") && !said.contains("\n0 checks"), "{said}");
    Ok(())
}

fn plain(name: &str) -> Result<()> {
    script(name, Options::new(), |_, tool| Ok(tool))
}

fn account(cofre: &Cofre, name: &str) -> Result<Account> {
    cofre.create_account(name, &format!("{name}@example.com"))
}

/// Makes a second account, and tells the script of it.
fn with_other(cofre: &Cofre, tool: Tool) -> Result<Tool> {
    let signer = account(cofre, "other")?.signer;
    Ok(tool.env("OTHER_ACCESS_KEY_ID", &signer.access_key).env("OTHER_SECRET_ACCESS_KEY", &signer.secret_key))
}

#[test]
fn boto_objects() -> Result<()> {
    plain("boto_objects.py")
}

#[test]
fn boto_multipart() -> Result<()> {
    script("boto_multipart.py", Options::new().shards(2), |_, tool| Ok(tool))
}

#[test]
fn boto_checksums() -> Result<()> {
    plain("boto_checksums.py")
}

#[test]
fn boto_listings() -> Result<()> {
    plain("boto_listings.py")
}

#[test]
fn boto_encryption() -> Result<()> {
    script("boto_encryption.py", Options::new().args(&["--allow-insecure-sse-c"]), |cofre, tool| {
        let data = cofre.data().display().to_string();
        Tool::from_path(&Cofre::binary()).args(&["encryption-keys", "create", "walks", "--data", &data]).run()?;
        Ok(tool.env("KMS_KEY", "walks"))
    })
}

#[test]
fn boto_abac() -> Result<()> {
    script("boto_abac.py", Options::new(), with_other)
}

#[test]
fn boto_forms() -> Result<()> {
    plain("boto_forms.py")
}

/// Neither account is the root one, which may do everything.
#[test]
fn boto_accounts() -> Result<()> {
    script("boto_accounts.py", Options::new(), |cofre, tool| {
        let owner = account(cofre, "owner")?.signer;
        with_other(cofre, tool.for_endpoint(cofre.s3(), &owner, cofre.folder()))
    })
}

#[test]
fn boto_lifecycle() -> Result<()> {
    script("boto_lifecycle.py", Options::new(), |cofre, tool| {
        cofre.admin_command(&["settings", "set", "timers.lifecycle_day_secs=1", "storage_classes.COLD=replicas:1"])?;
        Ok(tool)
    })
}

#[test]
fn boto_quotas() -> Result<()> {
    script("boto_quotas.py", Options::new(), |cofre, tool| {
        cofre.send(cofre_harness::Request::new("PUT", "/boto3"))?;
        cofre.admin_command(&["bucket", "quota", "boto3", "--bytes", "1048576", "--objects", "10"])?;
        let tool = with_other(cofre, tool)?;
        cofre.admin_command(&["account", "quota", "other", "--bytes", "2097152"])?;
        Ok(tool)
    })
}

#[test]
fn boto_cors() -> Result<()> {
    plain("boto_cors.py")
}

#[test]
fn aws_configs() -> Result<()> {
    plain("aws_configs.py")
}

#[test]
fn aws_access() -> Result<()> {
    script("aws_access.py", Options::new(), with_other)
}

#[test]
fn aws_website() -> Result<()> {
    let options = Options::new().args(&["--website-domain", "web.test"]);
    script("aws_website.py", options, |_, tool| Ok(tool.env("WEBSITE_DOMAIN", "web.test")))
}

#[test]
fn aws_objects() -> Result<()> {
    plain("aws_objects.py")
}

#[test]
fn aws_versions() -> Result<()> {
    plain("aws_versions.py")
}

#[test]
fn aws_locks() -> Result<()> {
    plain("aws_locks.py")
}

#[test]
fn aws_multipart() -> Result<()> {
    plain("aws_multipart.py")
}

#[test]
fn aws_logging() -> Result<()> {
    script("aws_logging.py", Options::new(), |cofre, tool| {
        cofre.admin_command(&["settings", "set", "timers.access_log_delivery_secs=1"])?;
        Ok(tool)
    })
}
