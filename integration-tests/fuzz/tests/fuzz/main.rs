//! Every target for a few seconds, over mutations of its seeds. The stream of inputs is the same in
//! every run, as far as the time goes.

use cofre_fuzz::TARGETS;
use cofre_runtime::{Clock, Random};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long each target runs.
const TIME: Duration = Duration::from_secs(4);
/// Inputs between two looks at the clock.
const INPUTS_AT_ONCE: usize = 64;
/// Longest input.
const INPUT_BYTES_MAX: usize = 8 << 10;
/// Most mutations of one input.
const MUTATIONS_MAX: u64 = 6;
/// Numbers at which code turns.
const TURNS: [u64; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff_ffff_ffff, u64::MAX];

#[test]
fn no_input_makes_a_target_panic() {
    for (seed, target) in (1..).zip(&TARGETS) {
        let (random, clock) = (Random::seeded(seed), Clock::system());
        let seeds = (target.seeds)();
        let mut inputs = 0_u64;
        while clock.elapsed() < TIME {
            for _ in 0..INPUTS_AT_ONCE {
                let input = mutated(&seeds, &random);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
                    eprintln!("{} on {:?}", target.name, String::from_utf8_lossy(&input));
                    eprintln!("bytes {input:?}");
                    std::panic::resume_unwind(panic);
                }
                inputs += 1;
            }
        }
        println!("{}: {inputs} inputs", target.name);
        assert!(inputs > 1_000, "{} saw only {inputs} inputs", target.name);
    }
}

fn below(random: &Random, bound: usize) -> usize {
    usize::try_from(random.below(bound.max(1) as u64)).unwrap_or(0)
}

fn mutated(seeds: &[Vec<u8>], random: &Random) -> Vec<u8> {
    let mut bytes = seeds[below(random, seeds.len())].clone();
    for _ in 0..random.below(MUTATIONS_MAX) {
        let at = below(random, bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.u64() as u8),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            4 if !bytes.is_empty() => bytes[at] = random.u64() as u8,
            // Numbers in either order of bytes.
            5 => {
                let number = TURNS[below(random, TURNS.len())];
                let number = if random.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
                let end = (at + 1 + below(random, 8)).min(bytes.len());
                let room = end.saturating_sub(at);
                bytes[at..end].copy_from_slice(&number[..room]);
            }
            // A piece of itself, again.
            6 => {
                let end = at + below(random, bytes.len() - at);
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            // A piece of another seed.
            _ => {
                let other = &seeds[below(random, seeds.len())];
                let from = below(random, other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}
