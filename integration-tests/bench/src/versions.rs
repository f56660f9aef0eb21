//! A million versions: what a page of them costs.

use crate::contender::Contender;
use crate::crowd::{fill, make_bucket};
use crate::report::millis;
use crate::workload::{BUCKET, Body, PAGE_KEYS};
use anyhow::{Result, ensure};
use cofre_harness::{Connection, Payload, Request};
use cofre_runtime::{Clock, Random};

/// Bytes of an object.
const OBJECT_BYTES: usize = 1 << 10;
/// Versions of a key.
const VERSIONS_OF_KEY: u64 = 10;
/// Pages that are measured.
const PAGES: usize = 200;
const ENABLE: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

/// Puts `versions` versions and measures pages of 1,000 from any place.
pub fn run(versions: u64) -> Result<()> {
    let cofre = Contender::cofre()?;
    make_bucket(&cofre)?;
    cofre.send(Request::new("PUT", &format!("/{BUCKET}?versioning")).body(ENABLE))?;
    let keys = versions / VERSIONS_OF_KEY;
    let body = Body::new(1, OBJECT_BYTES);
    fill(&cofre, 0, versions, |index| format!("k{:07}", index % keys), |_| &body)?;

    let random = Random::seeded(versions);
    let clock = Clock::system();
    let mut connection = Connection::open(cofre.address)?;
    let mut took = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let after = random.below(keys - PAGE_KEYS);
        let target = format!("/{BUCKET}?versions&max-keys={PAGE_KEYS}&key-marker=k{after:07}");
        let request = Request::new("GET", &target).header("host", &cofre.address.to_string());
        let signed = cofre.signer.sign(request, Payload::Signed);
        let begin = clock.elapsed();
        let response = connection.exchange(&signed)?;
        took.push(clock.elapsed() - begin);
        let found = response.text().matches("<Version>").count() as u64;
        ensure!(response.status == 200 && found == PAGE_KEYS, "status {}, {found} versions", response.status);
    }
    took.sort_unstable();
    let (median, p99) = (took[PAGES / 2], took[PAGES * 99 / 100]);
    println!("{versions} versions of {keys} keys: page of 1,000 median {}, p99 {}", millis(median), millis(p99));
    Ok(())
}
