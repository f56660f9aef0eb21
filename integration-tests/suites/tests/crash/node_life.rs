//! The life of a remote shard: registered, its key rotated, probed, drained, removed.

use crate::remote::{NODE_BUCKET, Node, add_arguments, admin, secret_file};
use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, DataDir, Fill, Options, Request, Signer, Tool};
use cofre_suites::{contents, make_bucket, put, succeeded, with_bucket};
use serde_json::Value;

/// What `cofre admin` says when it refuses.
fn refused(outcome: Result<Value>) -> Result<String> {
    match outcome {
        Ok(value) => anyhow::bail!("it was not refused: {value}"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

fn id(shard: &Value) -> Result<String> {
    Ok(shard["id"].as_u64().with_context(|| shard.to_string())?.to_string())
}

#[test]
fn a_remote_shard_is_registered_rotated_drained_and_removed() -> Result<()> {
    let mut cofre = with_bucket(Options::new())?;
    cofre.log().expect("shard");
    let Node::Cofre(mut node) = Node::cofre()? else { anyhow::bail!("a Cofre") };
    node.log().expect("shard");
    let endpoint = format!("http://{}", node.s3());
    let add = |signer: &Signer, prefix: &str| admin(&cofre, &add_arguments(&cofre, &endpoint, signer, prefix)?);

    let wrong = Signer::new(&node.signer().access_key, "a wrong secret");
    ensure!(refused(add(&wrong, "node/"))?.contains("secret_access_key"), "a space is no part of a secret");
    let wrong = Signer::new(&node.signer().access_key, "wrongwrongwrong");
    let said = refused(add(&wrong, "node/"))?;
    ensure!(said.contains("403") && !said.contains("wrongwrong"), "{said}");
    ensure!(refused(add(node.signer(), "no-slash"))?.contains("place.prefix"), "the field is named");

    let shard = id(&add(node.signer(), "node/")?)?;
    ensure!(refused(add(node.signer(), "node/"))?.contains("already"), "it is a shard already");
    cofre.admin_command(&["shard", "set", "1", "--read-only", "true"])?;
    for number in 0..20 {
        succeeded(cofre.send(put(&number.to_string(), &Fill(number).bytes(300_000)))?)?;
    }
    let shown = cofre.admin_command(&["shard", "probe", &shard])?;
    ensure!(shown["ok"] == true, "{shown}");
    let shown = cofre.admin_command(&["shard", "show", &shard])?;
    let room = |field: &str| shown["health"][field].as_u64().with_context(|| shown.to_string());
    ensure!(room("total_bytes")? - room("free_bytes")? == 20 * 300_000, "what stands on it is taken off: {shown}");
    ensure!(!shown.to_string().contains(&node.signer().secret_key), "a secret is shown");

    rotate(&cofre, &node, &shard)?;
    cofre.kill()?;
    cofre.start_again()?;
    for number in 0..20 {
        let found = contents(&cofre, &number.to_string())?;
        ensure!(found.as_deref() == Some(&Fill(number).bytes(300_000)[..]), "object {number}");
    }

    cofre.admin_command(&["shard", "set", "1", "--read-only", "false"])?;
    cofre.admin_command(&["shard", "drain", &shard, "--wait"])?;
    succeeded(cofre.send_admin(Request::new("DELETE", &format!("/v1/shards/{shard}")))?)?;
    node.stop()?;
    for number in 0..20 {
        ensure!(contents(&cofre, &number.to_string())?.is_some(), "object {number} is gone with the node");
    }
    Ok(())
}

/// Another key of the node takes the place of the first, which is then refused there.
fn rotate(cofre: &Cofre, node: &Cofre, shard: &str) -> Result<()> {
    let accounts = node.admin_command(&["account", "list"])?;
    let root = accounts.as_array().and_then(|accounts| accounts.first()).context("an account")?;
    let made = node.admin_command(&["key", "create", root["id"].as_str().context("an id")?])?;
    let field = |name: &str| made[name].as_str().with_context(|| made.to_string());
    let old = node.signer().access_key.clone();
    let set = |key: &str, secret: &str| {
        let secret = secret_file(cofre, secret)?;
        cofre.admin_command(&["shard", "set", shard, "--s3-access-key-id", key, "--s3-secret-key-file", &secret])
    };
    let said = refused(set(field("access_key_id")?, "wrongwrongwrong"))?;
    ensure!(said.contains("403"), "{said}");
    let changed = set(field("access_key_id")?, field("secret_access_key")?)?;
    ensure!(changed["place"]["access_key_id"] == field("access_key_id")?, "{changed}");
    ensure!(!changed.to_string().contains(field("secret_access_key")?), "a secret is shown");
    let disable = Request::new("PATCH", &format!("/v1/keys/{old}")).header("content-type", "application/json");
    succeeded(node.send_admin(disable.body(r#"{"disabled":true}"#))?)?;
    let probe = cofre.admin_command(&["shard", "probe", shard])?;
    ensure!(probe["ok"] == true, "{probe}");
    Ok(())
}

#[test]
fn a_bucket_of_the_same_cofre_is_refused() -> Result<()> {
    let mut cofre = Cofre::start(Options::new())?;
    cofre.log().expect("shard");
    make_bucket(&cofre, NODE_BUCKET)?;
    let endpoint = format!("http://{}", cofre.s3());
    for _ in 0..2 {
        let said = refused(admin(&cofre, &add_arguments(&cofre, &endpoint, cofre.signer(), "loop/")?))?;
        ensure!(said.contains("itself"), "{said}");
    }
    ensure!(cofre.admin_command(&["shard", "list"])?.as_array().map(Vec::len) == Some(1), "one shard, as before");
    Ok(())
}

/// A certificate for loopback that signs itself.
fn certificate(folder: &DataDir, name: &str) -> Result<[String; 2]> {
    let path = |kind: &str| folder.path().join(format!("{name}-{kind}.pem")).display().to_string();
    let (cert, key) = (path("cert"), path("key"));
    Tool::new("openssl")
        .args(&["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(&["-subj", "/CN=node", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(&["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &cert])
        .run()?;
    Ok([cert, key])
}

#[test]
fn a_node_behind_tls_is_known_by_its_certificate() -> Result<()> {
    let folder = DataDir::new()?;
    let data = folder.path().join("node");
    let mut plain = Cofre::start(Options::new().data(data.clone()))?;
    make_bucket(&plain, NODE_BUCKET)?;
    let signer = plain.signer().clone();
    plain.stop()?;
    let [cert, key] = certificate(&folder, "node")?;
    let [other, _] = certificate(&folder, "other")?;
    let node = Cofre::start(Options::new().data(data).args(&["--tls-cert", &cert, "--tls-key", &key]))?;

    let mut cofre = with_bucket(Options::new())?;
    cofre.log().expect("shard");
    let add = |certificates: &str| {
        let mut arguments = add_arguments(&cofre, &format!("https://{}", node.s3()), &signer, "")?;
        arguments.extend(["--s3-ca-file".to_owned(), certificates.to_owned()]);
        admin(&cofre, &arguments)
    };
    refused(add(&other))?;
    let shard = id(&add(&cert)?)?;
    cofre.admin_command(&["shard", "set", "1", "--read-only", "true"])?;
    let body = Fill(1).bytes(12 << 20);
    succeeded(cofre.send(put("object", &body))?)?;
    ensure!(contents(&cofre, "object")? == Some(body), "what came back over TLS");
    let shown = cofre.admin_command(&["shard", "show", &shard])?;
    ensure!(shown["health"]["written_bytes"].as_u64() > Some(0), "{shown}");
    Ok(())
}
