use bytes::Bytes;
use cofre_keys::DataKey;
use cofre_keys::stream::{CHUNK_BYTES, HEAD_BYTES, Opener, Sealer, Span, StreamError, plain_len, sealed_len};
use cofre_types::ResolvedRange;
use proptest::prelude::*;
use proptest::sample::Index;

const TAG_BYTES: usize = 16;
const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
const HERE: &[u8] = b"a blob";

fn key() -> DataKey {
    DataKey::from_bytes([3; 32])
}

fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// Seals in pieces of so many bytes.
fn seal(plain: &[u8], piece: usize) -> Vec<u8> {
    let (mut sealer, head) = Sealer::new(&key(), HERE, [5; 32]);
    let mut out = head.to_vec();
    for piece in plain.chunks(piece) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(chunk) = sealer.push(&mut piece).unwrap() {
            out.extend_from_slice(&chunk);
        }
    }
    out.extend_from_slice(&sealer.finish().unwrap());
    out
}

/// Reads a range the way a store does: the head, then the chunks of the span in pieces.
fn open(sealed: &[u8], wanted: ResolvedRange, piece: usize) -> Result<Vec<u8>, StreamError> {
    open_as(&key(), HERE, sealed, wanted, piece)
}

fn open_as(
    key: &DataKey,
    identity: &[u8],
    sealed: &[u8],
    wanted: ResolvedRange,
    piece: usize,
) -> Result<Vec<u8>, StreamError> {
    let span = Span::new(sealed.len() as u64, wanted)?;
    let head = sealed.first_chunk::<HEAD_BYTES>().ok_or(StreamError::Length)?;
    let mut opener = Opener::new(key, identity, head, span)?;
    let chunks = span.chunks();
    let mut out = Vec::new();
    for piece in sealed[chunks.start as usize..chunks.end as usize].chunks(piece) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(opened) = opener.push(&mut piece)? {
            out.extend_from_slice(&opened);
        }
    }
    assert!(opener.is_done());
    Ok(out)
}

fn whole(size: usize) -> ResolvedRange {
    ResolvedRange { start: 0, end: size as u64 }
}

fn sizes() -> impl Strategy<Value = usize> {
    let edges = vec![1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES - 1];
    prop_oneof![proptest::sample::select(edges), 1..4 * CHUNK_BYTES]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_sealed_opens(size in sizes(), write in 1_usize..200_000, read in 1_usize..200_000) {
        let bytes = plain(size);
        let sealed = seal(&bytes, write);
        prop_assert_eq!(sealed.len() as u64, sealed_len(size as u64));
        prop_assert_eq!(plain_len(sealed.len() as u64), Ok(size as u64));
        prop_assert!(open(&sealed, whole(size), read).unwrap() == bytes);
    }

    #[test]
    fn a_range_opens_by_its_chunks_alone(size in sizes(), a: Index, b: Index) {
        let bytes = plain(size);
        let mut sealed = seal(&bytes, size);
        let (a, b) = (a.index(size), b.index(size));
        let wanted = ResolvedRange { start: a.min(b) as u64, end: a.max(b) as u64 + 1 };
        // What is not of the span may be anything.
        let span = Span::new(sealed.len() as u64, wanted).unwrap().chunks();
        sealed[HEAD_BYTES..span.start as usize].fill(0);
        sealed[span.end as usize..].fill(0);
        prop_assert!(span.len() <= (wanted.len() / CHUNK_BYTES as u64 + 2) * SEALED_CHUNK_BYTES as u64);
        let expected = &bytes[wanted.start as usize..wanted.end as usize];
        prop_assert!(open(&sealed, wanted, 10_000).unwrap() == expected);
    }

    #[test]
    fn a_flipped_bit_is_found(size in sizes(), at: Index, bit in 0_u8..8) {
        let mut sealed = seal(&plain(size), size);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        let failed = open(&sealed, whole(size), 100_000).unwrap_err();
        let expected = match at.checked_sub(HEAD_BYTES) {
            Some(at) => StreamError::Chunk((at / SEALED_CHUNK_BYTES) as u32),
            None if at < 8 => StreamError::Head,
            None => StreamError::Chunk(0),
        };
        prop_assert_eq!(failed, expected);
    }

    #[test]
    fn a_stream_that_was_cut_does_not_open(size in sizes(), left: Index) {
        let sealed = seal(&plain(size), size);
        let cut = &sealed[..left.index(sealed.len())];
        if let Ok(shorter) = plain_len(cut.len() as u64) && shorter > 0 {
            prop_assert!(open(cut, whole(shorter as usize), 100_000).is_err());
        }
    }
}

#[test]
fn every_byte_of_a_short_stream_counts() {
    let sealed = seal(b"all of it", 4);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open(&changed, whole(9), 7).is_err(), "byte {at}");
    }
}

#[test]
fn chunks_that_change_places_do_not_open() {
    let size = 3 * CHUNK_BYTES;
    let sealed = seal(&plain(size), size);
    let chunk =
        |number: usize| HEAD_BYTES + number * SEALED_CHUNK_BYTES..HEAD_BYTES + (number + 1) * SEALED_CHUNK_BYTES;
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        let mut swapped = sealed.clone();
        swapped[chunk(a)].copy_from_slice(&sealed[chunk(b)]);
        swapped[chunk(b)].copy_from_slice(&sealed[chunk(a)]);
        assert_eq!(open(&swapped, whole(size), 50_000), Err(StreamError::Chunk(a as u32)));
    }
    // Cut off at the end of a chunk: the one that is last now was not sealed as the last.
    let cut = &sealed[..chunk(1).end];
    assert_eq!(open(cut, whole(2 * CHUNK_BYTES), 50_000), Err(StreamError::Chunk(1)));
}

#[test]
fn a_stream_opens_under_its_key_and_in_its_place_only() {
    let sealed = seal(b"bytes", 5);
    assert_eq!(open_as(&key(), HERE, &sealed, whole(5), 5).unwrap(), b"bytes");
    assert_eq!(open_as(&key(), b"another", &sealed, whole(5), 5), Err(StreamError::Chunk(0)));
    let other = DataKey::from_bytes([4; 32]);
    assert_eq!(open_as(&other, HERE, &sealed, whole(5), 5), Err(StreamError::Chunk(0)));
}

#[test]
fn lengths_have_one_plaintext_or_none() {
    for plain in [0, 1, 65_535, 65_536, 65_537, 5 << 30] {
        assert_eq!(plain_len(sealed_len(plain)), Ok(plain));
    }
    let chunk = SEALED_CHUNK_BYTES as u64;
    for sealed in [0, 39, 40, 55, 40 + chunk + 1, 40 + chunk + 16] {
        assert_eq!(plain_len(sealed), Err(StreamError::Length), "{sealed}");
    }
    let beyond = ResolvedRange { start: 0, end: 6 };
    assert_eq!(Span::new(sealed_len(5), beyond), Err(StreamError::Length));
}

/// Format 1, for ever. `COFRE_WRITE_GOLDEN=1` writes it anew, which only a new format may need.
#[test]
fn format_1_is_as_it_was() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/stream.v1.hex");
    let sealed = seal(b"the form of encrypted bytes", 27);
    if std::env::var_os("COFRE_WRITE_GOLDEN").is_some() {
        std::fs::write(path, format!("{}\n", hex::encode(&sealed))).unwrap();
    }
    let golden = hex::decode(std::fs::read_to_string(path).unwrap().trim()).unwrap();
    assert_eq!(golden, sealed);
    assert_eq!(open(&golden, whole(27), 27).unwrap(), b"the form of encrypted bytes");
}
