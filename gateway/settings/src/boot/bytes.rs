//! Sizes as people write them.

/// Units, and what they stand for: those of 1024 and those of 1000.
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// Parses a number of bytes: `1048576`, or `30MB`, `1 GiB` in whole units of any case.
///
/// # Errors
/// What it must be, for a person to read.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = unit.trim_start();
    let factor = if unit.is_empty() {
        Some(1)
    } else {
        UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor)
    };
    let count = factor.and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor));
    count.ok_or_else(|| {
        "must be a whole number of bytes, or of KiB, MiB, GiB, TiB, KB, MB, GB or TB: 1048576, 30MB, 1GiB".to_owned()
    })
}
