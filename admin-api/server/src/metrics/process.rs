//! What every process tells, by the names that Prometheus' client libraries share.

use super::{counter, gauge};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;
use std::{fmt, fs};

/// Clock ticks a second in `/proc/self/stat`: Linux has used 100 towards user space on every
/// architecture since 2.4 (proc(5), sysconf(3)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Fields of `/proc/self/stat` behind the program's name, counted from 0 (proc(5)).
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const START_TICKS: usize = 19;

/// What the operating system says of this process. What it does not say is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Memory that is mapped, in bytes.
    pub virtual_bytes: Option<u64>,
    /// CPU time, user and system, in seconds.
    pub cpu_seconds: Option<f64>,
    /// When it started, in seconds since 1970.
    pub start_seconds: Option<f64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// Most file descriptors that may be open.
    pub max_fds: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}

impl Process {
    /// Reads `/proc/self`. Blocks.
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| number(&status, name);
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name of the program, in parentheses, may hold spaces: fields are counted behind it.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or_else(Vec::new, |(_, fields)| fields.split_whitespace().collect());
        let ticks = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
        let booted = fs::read_to_string("/proc/stat").ok().and_then(|text| number(&text, "btime"));
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            resident_bytes: field("VmRSS:").map(|kib| kib * 1024),
            virtual_bytes: field("VmSize:").map(|kib| kib * 1024),
            cpu_seconds: ticks(USER_TICKS).zip(ticks(SYSTEM_TICKS)).map(|(user, system)| user + system),
            start_seconds: booted.zip(ticks(START_TICKS)).map(|(booted, after)| booted as f64 + after),
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64),
            max_fds: number(&limits, "Max open files"),
            threads: field("Threads:"),
        }
    }
}

/// The first number of the line that begins with `name`.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        if let Some(seconds) = self.cpu_seconds {
            counter(encoder, "process_cpu", "CPU time, user and system", Some(&Unit::Seconds), seconds)?;
        }
        let started = self.start_seconds;
        let counted = |count: Option<u64>| count.map(|count| count as f64);
        let gauges = [
            ("process_start_time", "When the process started, in seconds since 1970", Some(&Unit::Seconds), started),
            ("process_resident_memory", "Resident memory", Some(&Unit::Bytes), counted(self.resident_bytes)),
            ("process_virtual_memory", "Memory that is mapped", Some(&Unit::Bytes), counted(self.virtual_bytes)),
            ("process_open_fds", "Open file descriptors", None, counted(self.open_fds)),
            ("process_max_fds", "Most file descriptors that may be open", None, counted(self.max_fds)),
            ("process_threads", "Threads", None, counted(self.threads)),
        ];
        for (name, help, unit, value) in gauges {
            if let Some(value) = value {
                gauge(encoder, name, help, unit, value)?;
            }
        }
        Ok(())
    }
}
