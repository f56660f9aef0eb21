//! Against a small server that answers as Vault's transit engine does.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cofre_keys::{DEFAULT_KEY, DataKey, KeyError, KeyService, Vault, VaultOptions, VaultToken};
use cofre_runtime::{Random, spawn};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

const TOKEN: &str = "s.token";

/// One key, `photos`; a ciphertext is the plaintext, which no test of Vault itself is.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    let (status, value) = reply(&parts, &body);
    let response = Response::builder().status(status).body(Full::new(Bytes::from(value.to_string())));
    Ok(response.unwrap())
}

fn reply(parts: &hyper::http::request::Parts, body: &Value) -> (u16, Value) {
    let plaintext = BASE64_STANDARD.encode([7; 32]);
    let refuse = |status, why: &str| (status, json!({ "errors": [why] }));
    if parts.headers.get("x-vault-token").unwrap() != TOKEN {
        return refuse(403, "permission denied");
    }
    assert_eq!(parts.method, Method::POST);
    let Some((path, key)) = parts.uri.path().rsplit_once('/') else { return refuse(404, "") };
    if key != "photos" {
        return refuse(400, "encryption key not found");
    }
    match path {
        "/v1/secret/transit/datakey/plaintext" => {
            assert_eq!(body["bits"], 256);
            let ciphertext = format!("vault:v1:{plaintext}");
            (200, json!({ "data": { "plaintext": plaintext, "ciphertext": ciphertext } }))
        }
        "/v1/secret/transit/decrypt" => {
            match body["ciphertext"].as_str().and_then(|text| text.strip_prefix("vault:v1:")) {
                Some(plaintext) => (200, json!({ "data": { "plaintext": plaintext } })),
                None => refuse(400, "invalid ciphertext"),
            }
        }
        _ => refuse(404, ""),
    }
}

async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            drop(spawn(async move { connection.serve_connection(TokioIo::new(socket), service_fn(answer)).await }));
        }
    }));
    format!("http://{address}")
}

fn vault(address: String, token: VaultToken) -> Vault {
    let options = VaultOptions {
        address,
        mount: "/secret/transit/".to_owned(),
        default_key: "photos".to_owned(),
        token,
        ca_file: None,
    };
    Vault::new(options, Random::seeded(1)).unwrap()
}

fn text(token: &str) -> VaultToken {
    VaultToken::Text(Zeroizing::new(token.to_owned()))
}

/// A Vault that does not answer: nothing listens at port 1.
pub fn nowhere() -> Vault {
    vault("http://127.0.0.1:1".to_owned(), text(TOKEN))
}

#[tokio::test]
async fn a_key_opens_what_vault_sealed_in_the_same_context() {
    let vault = vault(serve().await, text(TOKEN));
    let made = vault.generate("photos", b"context").await.unwrap();
    assert!(vault.sealed(&made.sealed));
    let tag = |key: &DataKey| key.entity_tag([0; 16]);
    assert_eq!(tag(&vault.unseal("photos", b"context", &made.sealed).await.unwrap()), tag(&made.key));
    assert_ne!(tag(&vault.unseal("photos", b"other", &made.sealed).await.unwrap()), tag(&made.key));
    // The default key has another name there.
    assert_eq!(tag(&vault.unseal(DEFAULT_KEY, b"context", &made.sealed).await.unwrap()), tag(&made.key));
}

#[tokio::test]
async fn a_key_that_there_is_goes_under_one_of_vault() {
    let vault = vault(serve().await, text(TOKEN));
    let key = DataKey::from_bytes([9; 32]);
    let sealed = vault.seal("photos", b"context", &key).await.unwrap();
    assert!(vault.sealed(&sealed));
    let opened = vault.unseal("photos", b"context", &sealed).await.unwrap();
    assert_eq!(opened.entity_tag([0; 16]), key.entity_tag([0; 16]));
    assert_eq!(vault.unseal("photos", b"other", &sealed).await.unwrap_err(), KeyError::DoesNotOpen);
    for length in 0..sealed.len() {
        vault.unseal("photos", b"context", &sealed[..length]).await.unwrap_err();
    }
    assert_eq!(vault.seal("none", b"", &key).await.unwrap_err(), KeyError::NoSuchKey("none".to_owned()));
}

/// What stood in a catalog opens for ever. `COFRE_GOLDEN_WRITE=1` writes the file if it is missing.
#[tokio::test]
async fn what_vault_sealed_before_opens() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sealed-by-vault.v1.hex");
    let vault = vault(serve().await, text(TOKEN));
    let key = DataKey::from_bytes([9; 32]);
    let made = vault.generate("photos", b"context").await.unwrap();
    if std::env::var_os("COFRE_GOLDEN_WRITE").is_some() && !std::fs::exists(path).unwrap() {
        let sealed = vault.seal("photos", b"context", &key).await.unwrap();
        std::fs::write(path, format!("{}\n{}\n", hex::encode(&made.sealed), hex::encode(sealed))).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    let sealed: Vec<_> = golden.lines().map(|line| hex::decode(line).unwrap()).collect();
    let tag = |key: &DataKey| key.entity_tag([0; 16]);
    for (sealed, key) in sealed.iter().zip([made.key, key]) {
        assert_eq!(tag(&vault.unseal("photos", b"context", sealed).await.unwrap()), tag(&key));
    }
    assert_eq!(sealed.len(), 2);
}

#[tokio::test]
async fn what_vault_refuses_is_told_apart() {
    let address = serve().await;
    let good = vault(address.clone(), text(TOKEN));
    assert_eq!(good.generate("none/../x", b"").await.unwrap_err(), KeyError::NoSuchKey("none/../x".to_owned()));
    assert!(matches!(good.unseal("photos", b"", b"\x03nonsense").await, Err(KeyError::Unavailable(_))));
    let stranger = vault(address, text("s.other"));
    assert!(matches!(stranger.generate("photos", b"").await, Err(KeyError::Refused(why)) if why.contains("denied")));
    assert!(matches!(nowhere().generate("photos", b"").await, Err(KeyError::Unavailable(_))));
}

#[tokio::test]
async fn a_token_comes_from_a_file_and_never_shows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
    let vault = vault(serve().await, VaultToken::File(path.clone()));
    vault.generate("photos", b"").await.unwrap();
    std::fs::write(&path, "s.other").unwrap();
    assert!(matches!(vault.generate("photos", b"").await, Err(KeyError::Refused(_))));
    assert!(!format!("{:?}", nowhere()).contains(TOKEN));
}

#[test]
fn options_that_cannot_be_are_refused() {
    for (address, mount) in [("ftp://v", "transit"), ("v:8200", "transit"), ("http://v", ""), ("http://v", "a?b")] {
        let options = VaultOptions {
            address: address.to_owned(),
            mount: mount.to_owned(),
            default_key: "k".to_owned(),
            token: text(TOKEN),
            ca_file: None,
        };
        assert!(matches!(Vault::new(options, Random::seeded(1)), Err(KeyError::Usage(_))), "{address} {mount}");
    }
}
