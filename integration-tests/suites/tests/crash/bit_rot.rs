use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Fill, Options, Request, until};
use cofre_suites::{get, put, succeeded, with_bucket};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Sizes on both sides of the bound between packs and files of their own.
const SIZES: [usize; 4] = [100, 40_000, 700_000, 6 << 20];
/// Objects of each size.
const OBJECTS: u64 = 4;
/// Bytes between two that are flipped: every block has one at least.
const FLIP_EVERY: u64 = 4_001;

/// Passes of the healing job after which what was reported before them is healed.
const HEAL_PASSES: u64 = 2;
/// Threads that read at the same time.
const READERS: usize = 6;
/// Objects that are sure to be hit: all but the smallest.
const ROTTEN_MIN: u64 = (SIZES.len() as u64 - 1) * OBJECTS;

/// The value of a field of a JSON document that has it once.
fn number(json: &str, field: &str) -> Result<u64> {
    let rest = json.split(&format!("\"{field}\":")).nth(1).with_context(|| format!("no {field} in {json}"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("{field} is no number in {json}"))
}

/// How many blobs the log says have a bad copy.
fn found_bad(log: &str) -> u64 {
    let lines = log.lines().filter(|line| line.contains("a copy is bad"));
    let blobs = lines.filter_map(|line| line.split("\"blob\":\"").nth(1)?.split('"').next());
    blobs.collect::<std::collections::BTreeSet<_>>().len() as u64
}

fn objects() -> impl Iterator<Item = (String, Vec<u8>)> {
    SIZES
        .into_iter()
        .flat_map(|size| (0..OBJECTS).map(move |number| (format!("{size}-{number}"), Fill(number).bytes(size))))
}

fn fill(cofre: &Cofre) -> Result<()> {
    for (key, body) in objects() {
        succeeded(cofre.send(put(&key, &body))?)?;
    }
    Ok(())
}

/// Flips bytes of every file of a shard that holds contents.
fn rot(shard: &Path) -> Result<usize> {
    let mut flipped = 0;
    for path in files(shard)? {
        let file = File::options().read(true).write(true).open(&path)?;
        let length = file.metadata()?.len();
        // What is too short for content is the shard's identity, which a start checks.
        if length < FLIP_EVERY {
            continue;
        }
        for at in (FLIP_EVERY / 2..length).step_by(usize::try_from(FLIP_EVERY)?) {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at)?;
            // Preallocated room holds nothing.
            if byte != [0] {
                file.write_all_at(&[!byte[0]], at)?;
                flipped += 1;
            }
        }
    }
    Ok(flipped)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads everything from many threads; all of it must be right.
fn read_all_at_once(cofre: &Cofre) -> Result<()> {
    std::thread::scope(|scope| {
        let read = || {
            objects().try_for_each(|(key, body)| {
                let response = succeeded(cofre.send(get(&key))?)?;
                ensure!(response.body == body, "{key} came back as something else");
                Ok(())
            })
        };
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("a reader does not panic"))
    })
}

#[test]
fn a_rotten_copy_is_never_served_and_is_made_anew() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(2).args(&["--redundancy", "replicas:2"]))?;
    fill(&cofre)?;
    let shards = cofre.shards();
    ensure!(rot(&shards[0])? > 100, "nothing was flipped");
    cofre.log().expect("a copy is bad");
    // Reads go to the less busy shard, so many at once find the rotten copies sooner or later.
    until("every rotten copy is found", Duration::from_secs(300), || {
        read_all_at_once(&cofre)?;
        Ok((found_bad(&cofre.log().text()?) >= ROTTEN_MIN).then_some(()))
    })?;
    let heal = |cofre: &Cofre| succeeded(cofre.send_admin(Request::new("GET", "/v1/jobs/heal"))?);
    let passes = number(&heal(&cofre)?.text(), "passes")?;
    until("every rotten copy is made anew", Duration::from_secs(180), || {
        succeeded(cofre.send_admin(Request::new("POST", "/v1/jobs/heal/wake"))?)?;
        let health = succeeded(cofre.send_admin(Request::new("GET", "/v1/health"))?)?.text();
        let ended = number(&heal(&cofre)?.text(), "passes")? >= passes + HEAL_PASSES;
        Ok((ended && number(&health, "waiting_blobs")? == 0).then_some(()))
    })?;
    // Now the other shard rots: only what was healed can be right.
    ensure!(rot(&shards[1])? > 100, "nothing was flipped");
    for (key, body) in objects() {
        let response = succeeded(cofre.send(get(&key))?)?;
        ensure!(response.body == body, "healed {key} came back as something else");
    }
    Ok(())
}

#[test]
fn the_only_copy_is_an_error_when_it_rots_and_never_wrong_bytes() -> Result<()> {
    let mut cofre = with_bucket(Options::new().shards(1))?;
    fill(&cofre)?;
    ensure!(rot(&cofre.shards()[0])? > 100, "nothing was flipped");
    for text in ["a copy is bad", "content could not be read"] {
        cofre.log().expect(text);
    }
    let mut refused = 0;
    for (key, body) in objects() {
        match cofre.send(get(&key)) {
            // A head that promised too much is taken back by an end that comes too early.
            Err(error) => {
                ensure!(error.to_string().contains("short") || error.to_string().contains("read"), "{key}: {error:#}");
                refused += 1;
            }
            Ok(response) if response.status == 200 => {
                ensure!(response.body == body, "{key} came back as something else");
            }
            Ok(response) => {
                ensure!(
                    response.status == 500 || response.status == 503,
                    "{key}: {} {}",
                    response.status,
                    response.text()
                );
                refused += 1;
            }
        }
    }
    ensure!(refused >= ROTTEN_MIN, "only {refused} objects were touched by the rot");
    // The server goes on: what is new is whole.
    succeeded(cofre.send(put("new", b"new"))?)?;
    ensure!(succeeded(cofre.send(get("new"))?)?.body == b"new");
    Ok(())
}
