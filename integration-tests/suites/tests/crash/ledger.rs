//! What clients were told, and what may therefore be found afterwards.

use crate::target::{Change, Contents, Place, Target, Told, bare};
use anyhow::{Context, Result, bail, ensure};
use cofre_harness::{Cofre, Connection, Fill, Payload, Request};
use cofre_runtime::Random;
use cofre_suites::{BUCKET, make_bucket, succeeded};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// A bucket whose keys keep their versions.
const VERSIONED: &str = "suite-versions";
/// Keys of each client in each bucket: few, so that they are overwritten and deleted often.
const KEYS: u64 = 40;
const VERSIONED_KEYS: u64 = 8;
/// Versions of a key, from which on one of them is deleted rather than another made.
const VERSIONS_MAX: usize = 4;
/// Sizes of objects: nothing, packed blobs, a block and its neighbour, a file of its own.
const SIZES: [usize; 7] = [0, 1, 4_096, 65_536, 65_537, 300_000, 3 << 20];
/// One request of this many is a delete, one is an upload in parts, one a copy, one goes to the other bucket.
const DELETE_EVERY: u64 = 6;
const PARTS_EVERY: u64 = 15;
const COPY_EVERY: u64 = 5;
const VERSIONED_EVERY: u64 = 3;

/// What is known of a state of a key, or of one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// It was acknowledged.
    Acknowledged,
    /// What makes it was never answered.
    MaybeThere,
    /// What deletes it was never answered.
    MaybeGone,
}

/// A state of a key, or one of its versions.
#[derive(Debug, Clone)]
struct State {
    contents: Contents,
    /// As it was told; absent if it was not.
    etag: Option<String>,
    version: Option<String>,
    proof: Proof,
}

/// What stands under a key.
#[derive(Debug)]
struct Found {
    version: Option<String>,
    etag: Option<String>,
    /// Absent where nothing is there, or a delete marker.
    body: Option<Vec<u8>>,
}

impl State {
    fn is(&self, found: &Found) -> bool {
        let same = match (self.contents, &found.body) {
            (Some((seed, size)), Some(body)) => body.len() == size && *body == Fill(seed).bytes(size),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let told = |told: &Option<String>, found: &Option<String>| told.is_none() || told == found;
        same && told(&self.version, &found.version) && told(&self.etag, &found.etag)
    }

    /// What is known once it was found.
    fn proved(&self, found: &Found) -> Self {
        let (etag, version) = (found.etag.clone(), found.version.clone());
        Self { contents: self.contents, etag, version, proof: Proof::Acknowledged }
    }
}

/// The states of one key, the oldest first. Without versions only the last acknowledged one and those behind it count.
type States = Vec<State>;

/// Everything that was promised. Each key belongs to one client, so its requests have an order.
#[derive(Debug, Default)]
pub struct Ledger {
    states: Mutex<BTreeMap<Place, States>>,
    versions: bool,
}

impl Ledger {
    /// One whose clients also write to a bucket with versions, which this makes.
    pub fn with_versions(cofre: &Cofre) -> Result<Self> {
        make_bucket(cofre, VERSIONED)?;
        let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        succeeded(cofre.send(Request::new("PUT", &format!("/{VERSIONED}?versioning")).body(enabled))?)?;
        Ok(Self { versions: true, ..Self::default() })
    }

    /// Requests of one client, until the server does not answer or the target is over. Gives how many it acknowledged.
    ///
    /// An answer that refuses is handed to `refusal`, which says whether it is to be expected.
    pub fn work(&self, target: &Target, client: u64, random: &Random, refusal: impl Fn(u16) -> bool) -> Result<u64> {
        let mut acknowledged = 0;
        while let Ok(mut connection) = Connection::open(target.address) {
            while !target.is_over() {
                let place = self.some_place(client, random);
                let change = self.some_change(&place, client, random)?;
                self.ask(&place, &change);
                let Ok(told) = target.change(&mut connection, &place, &change) else { break };
                if told.status < 300 {
                    acknowledged += 1;
                    self.acknowledge(&place, &change, told);
                } else {
                    ensure!(refusal(told.status), "the server answered {} for {place:?}: {change:?}", told.status);
                    break;
                }
            }
            if target.is_over() {
                break;
            }
        }
        Ok(acknowledged)
    }

    fn some_place(&self, client: u64, random: &Random) -> Place {
        let (bucket, keys) = match self.versions && random.below(VERSIONED_EVERY) == 0 {
            true => (VERSIONED, VERSIONED_KEYS),
            false => (BUCKET, KEYS),
        };
        Place { bucket, key: format!("client-{client}/{}", random.below(keys)) }
    }

    fn some_change(&self, place: &Place, client: u64, random: &Random) -> Result<Change> {
        if place.bucket == VERSIONED {
            let all = self.states.lock();
            let versions: Vec<_> = all.get(place).into_iter().flatten().filter_map(|s| s.version.clone()).collect();
            if versions.len() >= VERSIONS_MAX {
                let at = usize::try_from(random.below(versions.len() as u64))?;
                return Ok(Change::DeleteVersion(versions[at].clone()));
            }
        }
        if random.below(DELETE_EVERY) == 0 {
            return Ok(Change::Delete);
        }
        if random.below(COPY_EVERY) == 0
            && let Some(copy) = self.some_copy(place, client, random)
        {
            return Ok(copy);
        }
        let (seed, size) = (random.u64(), SIZES[usize::try_from(random.below(SIZES.len() as u64))?]);
        let in_parts = size > 0 && random.below(PARTS_EVERY) == 0;
        Ok(if in_parts { Change::Upload(seed, size) } else { Change::Put(seed, size) })
    }

    /// A copy of something that is sure to be there.
    fn some_copy(&self, to: &Place, client: u64, random: &Random) -> Option<Change> {
        let from = self.some_place(client, random);
        let all = self.states.lock();
        let states = all.get(&from).filter(|_| from != *to)?;
        let sure = |state: &&State| state.proof == Proof::Acknowledged && state.contents.is_some();
        let source = match from.bucket {
            VERSIONED => states.iter().find(sure)?,
            // What was not answered may stand in its place by now.
            _ => states.iter().find(sure).filter(|_| states.len() == 1)?,
        };
        let (version, contents) = (source.version.clone(), source.contents);
        Some(Change::Copy { from, version, contents })
    }

    /// A request is about to be sent.
    fn ask(&self, place: &Place, change: &Change) {
        let mut all = self.states.lock();
        let states = all.entry(place.clone()).or_default();
        match change {
            Change::DeleteVersion(version) => {
                let gone = states.iter_mut().filter(|state| state.version.as_ref() == Some(version));
                gone.for_each(|state| state.proof = Proof::MaybeGone);
            }
            _ => {
                states.push(State { contents: change.contents(), etag: None, version: None, proof: Proof::MaybeThere })
            }
        }
    }

    /// The request that was sent last was answered, and is done.
    fn acknowledge(&self, place: &Place, change: &Change, told: Told) {
        let mut all = self.states.lock();
        let states = all.entry(place.clone()).or_default();
        if let Change::DeleteVersion(version) = change {
            states.retain(|state| state.version.as_ref() != Some(version));
            return;
        }
        let Some(mut last) = states.pop() else { return };
        last.proof = Proof::Acknowledged;
        (last.etag, last.version) = (told.etag.filter(|_| last.contents.is_some()), told.version);
        if place.bucket != VERSIONED {
            states.clear();
        }
        states.push(last);
    }

    /// Reads every key back, and every version. Each is as it was acknowledged, or as what came after it without an answer
    /// made it; whole in any case. What is found is from then on what is known.
    pub fn hold(&self, cofre: &Cofre) -> Result<usize> {
        let mut all = self.states.lock();
        let mut reader = Reader { cofre, connection: Connection::open(cofre.s3())? };
        let mut versions = if self.versions { reader.versions()? } else { BTreeMap::new() };
        for (place, states) in all.iter_mut() {
            if place.bucket == VERSIONED {
                let found = versions.remove(&place.key).unwrap_or_default();
                hold_versions(states, &found).with_context(|| format!("{place:?}: {states:?}"))?;
                let newest = reader.read(place, None)?;
                let is_newest = states
                    .last()
                    .map_or(newest.body.is_none(), |last| last.contents.is_none() == newest.body.is_none());
                ensure!(is_newest, "{place:?} is read as another than its newest version");
            } else {
                let found = reader.read(place, None)?;
                hold_one(states, &found).with_context(|| format!("{place:?}: {states:?}"))?;
            }
        }
        ensure!(versions.is_empty(), "versions of {:?}, which nobody made", versions.keys());
        Ok(all.len())
    }

    /// How many objects stand, by what was acknowledged last.
    pub fn objects(&self) -> usize {
        let all = self.states.lock();
        let stands = |state: &State| state.proof == Proof::Acknowledged && state.contents.is_some();
        all.values().filter(|states| states.last().is_some_and(stands)).count()
    }

    /// Fails unless a listing names exactly the objects that are there, each with its size and ETag. To be asked after
    /// [`Self::hold`].
    pub fn hold_listing(&self, cofre: &Cofre) -> Result<()> {
        let all = self.states.lock();
        let plain = all.iter().filter(|(place, _)| place.bucket == BUCKET);
        let there: Vec<_> = plain
            .filter_map(|(place, states)| {
                let state = states.last()?;
                Some((place.key.clone(), state.contents?.1.to_string(), state.etag.clone().unwrap_or_default()))
            })
            .collect();
        let response = succeeded(cofre.send(Request::new("GET", &format!("/{BUCKET}?list-type=2")))?)?;
        ensure!(response.element("IsTruncated").as_deref() == Some("false"), "more keys than a page has");
        let text = response.text();
        let mut listed = Vec::new();
        for entry in text.split("<Contents>").skip(1) {
            listed.push((element(entry, "Key")?, element(entry, "Size")?, bare(&element(entry, "ETag")?)));
        }
        listed.sort_unstable();
        ensure!(listed == there, "listed {listed:?}, and there are {there:?}");
        Ok(())
    }
}

/// One of the states that may be found is.
fn hold_one(states: &mut States, found: &Found) -> Result<()> {
    let nothing = State { contents: None, etag: None, version: None, proof: Proof::Acknowledged };
    let unproved = states.first().is_none_or(|state| state.proof != Proof::Acknowledged);
    let mut possible = states.iter().chain(Some(&nothing).filter(|_| unproved));
    let is = possible.find(|state| state.is(found));
    let proved = is.map(|state| state.proved(found)).with_context(|| {
        format!("{:?} bytes with {:?} is none of what may be there", found.body.as_ref().map(Vec::len), found.etag)
    })?;
    *states = vec![proved];
    Ok(())
}

/// The versions that are there, the oldest first, are those that must be, and some of those that may be.
fn hold_versions(states: &mut States, found: &[Found]) -> Result<()> {
    let known: Vec<_> = states.iter().filter_map(|state| state.version.clone()).collect();
    let is_known = |found: &Found| found.version.as_ref().is_some_and(|version| known.contains(version));
    let mut rest = found.iter().peekable();
    let mut proved = Vec::with_capacity(found.len());
    for state in &*states {
        match rest.next_if(|next| state.is(next) && (state.version.is_some() || !is_known(next))) {
            Some(found) => proved.push(state.proved(found)),
            None => {
                let next = rest.peek().copied();
                let (version, etag) = (next.map(|next| &next.version), next.map(|next| &next.etag));
                let may_lack = state.proof != Proof::Acknowledged;
                ensure!(may_lack, "{state:?} is not there; next is version {version:?} with {etag:?}");
            }
        }
    }
    let left = rest.peek().map(|next| &next.version);
    ensure!(left.is_none(), "version {left:?} is none of what may be there");
    *states = proved;
    Ok(())
}

/// Reads what is there.
struct Reader<'a> {
    cofre: &'a Cofre,
    connection: Connection,
}

impl Reader<'_> {
    fn ask(&mut self, target: &str) -> Result<cofre_harness::Response> {
        let request = Request::new("GET", target).header("host", &self.cofre.s3().to_string());
        self.connection.exchange(&self.cofre.signer().sign(request, Payload::Signed))
    }

    fn read(&mut self, place: &Place, version: Option<&str>) -> Result<Found> {
        let response = self.ask(&place.version(version))?;
        let Told { etag, version, .. } = Told::of(&response);
        match response.status {
            200 => Ok(Found { version, etag, body: Some(response.body) }),
            404 => Ok(Found { version: None, etag: None, body: None }),
            status => bail!("{place:?}: {status} {}", response.text()),
        }
    }

    /// All versions of each key, the oldest first, as a listing names them and as they are read.
    fn versions(&mut self) -> Result<BTreeMap<String, Vec<Found>>> {
        let response = succeeded(self.ask(&format!("/{VERSIONED}?versions"))?)?;
        ensure!(response.element("IsTruncated").as_deref() == Some("false"), "more versions than a page has");
        let text = response.text();
        let mut found: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        // Versions and markers have the same elements.
        let text = text.replace("<DeleteMarker>", "<Version><Marker/>");
        for entry in text.split("<Version>").skip(1) {
            let place = Place { bucket: VERSIONED, key: element(entry, "Key")? };
            let version = element(entry, "VersionId")?;
            let of_key = found.entry(place.key.clone()).or_default();
            let newest = element(entry, "IsLatest")? == "true";
            ensure!(newest == of_key.is_empty(), "{place:?}: the newest version is not the first");
            if entry.starts_with("<Marker/>") {
                of_key.push(Found { version: Some(version), etag: None, body: None });
                continue;
            }
            let read = self.read(&place, Some(&version))?;
            let size = read.body.as_ref().map(|body| body.len().to_string());
            let same = size == Some(element(entry, "Size")?) && read.etag == Some(bare(&element(entry, "ETag")?));
            ensure!(same && read.version == Some(version), "{place:?} is listed as {entry}, and read otherwise");
            of_key.push(read);
        }
        found.values_mut().for_each(|versions| versions.reverse());
        Ok(found)
    }
}

/// The text of the first element of this name.
fn element(text: &str, name: &str) -> Result<String> {
    let found = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    found.map(|(value, _)| value.to_owned()).with_context(|| format!("no {name} in {text}"))
}
