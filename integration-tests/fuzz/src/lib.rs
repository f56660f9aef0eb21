//! Targets for fuzzing: one for each family of parsers. Each takes any bytes, must not panic, and
//! holds what was read against what the type promises.
//!
//! `cargo xtask fuzz TARGET` runs one under libFuzzer for as long as you like; `tests/fuzz` runs all of
//! them for a few seconds in `cargo verify`, in a plain loop that mutates the seeds.

mod catalog;
mod forms;
mod iam;
mod names;
mod settings;

pub use catalog::{keys, records};
pub use cofre_s3::fuzzing::{form as forms, policy as form_policies};
pub use cofre_shards::fuzzing::read as disk_formats;
pub use iam::secrets;
pub use names::names;
pub use settings::settings;

/// A target: its name, what it does, and bytes that are worth changing.
pub struct Target {
    /// Name, as `cargo fuzz` knows it.
    pub name: &'static str,
    /// Reads bytes.
    pub run: fn(&[u8]),
    /// Inputs that are valid, or nearly.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 8] = [
    Target { name: "names", run: names, seeds: names::seeds },
    Target { name: "keys", run: keys, seeds: catalog::key_seeds },
    Target { name: "records", run: records, seeds: catalog::record_seeds },
    Target { name: "disk_formats", run: disk_formats, seeds: disk_format_seeds },
    Target { name: "settings", run: settings, seeds: settings::seeds },
    Target { name: "secrets", run: secrets, seeds: iam::seeds },
    Target { name: "forms", run: forms, seeds: forms::seeds },
    Target { name: "form_policies", run: form_policies, seeds: forms::policy_seeds },
];

fn disk_format_seeds() -> Vec<Vec<u8>> {
    let head = |kind: u8, len: u32| {
        let mut bytes = b"cofb\x01".to_vec();
        bytes.push(kind);
        bytes.extend(16_u16.to_le_bytes());
        bytes.extend(len.to_le_bytes());
        bytes.extend([7; 16]);
        bytes.extend(10_u64.to_le_bytes());
        bytes.resize(len as usize, 0);
        bytes.extend([0; 14]);
        bytes
    };
    vec![head(1, 60), head(2, 4_096), vec![1, 1, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0]]
}
