//! A lifecycle rule ends very many objects: what clients feel of it, and what memory it takes.

use crate::contender::Contender;
use crate::crowd::{fill, make_bucket};
use crate::paced;
use crate::report::mib;
use crate::workload::{BUCKET, Body, SMALL_BYTES};
use anyhow::{Result, ensure};
use cofre_harness::Request;
use cofre_runtime::Clock;
use std::time::Duration;

/// Bytes of an object that ends.
const OBJECT_BYTES: usize = 1 << 10;
/// How long the rate is looked for.
const AT_MOST: Duration = Duration::from_secs(8);
/// How long the writers are measured before the rule is set: a disk stalls now and then by itself.
const IDLE: Duration = Duration::from_secs(30);
/// Time between two looks at the bucket.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Ends what is a day old under the prefix.
const RULE: &str = "<LifecycleConfiguration><Rule><ID>end</ID><Status>Enabled</Status><Filter><Prefix>old/</Prefix>\
                    </Filter><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";

/// Puts `objects` and lets a rule end them, while clients write at half of the load that the server can take.
pub fn run(objects: u64) -> Result<()> {
    let cofre = Contender::cofre()?;
    make_bucket(&cofre)?;
    let body = Body::new(1, OBJECT_BYTES);
    fill(&cofre, 0, objects, |index| format!("old/{index:07}"), |_| &body)?;
    let body = Body::new(3, SMALL_BYTES);
    fill(&cofre, 0, paced::KEYS, paced::key, |_| &body)?;
    let half = Some(paced::write_for(&cofre, &body, None, AT_MOST)?.rate() / 2.0);
    let idle = paced::write_for(&cofre, &body, half, IDLE)?;
    idle.show("before");
    let rss = cofre.usage()?.rss_bytes;

    cofre.admin(&["settings", "set", "timers.lifecycle_day_secs=1"])?;
    cofre.send(Request::new("PUT", &format!("/{BUCKET}?lifecycle")).body(RULE))?;
    let clock = Clock::system();
    let mut most = 0;
    let ended = || {
        std::thread::sleep(LOOK_INTERVAL);
        most = most.max(cofre.usage()?.rss_bytes);
        let bucket = cofre.admin_get(&format!("/v1/buckets/{BUCKET}"))?;
        Ok(bucket["usage"]["objects"] == paced::KEYS)
    };
    let during = paced::write(&cofre, &body, half, ended)?;
    during.show("while objects ended");
    println!(
        "{objects} objects ended in {:.0} s; p99 over idle {:.2}; RSS {:.0} MiB before, at most {:.0}",
        clock.elapsed().as_secs_f64(),
        during.p99().as_secs_f64() / idle.p99().as_secs_f64(),
        mib(rss),
        mib(most)
    );
    let listed = cofre.send(Request::new("GET", &format!("/{BUCKET}?list-type=2&prefix=old%2F")))?;
    ensure!(!listed.text().contains("<Key>"), "objects are left that the rule ends");
    Ok(())
}
