//! A million small objects: what memory, a restart and a page of a listing cost then.

use crate::contender::Contender;
use crate::crowd::{fill, make_bucket};
use crate::load::Client;
use crate::report::{mib, millis};
use crate::workload::{Ask, Body, Listed};
use anyhow::Result;
use cofre_runtime::{Clock, Random};
use std::time::Duration;

/// Bytes of an object.
const OBJECT_BYTES: usize = 1 << 10;
/// Objects of a folder: so few that a page of folders is full at 10,000 objects too.
const FOLDER_KEYS: u64 = 5;
/// The listing that a larger one is held against.
const FEW: Listed = Listed { keys: 10_000, folder_keys: FOLDER_KEYS };
/// Pages of which the median is shown.
const PAGES: usize = 200;

/// Puts `keys` objects and prints what they cost.
pub fn run(keys: u64) -> Result<()> {
    let many = Listed { keys, folder_keys: FOLDER_KEYS };
    let mut cofre = Contender::cofre()?;
    let body = Body::new(1, OBJECT_BYTES);
    println!("idle: RSS {:.0} MiB", mib(cofre.usage()?.rss_bytes));

    make_bucket(&cofre)?;
    fill(&cofre, 0, FEW.keys, |index| many.key(index), |_| &body)?;
    let few = pages(&cofre, FEW)?;

    let clock = Clock::system();
    fill(&cofre, FEW.keys, keys, |index| many.key(index), |_| &body)?;
    println!("put at {:.0} a second", (keys - FEW.keys) as f64 / clock.elapsed().as_secs_f64());
    let all = pages(&cofre, many)?;
    let over = |few: Duration, all: Duration| all.as_secs_f64() / few.as_secs_f64();
    println!(
        "{keys} objects over {}: page of keys {:.2}, page of common prefixes {:.2}",
        FEW.keys,
        over(few.keys, all.keys),
        over(few.folders, all.folders)
    );

    println!("stopped, and ready again in {}", millis(cofre.restart(true)?));
    pages(&cofre, many)?;
    println!("killed, and ready again in {}", millis(cofre.restart(false)?));
    pages(&cofre, many).map(drop)
}

/// Medians.
struct Pages {
    keys: Duration,
    folders: Duration,
}

/// Measures pages of 1,000 keys, and of 1,000 common prefixes, from any place.
fn pages(cofre: &Contender, listed: Listed) -> Result<Pages> {
    let mut client = Client::open(cofre)?;
    let random = Random::seeded(listed.keys);
    let mut median = |ask: &dyn Fn() -> Ask<'static>| {
        let clock = Clock::system();
        let mut took = Vec::with_capacity(PAGES);
        for _ in 0..PAGES {
            let ask = ask();
            let begin = clock.elapsed();
            client.ask("", &ask, true)?;
            took.push(clock.elapsed() - begin);
        }
        took.sort_unstable();
        anyhow::Ok(took[PAGES / 2])
    };
    let pages =
        Pages { keys: median(&|| listed.any_page(&random))?, folders: median(&|| listed.any_folders(&random))? };
    let usage = cofre.usage()?;
    println!(
        "{} objects: page of 1,000 keys {}, of 1,000 common prefixes {}; RSS {:.0} MiB, at most {:.0}",
        listed.keys,
        millis(pages.keys),
        millis(pages.folders),
        mib(usage.rss_bytes),
        mib(usage.rss_bytes_max)
    );
    Ok(pages)
}
