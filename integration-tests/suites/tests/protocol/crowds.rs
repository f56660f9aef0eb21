//! Too much at once from one client, and what others then get.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Connection, Options, Payload, Request};
use cofre_suites::{get, put, refused, succeeded, with_bucket};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(12);

/// A PUT that is in flight for as long as nobody sends its body.
fn held(cofre: &Cofre) -> Result<Connection> {
    let request = put("held", b"").header("host", &cofre.s3().to_string()).header("content-length", "5");
    let mut connection = Connection::open(cofre.s3())?;
    connection.wait_at_most(PATIENCE)?;
    let request = cofre.signer().sign(request, Payload::Unsigned).header("expect", "100-continue");
    connection.write(request.head().as_bytes())?;
    // Its right was looked at: it is in flight.
    ensure!(connection.interim()? == 100);
    Ok(connection)
}

fn end(mut held: Connection) -> Result<()> {
    held.write(b"12345")?;
    succeeded(held.response(false)?).map(drop)
}

#[test]
fn requests_in_flight_are_bounded() -> Result<()> {
    for flag in ["--requests-max", "--requests-per-account-max", "--requests-per-address-max"] {
        let cofre = with_bucket(Options::new().args(&[flag, "2"]))?;
        succeeded(cofre.send(put("object", b"x"))?)?;
        let (first, second) = (held(&cofre)?, held(&cofre)?);
        refused(&cofre.send(get("object"))?, 503, "SlowDown").context(flag)?;
        let anonymous = cofre.send_raw(&get("object").header("host", &cofre.s3().to_string()))?;
        let is_counted = flag != "--requests-per-account-max";
        ensure!(anonymous.status == if is_counted { 503 } else { 403 }, "{flag}: {}", anonymous.text());
        end(first)?;
        succeeded(cofre.send(get("object"))?).context(flag)?;
        end(second)?;
    }
    Ok(())
}

#[test]
fn connections_of_an_address_are_bounded() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--connections-per-address-max", "2"]))?;
    let (first, second) = (held(&cofre)?, held(&cofre)?);
    let mut third = Connection::open(cofre.s3())?;
    third.wait_at_most(PATIENCE)?;
    let response = third.response(false)?;
    ensure!(response.status == 503 && response.code() == "SlowDown", "{response:?}");
    ensure!(third.is_closed());
    // The other listener has its own.
    ensure!(cofre.send_admin(Request::new("GET", "/health/ready"))?.status == 200);
    end(first)?;
    end(second)?;
    cofre_harness::until("there is room again", PATIENCE, || Ok(held(&cofre).ok())).and_then(end)
}

#[test]
fn an_address_has_a_rate_without_a_good_signature() -> Result<()> {
    let cofre = with_bucket(Options::new().args(&["--anonymous-requests-per-second", "1"]))?;
    succeeded(cofre.send(put("object", b"x"))?)?;
    let host = cofre.s3().to_string();
    let mut known = Connection::open(cofre.s3())?;
    let mut signed = || {
        succeeded(known.exchange(&cofre.signer().sign(get("object").header("host", &host), Payload::Signed))?).map(drop)
    };
    signed()?;
    let forged = cofre_harness::Signer::new(&cofre.signer().access_key, "another-secret-that-is-wrong");
    let statuses = (0..20)
        .map(|turn| {
            let request = get("object").header("host", &host);
            let request = if turn % 2 == 0 { request } else { forged.sign(request, Payload::Signed) };
            Ok(cofre.send_raw(&request)?.status)
        })
        .collect::<Result<Vec<_>>>()?;
    ensure!(statuses[0] == 403 && statuses[1] == 403, "{statuses:?}");
    let refused = statuses.iter().filter(|status| **status == 503).count();
    ensure!(refused >= 10, "{statuses:?}");
    // Who has shown a good signature is not held up.
    for _ in 0..20 {
        signed()?;
    }
    Ok(())
}
